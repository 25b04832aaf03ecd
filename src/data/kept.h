/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/data: pictures as they leave the preprocessing, kept in memory from
 * the epoch that made them. */
#ifndef AFN_DATA_KEPT_H
#define AFN_DATA_KEPT_H

#include <stdatomic.h>

#include "base/base.h"

/* Start with { 0 }, which keeps nothing. */
typedef struct afn_kept {
    int64_t count;      /* samples below this may be kept */
    size_t bytes;       /* of one */
    uint8_t *pixels;    /* (count, bytes) */
    atomic_char *state; /* [count]: nothing, being written, there */
} afn_kept;

/* Keep as many of n samples as fit into `memory` bytes, the first ones; -1 = a quarter
 * of what is available.  Where there is no memory for them none are kept: that is no
 * failure.  Pages that are not written to take no memory. */
void afn_kept_open(afn_kept *k, int64_t n, size_t bytes, int64_t memory);
void afn_kept_close(afn_kept *k);

/* Any number of threads may call these at once.
 *   get      false where sample i is not there
 *   put      no more than a help: does nothing where i is not to be kept */
bool afn_kept_has(const afn_kept *k, int64_t i);
bool afn_kept_get(const afn_kept *k, int64_t i, uint8_t *pixels);
void afn_kept_put(afn_kept *k, int64_t i, const uint8_t *pixels);

#endif
