/* SPDX-License-Identifier: Apache-2.0 */
/* Growing files: a lock keeps two processes from appending to one. */
#define _DEFAULT_SOURCE

#include "base/growing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

/* Does the open file still bear this name?  Between opening and locking, the process
 * that had the lock may have renamed it. */
static bool is_named(int fd, const char *path)
{
    struct stat open, named;
    return fstat(fd, &open) == 0 && stat(path, &named) == 0 &&
           open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

static afn_status open_locked(afn_growing *p)
{
    for (;;) {
        p->fd = open(p->part, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (p->fd < 0) return afn_fail_errno(errno, "%s: cannot write", p->part);
        if (flock(p->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
            return afn_fail(AFN_EIO, "%s: another process is writing it", p->part);
        if (is_named(p->fd, p->part)) return AFN_OK;
        close(p->fd);
    }
}

afn_status afn_growing_open(afn_growing *out, const char *path)
{
    afn_status st = AFN_OK;
    struct stat info;
    afn_growing p = { .fd = -1 };

    *out = (afn_growing){ .fd = -1 };
    p.path = afn_strdup(path);
    p.part = afn_format("%s.part", path);
    AFN_REQUIRE(p.path && p.part, AFN_ENOMEM, "out of memory");
    AFN_TRY(open_locked(&p));
    if (fstat(p.fd, &info) != 0) {
        st = afn_fail_errno(errno, "%s", p.part);
        goto done;
    }
    p.size = info.st_size;
    *out = p;
    p = (afn_growing){ .fd = -1 };
done:
    afn_growing_close(&p);
    return st;
}

afn_status afn_growing_append(afn_growing *p, const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n) {
        const ssize_t k = write(p->fd, at, n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return afn_fail_errno(errno, "%s: cannot write", p->part);
        at += k;
        n -= (size_t)k;
        p->size += k;
    }
    return AFN_OK;
}

afn_status afn_growing_restart(afn_growing *p)
{
    if (ftruncate(p->fd, 0) != 0)
        return afn_fail_errno(errno, "%s: cannot write", p->part);
    p->size = 0;
    return AFN_OK;
}

afn_status afn_growing_commit(afn_growing *p)
{
    if (fsync(p->fd) != 0 && errno != EINVAL && errno != EROFS)
        return afn_fail_errno(errno, "%s: cannot write", p->part);
    if (rename(p->part, p->path) != 0)
        return afn_fail_errno(errno, "%s: cannot write", p->path);
    afn_file_sync_folder(p->path);
    afn_growing_close(p);
    return AFN_OK;
}

void afn_growing_close(afn_growing *p)
{
    if (p->path && p->fd >= 0) close(p->fd);
    afn_free(p->path);
    afn_free(p->part);
    *p = (afn_growing){ .fd = -1 };
}

void afn_growing_remove(afn_growing *p)
{
    if (p->part) (void)unlink(p->part);
    afn_growing_close(p);
}
