/* SPDX-License-Identifier: Apache-2.0 */
/* Files that appear whole or not at all, and such as grow.  Writing goes to
 * ".NAME.PID.tmp" in the same folder, so that the final rename never crosses a file
 * system.  Every call that changes a file goes through one place, where tests can make
 * it fail or kill the process. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

/* ---- faults ---- */

static atomic_int_fast64_t calls, fault_from; /* fault_from 0 = none */
static atomic_int fault_errno;

void afn_out_fail_at(int64_t k, int errnum)
{
    atomic_store(&fault_errno, errnum);
    atomic_store(&fault_from, k > 0 ? atomic_load(&calls) + k : 0);
}

int64_t afn_out_calls(void)
{
    return atomic_load(&calls);
}

/* Does this call fail?  Sets errno then. */
static bool at_fault(void)
{
    const int_fast64_t n = atomic_fetch_add(&calls, 1) + 1;
    const int_fast64_t from = atomic_load(&fault_from);
    if (!from || n < from) return false;
    errno = atomic_load(&fault_errno);
    if (errno < 0) raise(SIGKILL);
    return true;
}

static ssize_t faulty_write(int fd, const void *bytes, size_t n)
{
    const int_fast64_t from = atomic_load(&fault_from);
    if (from && atomic_load(&calls) + 1 >= from) {
        const ssize_t half = write(fd, bytes, n / 2);
        (void)half;
    }
    return at_fault() ? -1 : write(fd, bytes, n);
}

/* ---- writing ---- */

struct afn_out {
    int fd;
    int64_t written;
    char *path, *temp;
    size_t pending;
    char buffer[1 << 16];
};

static char *temp_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const int dir = slash ? (int)(slash - path + 1) : 0;
    return afn_format("%.*s.%s.%ld.tmp", dir, path, path + dir, (long)getpid());
}

static void out_free(afn_out *o)
{
    if (!o) return;
    if (o->fd >= 0) close(o->fd);
    afn_free(o->path);
    afn_free(o->temp);
    afn_free(o);
}

afn_status afn_out_open(afn_out **out, const char *path)
{
    afn_status st = AFN_OK;
    *out = NULL;
    afn_out *o = afn_alloc(sizeof *o);
    AFN_REQUIRE(o, AFN_ENOMEM, "out of memory");
    o->fd = -1;
    o->path = afn_strdup(path);
    o->temp = temp_name(path);
    AFN_REQUIRE(o->path && o->temp, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(!afn_is_dir(path), AFN_EIO, "%s: is a folder, not a file", path);
    if (!at_fault())
        o->fd = open(o->temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (o->fd < 0) {
        st = afn_fail_errno(errno, "%s: cannot write", path);
        goto done;
    }
    *out = o;
    o = NULL;
done:
    out_free(o);
    return st;
}

static afn_status write_fully(afn_out *o, const char *p, size_t n)
{
    while (n) {
        const ssize_t k = faulty_write(o->fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return afn_fail_errno(errno, "%s: cannot write", o->path);
        p += k;
        n -= (size_t)k;
    }
    return AFN_OK;
}

static afn_status flush(afn_out *o)
{
    const size_t n = o->pending;
    o->pending = 0;
    return write_fully(o, o->buffer, n);
}

afn_status afn_out_write(afn_out *o, const void *bytes, size_t n)
{
    afn_status st = AFN_OK;
    if (n > sizeof o->buffer - o->pending) AFN_TRY(flush(o));
    if (n > sizeof o->buffer) {
        AFN_TRY(write_fully(o, bytes, n));
    } else if (n) {
        memcpy(o->buffer + o->pending, bytes, n);
        o->pending += n;
    }
    o->written += (int64_t)n;
done:
    return st;
}

int64_t afn_out_tell(const afn_out *o)
{
    return o->written;
}

/* Make the rename itself durable; best effort, some file systems refuse. */
void afn_file_sync_folder(const char *path)
{
    char *dir = afn_strdup(path);
    if (!dir) return;
    char *slash = strrchr(dir, '/');
    if (slash) slash[slash == dir] = 0;
    const int fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    afn_free(dir);
}

afn_status afn_out_commit(afn_out *o)
{
    afn_status st = AFN_OK;
    AFN_TRY(flush(o));
    if ((at_fault() || fsync(o->fd) != 0) && errno != EINVAL && errno != EROFS) {
        st = afn_fail_errno(errno, "%s: cannot write", o->path);
        goto done;
    }
    if (at_fault() || rename(o->temp, o->path) != 0) {
        st = afn_fail_errno(errno, "%s: cannot write", o->path);
        goto done;
    }
    afn_file_sync_folder(o->path);
done:
    if (st != AFN_OK) (void)unlink(o->temp);
    out_free(o);
    return st;
}

void afn_out_discard(afn_out *o)
{
    if (!o) return;
    (void)unlink(o->temp);
    out_free(o);
}

afn_status afn_file_write(const char *path, const void *bytes, size_t n)
{
    afn_out *o = NULL;
    afn_status st = afn_out_open(&o, path);
    if (st != AFN_OK) return st;
    st = afn_out_write(o, bytes, n);
    if (st == AFN_OK) return afn_out_commit(o);
    afn_out_discard(o);
    return st;
}

/* ---- growing ---- */

afn_status afn_append_open(afn_append *out, const char *path, int64_t keep)
{
    afn_status st = AFN_OK;
    afn_append a = { .fd = -1, .path = afn_strdup(path) };
    *out = (afn_append){ 0 };
    AFN_REQUIRE(a.path, AFN_ENOMEM, "out of memory");
    if (!at_fault()) a.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const int64_t there = a.fd >= 0 ? (int64_t)lseek(a.fd, 0, SEEK_END) : -1;
    a.size = there < keep ? there : keep;
    if (there < 0 || (there > keep && ftruncate(a.fd, (off_t)keep) != 0)) {
        st = afn_fail_errno(errno, "%s: cannot write", path);
        goto done;
    }
    *out = a;
    a = (afn_append){ 0 };
done:
    afn_append_close(&a);
    return st;
}

afn_status afn_append_write(afn_append *a, const void *bytes, size_t n)
{
    const ssize_t k = faulty_write(a->fd, bytes, n);
    if (k >= 0 && (size_t)k == n) {
        a->size += (int64_t)n;
        return AFN_OK;
    }
    const int error = k < 0 ? errno : ENOSPC;
    const int cut = ftruncate(a->fd, (off_t)a->size);
    (void)cut; /* the reader leaves a part of a piece alone */
    return afn_fail_errno(error, "%s: cannot write", a->path);
}

void afn_append_close(afn_append *a)
{
    if (a->path && a->fd >= 0) close(a->fd);
    afn_free(a->path);
    *a = (afn_append){ 0 };
}

/* ---- what others left ---- */

/* Who was writing the file of this name; 0 where it is no such file. */
static long writer_of(const char *name)
{
    const size_t length = strlen(name), end = strlen(".tmp");
    if (name[0] != '.' || length <= end || strcmp(name + length - end, ".tmp") != 0)
        return 0;
    const char *at = name + length - end;
    while (at > name && at[-1] >= '0' && at[-1] <= '9') at--;
    return at > name + 1 && at[-1] == '.' ? strtol(at, NULL, 10) : 0;
}

void afn_out_clean(const char *dir)
{
    afn_dir list;
    if (afn_dir_read(&list, dir) != AFN_OK) return;
    for (size_t i = 0; i < list.count; i++) {
        const long pid = writer_of(list.entry[i].name);
        if (pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH) continue;
        char *path = afn_path_join(dir, list.entry[i].name);
        if (path) (void)unlink(path);
        afn_free(path);
    }
    afn_dir_free(&list);
}
