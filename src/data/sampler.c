/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which an epoch sees its samples. */
#include "data/data.h"

#include "data/dataset.h"

void afn_data__epoch_order(int64_t *order, int64_t n, uint64_t seed, int64_t epoch)
{
    assert(epoch >= 0 && epoch < AFN_MAX_EPOCHS);
    afn_rng rng =
        afn_rng_new(seed, afn_rng_stream(AFN_RNG_SHUFFLE, (uint32_t)epoch, 0));
    for (int64_t i = 0; i < n; i++) order[i] = i;
    afn_rng_shuffle(&rng, order, n);
}

/* Samples by class: those of class c are order[start[c] .. start[c+1]-1]. */
static void group_by_class(const afn_dataset *d, int64_t *start, int64_t *order)
{
    for (int64_t i = 0; i < d->count; i++) start[d->label[i] + 1]++;
    for (int c = 0; c < d->n_classes; c++) start[c + 1] += start[c];
    for (int64_t i = 0; i < d->count; i++) order[start[d->label[i]]++] = i;
    for (int c = d->n_classes; c > 0; c--) start[c] = start[c - 1];
    start[0] = 0;
}

/* A class, then a sample of it: what torch.utils.data.WeightedRandomSampler draws where
 * each sample's weight is 1 / (samples of its class). */
afn_status afn_data__balanced_order(int64_t *order, const afn_dataset *d, uint64_t seed,
                                    int64_t epoch)
{
    afn_status st = AFN_OK;
    int n_classes = 0; /* that have samples */
    afn_rng rng =
        afn_rng_new(seed, afn_rng_stream(AFN_RNG_SHUFFLE, (uint32_t)epoch, 1));
    int64_t *start = afn_alloc_array((size_t)d->n_classes + 1, sizeof *start);
    int64_t *sample = afn_alloc_array((size_t)d->count, sizeof *sample);
    int *class = afn_alloc_array((size_t)d->n_classes, sizeof *class);
    AFN_REQUIRE(start && sample && class, AFN_ENOMEM, "out of memory");
    group_by_class(d, start, sample);
    for (int c = 0; c < d->n_classes; c++)
        if (start[c + 1] > start[c]) class[n_classes++] = c;
    for (int64_t k = 0; k < d->count; k++) {
        const int c = class[afn_rng_below(&rng, n_classes)];
        order[k] = sample[start[c] + afn_rng_below(&rng, start[c + 1] - start[c])];
    }
done:
    afn_free(start);
    afn_free(sample);
    afn_free(class);
    return st;
}

afn_status afn_epoch_order(int64_t *order, const afn_dataset *d,
                           const afn_loader_opts *o, int64_t epoch)
{
    if (o->balanced) return afn_data__balanced_order(order, d, o->seed, epoch);
    if (o->shuffle)
        afn_data__epoch_order(order, d->count, o->seed, epoch);
    else
        for (int64_t i = 0; i < d->count; i++) order[i] = i;
    return AFN_OK;
}
