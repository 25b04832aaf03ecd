/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which an epoch sees its samples. */
#include "data/data.h"

void afn_data__epoch_order(int64_t *order, int64_t n, uint64_t seed, int64_t epoch)
{
    assert(epoch >= 0 && epoch < AFN_MAX_EPOCHS);
    afn_rng rng =
        afn_rng_new(seed, afn_rng_stream(AFN_RNG_SHUFFLE, (uint32_t)epoch, 0));
    for (int64_t i = 0; i < n; i++) order[i] = i;
    afn_rng_shuffle(&rng, order, n);
}

void afn_epoch_order(int64_t *order, int64_t n, bool shuffle, uint64_t seed,
                     int64_t epoch)
{
    for (int64_t i = 0; i < n; i++) order[i] = i;
    if (shuffle) afn_data__epoch_order(order, n, seed, epoch);
}
