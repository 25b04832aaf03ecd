/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/data: a thread that has the system read samples from a slow disk
 * before they are wanted. */
#ifndef AFN_DATA_AHEAD_H
#define AFN_DATA_AHEAD_H

#include "data/dataset.h"

typedef struct afn_ahead afn_ahead;

/* NULL with AFN_OK where the set has nothing to read ahead.
 *   room     samples that may wait to be read
 * Memory     borrows the set until afn_ahead_free() */
afn_status afn_ahead_new(afn_ahead **out, const afn_dataset *d, int64_t room);
void afn_ahead_free(afn_ahead *a); /* NULL is a no-op */

/* Have a sample read after those that wait; forgotten where there is no room. */
void afn_ahead_add(afn_ahead *a, int64_t i);

/* Forget all that wait. */
void afn_ahead_clear(afn_ahead *a);

#endif
