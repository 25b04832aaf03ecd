/* SPDX-License-Identifier: Apache-2.0 */
/* A file that grows over several runs of the program under another name, PATH.part, and
 * gets its own when it is whole. */
#ifndef AFN_BASE_GROWING_H
#define AFN_BASE_GROWING_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct afn_growing {
    int fd;
    int64_t size;      /* bytes so far */
    char *path, *part; /* final name, name until then */
} afn_growing;

/* Open PATH.part, or make it, and lock it.
 * Errors     AFN_EIO where it cannot be written or another process has it */
afn_status afn_growing_open(afn_growing *out, const char *path);

/* Errors     AFN_EIO; what was written before stays */
afn_status afn_growing_append(afn_growing *p, const void *bytes, size_t n);

/* Back to no bytes. */
afn_status afn_growing_restart(afn_growing *p);

/* Give the file its name, after all of it has reached the disk. */
afn_status afn_growing_commit(afn_growing *p);

/* Close it; what is not committed stays as PATH.part.  A zeroed one is a no-op. */
void afn_growing_close(afn_growing *p);

/* Close it and remove PATH.part. */
void afn_growing_remove(afn_growing *p);

#endif
