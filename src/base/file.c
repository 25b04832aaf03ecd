/* SPDX-License-Identifier: Apache-2.0 */
/* File access over POSIX.  Writing goes to ".NAME.PID.tmp" in the same folder, so that
 * the final rename never crosses a file system. */
#define _GNU_SOURCE
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
        const ssize_t k = write(o->fd, p, n);
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
static void sync_folder(const char *path)
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
    if (fsync(o->fd) != 0 && errno != EINVAL && errno != EROFS) {
        st = afn_fail_errno(errno, "%s: cannot write", o->path);
        goto done;
    }
    if (rename(o->temp, o->path) != 0) {
        st = afn_fail_errno(errno, "%s: cannot write", o->path);
        goto done;
    }
    sync_folder(o->path);
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
