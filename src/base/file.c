/* SPDX-License-Identifier: Apache-2.0 */
/* File access over POSIX: reading files, and folders.  Writing is in out.c. */
#define _GNU_SOURCE
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

static afn_status open_regular(int *fd, size_t *size, const char *path)
{
    struct stat info;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) return afn_fail_errno(errno, "cannot open");
    if (fstat(*fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        const bool folder = S_ISDIR(info.st_mode);
        close(*fd);
        *fd = -1;
        return afn_fail(AFN_EIO,
                        folder ? "is a folder, not a file" : "is not an ordinary file");
    }
    *size = (size_t)info.st_size;
    return AFN_OK;
}

afn_status afn_map_open(afn_map *out, const char *path)
{
    static const uint8_t nothing[1];
    afn_status st = AFN_OK;
    int fd = -1;
    size_t size = 0;

    *out = (afn_map){ 0 };
    AFN_TRY(open_regular(&fd, &size, path));
    if (size == 0) {
        out->data = nothing;
        goto done;
    }
    void *base = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (base == MAP_FAILED) {
        st = afn_fail_errno(errno, "cannot map");
        goto done;
    }
    *out = (afn_map){ .data = base, .size = size, .base = base };
done:
    if (fd >= 0) close(fd);
    return st;
}

void afn_map_close(afn_map *m)
{
    if (m->base) munmap(m->base, m->size);
    *m = (afn_map){ 0 };
}

void afn_file_read_ahead(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
    close(fd);
}

void afn_map_read_ahead(const afn_map *m, size_t at, size_t n)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), from = at - at % page;
    if (m->base && at < m->size && n <= m->size - at)
        (void)posix_madvise((char *)m->base + from, at + n - from, POSIX_MADV_WILLNEED);
}

void afn_map_sparse(const afn_map *m, bool sparse)
{
    if (m->base) (void)madvise(m->base, m->size, sparse ? MADV_RANDOM : MADV_NORMAL);
}

void afn_map_forget(const afn_map *m)
{
    if (m->base) (void)madvise(m->base, m->size, MADV_DONTNEED);
}

static afn_status read_fully(int fd, uint8_t *data, size_t *size)
{
    size_t done = 0;
    while (done < *size) {
        const ssize_t n = read(fd, data + done, *size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return afn_fail_errno(errno, "cannot read");
        if (n == 0) break; /* shrank meanwhile: hand over what there is */
        done += (size_t)n;
    }
    *size = done;
    return AFN_OK;
}

afn_status afn_file_read(uint8_t **data, size_t *size, const char *path)
{
    afn_status st = AFN_OK;
    int fd = -1;

    *data = NULL;
    *size = 0;
    AFN_TRY(open_regular(&fd, size, path));
    *data = afn_alloc(*size + 1);
    AFN_REQUIRE(*data, AFN_ENOMEM, "out of memory");
    AFN_TRY(read_fully(fd, *data, size));
done:
    if (fd >= 0) close(fd);
    if (st != AFN_OK) {
        afn_free(*data);
        *data = NULL;
        *size = 0;
    }
    return st;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const afn_dir_entry *)a)->name, ((const afn_dir_entry *)b)->name);
}

/* Kind of an entry, links followed; a stat only where readdir did not say. */
static void classify(afn_dir_entry *e, DIR *dir, const struct dirent *d)
{
    struct stat info;
    e->is_dir = d->d_type == DT_DIR;
    e->is_file = d->d_type == DT_REG;
    if (d->d_type != DT_LNK && d->d_type != DT_UNKNOWN) return;
    if (fstatat(dirfd(dir), d->d_name, &info, 0) != 0) return; /* dangling link */
    e->is_dir = S_ISDIR(info.st_mode);
    e->is_file = S_ISREG(info.st_mode);
}

static afn_status dir_add(afn_dir *list, size_t *cap, DIR *dir, const struct dirent *d)
{
    if (list->count == *cap) {
        const size_t bigger = *cap ? *cap * 2 : 64;
        afn_dir_entry *entry = afn_realloc(list->entry, bigger * sizeof *entry);
        if (!entry) return afn_fail(AFN_ENOMEM, "out of memory");
        list->entry = entry;
        *cap = bigger;
    }
    afn_dir_entry *e = &list->entry[list->count];
    e->name = afn_strdup(d->d_name);
    if (!e->name) return afn_fail(AFN_ENOMEM, "out of memory");
    list->count++;
    classify(e, dir, d);
    return AFN_OK;
}

afn_status afn_dir_read(afn_dir *out, const char *path)
{
    afn_status st = AFN_OK;
    afn_dir list = { 0 };
    size_t cap = 0;

    *out = (afn_dir){ 0 };
    DIR *dir = opendir(path);
    if (!dir) return afn_fail_errno(errno, "cannot open");
    for (const struct dirent *d; (d = readdir(dir)) != NULL;) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
        AFN_TRY(dir_add(&list, &cap, dir, d));
    }
    if (list.count) qsort(list.entry, list.count, sizeof *list.entry, by_name);
    *out = list;
    list = (afn_dir){ 0 };
done:
    closedir(dir);
    afn_dir_free(&list);
    return st;
}

void afn_dir_free(afn_dir *d)
{
    for (size_t i = 0; i < d->count; i++) afn_free(d->entry[i].name);
    afn_free(d->entry);
    *d = (afn_dir){ 0 };
}

bool afn_is_dir(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool afn_is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

int64_t afn_file_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

afn_status afn_make_dirs(const char *path)
{
    afn_status st = AFN_OK;
    char *copy = afn_strdup(path);
    AFN_REQUIRE(copy, AFN_ENOMEM, "out of memory");
    for (char *p = copy; *p; p++) {
        if (*p != '/' || p == copy) continue;
        *p = 0;
        if (mkdir(copy, 0777) != 0 && errno != EEXIST && !afn_is_dir(copy)) break;
        *p = '/';
    }
    if (mkdir(path, 0777) != 0 && !afn_is_dir(path))
        st = afn_fail_errno(errno, "%s: cannot make folder", path);
done:
    afn_free(copy);
    return st;
}

afn_status afn_dir_check_writable(const char *path)
{
    afn_status st = AFN_OK;
    char *probe = afn_format("%s/.afina-probe.%ld.tmp", path, (long)getpid());
    AFN_REQUIRE(probe, AFN_ENOMEM, "out of memory");
    const int fd = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        st = afn_fail_errno(errno, "%s: cannot write into folder", path);
        goto done;
    }
    close(fd);
    (void)unlink(probe);
done:
    afn_free(probe);
    return st;
}

afn_status afn_dir_lock(int *lock, const char *path)
{
    *lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0 || flock(*lock, LOCK_EX | LOCK_NB) == 0) return AFN_OK;
    const int error = errno;
    close(*lock);
    *lock = -1;
    if (error != EWOULDBLOCK) return AFN_OK;
    return afn_fail(AFN_EIO, "%s: another process is at work in this folder", path);
}

void afn_dir_unlock(int lock)
{
    if (lock >= 0) close(lock);
}
