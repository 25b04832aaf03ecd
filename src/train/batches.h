/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: the batches of an epoch, with the features that a split plan
 * makes of them.  Once features of every sample are kept, no picture is decoded any
 * more; order and contents are the same either way. */
#ifndef AFN_TRAIN_BATCHES_H
#define AFN_TRAIN_BATCHES_H

#include "train/feature_cache.h"

typedef struct afn_batches {
    const afn_dataset *data;
    afn_loader_opts opts; /* batch at most the number of samples */
    afn_loader *loader;
    afn_plan *plan; /* makes features; borrowed, NULL = pixels are all that is wanted */
    afn_prefix prefix; /* of plan */
    afn_feature_cache cache;
    void *features; /* (batch, prefix.bytes) of the batch at hand */

    int views;           /* of each sample that are worth keeping, 0 = none is */
    int64_t first_epoch; /* with the first view */
    int view;            /* of the epoch at hand, 0 .. views-1 */

    int64_t *order; /* (count) of the epoch at hand, where it comes from the cache */
    int *labels;    /* (batch) */
    int64_t at;     /* samples of it handed out */
    bool cached;    /* it does */
} afn_batches;

/* Memory     borrows the data set until ..._close() */
afn_status afn_batches_open(afn_batches *b, const afn_dataset *d,
                            const afn_preprocess *p, const afn_loader_opts *opts);
void afn_batches_close(afn_batches *b); /* a zeroed one is a no-op */

/* Augment in another way for so many epochs from first_epoch on; before a split. */
afn_status afn_batches_augment(afn_batches *b, const afn_augment_opts *o,
                               int64_t first_epoch, int epochs);

/* Split a plan at its frozen prefix and make features with it from now on, until
 * ..._join() or the plan's end.
 *   changes  as for afn_plan_split()
 *   room     for keeping them, NULL = they are made anew in each epoch */
afn_status afn_batches_split(afn_batches *b, afn_plan *plan, const bool *changes,
                             const afn_cache_room *room);
void afn_batches_join(afn_batches *b);

int64_t afn_batches_count(const afn_batches *b); /* batches of an epoch */

afn_status afn_batches_start(afn_batches *b, int64_t epoch);

/* How many of the epoch's batches are done with, and an epoch just started from there.
 */
int64_t afn_batches_at(const afn_batches *b);
void afn_batches_skip(afn_batches *b, int64_t n);

/* The next batch, n = 0 after the last one; all pointers live until the next call.
 *   batch    pixels are NULL where nothing was decoded
 *   features (n, prefix.bytes), NULL without a split plan */
afn_status afn_batches_next(afn_batches *b, afn_batch *batch, const void **features);

#endif
