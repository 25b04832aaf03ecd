/* SPDX-License-Identifier: Apache-2.0 */
/* Files: read-only maps, listings, and files that appear whole or not at all. */
#ifndef AFN_BASE_FILE_H
#define AFN_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A whole file, read-only, mapped.  size 0: data is a valid pointer to no bytes. */
typedef struct afn_map {
    const uint8_t *data;
    size_t size;
    void *base; /* what to unmap, NULL for an empty file */
} afn_map;

/* Errors     AFN_ENOTFOUND, AFN_EIO (also for a folder); the message does not name
 *            the path: callers add it with afn_context() */
afn_status afn_map_open(afn_map *out, const char *path);
void afn_map_close(afn_map *m); /* a zeroed map is a no-op */

/* Have the system read a file from its disk, without waiting for it; whatever goes
 * wrong shows when the file is opened. */
void afn_file_read_ahead(const char *path);

/* The same for a part of a map. */
void afn_map_read_ahead(const afn_map *m, size_t at, size_t n);

/* Only a few bytes here and there are wanted of this map (true), or whole stretches
 * again (false): how much the system reads around each. */
void afn_map_sparse(const afn_map *m, bool sparse);

/* Give back the memory of what was read so far; it is read again when wanted. */
void afn_map_forget(const afn_map *m);

/* A whole file in memory of its own: for small files that may change below us. */
afn_status afn_file_read(uint8_t **data, size_t *size, const char *path);

/* A file being written beside its final place: afn_out_commit() makes it appear whole
 * under its name (fsync + rename), afn_out_discard() leaves what was there before. */
typedef struct afn_out afn_out;
afn_status afn_out_open(afn_out **out, const char *path);
afn_status afn_out_write(afn_out *o, const void *bytes, size_t n);
int64_t afn_out_tell(const afn_out *o); /* bytes written so far */
afn_status afn_out_commit(afn_out *o);  /* frees o, also on failure */
void afn_out_discard(afn_out *o);       /* frees o; NULL is a no-op */

/* Remove what processes that are gone left of files they were writing in this folder.
 */
void afn_out_clean(const char *dir);

/* Tests only: from the k-th call on (1 = the next, 0 = never) that opens, writes,
 * makes durable or renames a file of afn_out, all of them fail with this errno; below 0
 * the process is killed in that call.  A write is then half done. */
void afn_out_fail_at(int64_t k, int errnum);

/* Tests only: such calls so far, to know how far k may go. */
int64_t afn_out_calls(void);

/* afn_out in one call. */
afn_status afn_file_write(const char *path, const void *bytes, size_t n);

/* A file that grows by whole pieces, for logs: a piece goes in with one call, and where
 * that fails, what it left is cut off again.  A kill or a power cut may leave a part of
 * the last piece: who opens the file again says how much of it counts. */
typedef struct afn_append {
    int fd; /* of a zeroed one, nothing is open: see path */
    char *path;
    int64_t size; /* bytes */
} afn_append;

/*   keep     bytes of what is there that stay, all of it where it has fewer; the rest
 *            is cut off.  0 = begin anew
 * Errors     AFN_EIO, AFN_ENOMEM */
afn_status afn_append_open(afn_append *out, const char *path, int64_t keep);
afn_status afn_append_write(afn_append *a, const void *bytes, size_t n);
void afn_append_close(afn_append *a); /* a zeroed one is a no-op */

/* Make a new name of this file last: best effort, some file systems refuse. */
void afn_file_sync_folder(const char *path);

typedef struct afn_dir_entry {
    char *name;  /* without the folder; never "." or ".." */
    bool is_dir; /* links are followed */
    bool is_file;
} afn_dir_entry;

/* Entries of a folder, sorted by name as bytes (as Python's sorted() on str). */
typedef struct afn_dir {
    afn_dir_entry *entry;
    size_t count;
} afn_dir;
afn_status afn_dir_read(afn_dir *out, const char *path);
void afn_dir_free(afn_dir *d);

bool afn_is_dir(const char *path);
bool afn_is_file(const char *path);
int64_t afn_file_size(const char *path);    /* bytes, -1 where there is no such file */
afn_status afn_make_dirs(const char *path); /* as mkdir -p */

/* Keep a folder from others who ask the same way, until it is unlocked or the process
 * ends, however it ends.  Where the file system knows no locks nobody is kept out.
 *   lock     for afn_dir_unlock(), -1 = nothing to unlock
 * Errors     AFN_EIO where another has it */
afn_status afn_dir_lock(int *lock, const char *path);
void afn_dir_unlock(int lock);

/* AFN_OK where files can be made in the folder; leaves nothing behind. */
afn_status afn_dir_check_writable(const char *path);

#endif
