/* SPDX-License-Identifier: Apache-2.0 */
/* Room for large data: how much memory and disk can be had without hurting anybody, and
 * files without a name for what memory should not hold. */
#ifndef AFN_BASE_ROOM_H
#define AFN_BASE_ROOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Bytes of memory that can be taken now without swapping: what the system has
 * available, or the limit of this process's control group leaves where that is less. */
int64_t afn_memory_available(void);

/* Bytes that this process may still map under a limit of its own (ulimit -v), INT64_MAX
 * where there is none. */
int64_t afn_address_space_left(void);

/* Bytes that files in this folder may still take, for this user; 0 where unknown. */
int64_t afn_disk_available(const char *dir);

/* A file without a name: it is gone when it is closed and when the process ends,
 * however it ends. */
typedef struct afn_scratch {
    int fd;
    const uint8_t *data; /* mapped, read-only: shows what was written */
    size_t size;
} afn_scratch;

/* Errors     AFN_EIO where the folder cannot be written or the disk has no room for all
 *            of it: nothing is left behind */
afn_status afn_scratch_open(afn_scratch *out, const char *dir, size_t bytes);
afn_status afn_scratch_write(afn_scratch *s, size_t at, const void *bytes, size_t n);
void afn_scratch_close(afn_scratch *s); /* a zeroed one is a no-op */

#endif
