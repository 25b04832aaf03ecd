/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives in memory, read file by file; nothing is copied but names. */
#ifndef AFN_IO_TAR_H
#define AFN_IO_TAR_H

#include "base/base.h"

/* Start with { .data = ..., .size = ... }. */
typedef struct afn_tar {
    const uint8_t *data;
    size_t size, at;
    afn_buf name; /* of the file at hand */
    afn_buf long_name;
    int64_t long_size; /* what an extended header says, -1 = nothing */
} afn_tar;

typedef struct afn_tar_file {
    const char *name; /* until the next call */
    size_t at, size;  /* where its bytes are */
} afn_tar_file;

/* The next ordinary file: folders, links and devices are passed over.
 *   more     false at the end
 * Errors     AFN_EFORMAT with the offset: not a header, a wrong checksum, cut off;
 *            AFN_EUNSUPPORTED compressed; AFN_ENOMEM */
afn_status afn_tar_next(afn_tar *t, afn_tar_file *file, bool *more);
void afn_tar_close(afn_tar *t); /* a zeroed one is a no-op */

#endif
