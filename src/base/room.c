/* SPDX-License-Identifier: Apache-2.0 */
/* Linux tells memory in /proc/meminfo and /sys/fs/cgroup (versions 2 and 1, as a
 * container sees its own); elsewhere what POSIX knows has to do.
 *
 * A scratch file is written with pwrite(), never through its map: a disk that fills up
 * all the same is then an error and not a SIGBUS. */
#define _GNU_SOURCE
#include "base/room.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

/* ---- what there is ---- */

/* The number in a file of one line, -1 where there is none ("max"). */
static int64_t number_in(const char *path)
{
    int64_t n = -1;
    FILE *f = fopen(path, "re");
    if (!f) return -1;
    if (fscanf(f, "%" SCNd64, &n) != 1) n = -1;
    fclose(f);
    return n;
}

static int64_t left_in_group(const char *limit, const char *used)
{
    const int64_t all = number_in(limit), some = number_in(used);
    if (all < 0 || some < 0) return INT64_MAX;
    return all > some ? all - some : 0;
}

static int64_t available_in_system(void)
{
    int64_t kb = -1;
    char line[128];
    FILE *f = fopen("/proc/meminfo", "re");
    while (f && kb < 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %" SCNd64, &kb) != 1) kb = -1;
    if (f) fclose(f);
    if (kb >= 0) return kb * 1024;
    const long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (int64_t)pages * bytes / 2 : 0;
}

int64_t afn_address_space_left(void)
{
    struct rlimit limit;
    const int64_t pages = number_in("/proc/self/statm"); /* the first number */
    const int64_t used = pages > 0 ? pages * sysconf(_SC_PAGESIZE) : 0;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur > INT64_MAX)
        return INT64_MAX;
    return (int64_t)limit.rlim_cur > used ? (int64_t)limit.rlim_cur - used : 0;
}

int64_t afn_memory_available(void)
{
    const int64_t left[] = {
        available_in_system(),
        left_in_group("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        left_in_group("/sys/fs/cgroup/memory/memory.limit_in_bytes",
                      "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    };
    int64_t least = left[0];
    for (size_t i = 1; i < sizeof left / sizeof left[0]; i++)
        if (left[i] < least) least = left[i];
    return least;
}

int64_t afn_disk_available(const char *dir)
{
    struct statvfs disk;
    if (statvfs(dir, &disk) != 0) return 0;
    return (int64_t)((uint64_t)disk.f_bavail * disk.f_frsize);
}

/* ---- scratch files ---- */

/* Blocks for all of it, so that a full disk shows now.  Beyond the process's limit for
 * files the system would send a signal instead of an error. */
static afn_status reserve(int fd, size_t bytes)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        bytes > limit.rlim_cur)
        return afn_fail_errno(EFBIG, "cannot make a file of %zu MB", bytes >> 20);
    const int error = posix_fallocate(fd, 0, (off_t)bytes);
    if (error)
        return afn_fail_errno(error, "cannot make a file of %zu MB", bytes >> 20);
    return AFN_OK;
}

/* Its name lives for as long as it takes to unlink it. */
static afn_status open_nameless(int *fd, const char *dir)
{
    char *path = afn_format("%s/.afina-scratch.%ld.XXXXXX", dir, (long)getpid());
    if (!path) return afn_fail(AFN_ENOMEM, "out of memory");
    *fd = mkostemp(path, O_CLOEXEC);
    const int error = errno;
    if (*fd >= 0) (void)unlink(path);
    afn_free(path);
    return *fd >= 0 ? AFN_OK : afn_fail_errno(error, "%s: cannot write", dir);
}

afn_status afn_scratch_open(afn_scratch *out, const char *dir, size_t bytes)
{
    afn_status st = AFN_OK;
    afn_scratch s = { .fd = -1, .size = bytes };
    *out = (afn_scratch){ 0 };
    AFN_REQUIRE(bytes > 0, AFN_EINVAL, "a scratch file of 0 bytes");
    AFN_TRY(open_nameless(&s.fd, dir));
    AFN_TRY(reserve(s.fd, bytes));
    void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, s.fd, 0);
    if (map == MAP_FAILED) {
        st = afn_fail_errno(errno, "cannot map a file of %zu MB", bytes >> 20);
        goto done;
    }
    s.data = map;
    *out = s;
    s.fd = -1;
done:
    if (s.fd >= 0) close(s.fd);
    return st;
}

afn_status afn_scratch_write(afn_scratch *s, size_t at, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n) {
        const ssize_t k = pwrite(s->fd, p, n, (off_t)at);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return afn_fail_errno(errno, "cannot write a scratch file");
        p += k;
        at += (size_t)k;
        n -= (size_t)k;
    }
    return AFN_OK;
}

void afn_scratch_close(afn_scratch *s)
{
    if (!s->data) return;
    munmap((void *)s->data, s->size);
    close(s->fd);
    *s = (afn_scratch){ 0 };
}
