/* SPDX-License-Identifier: Apache-2.0 */
/* A sample may come twice in a batch, so that two threads have it at once: the first to
 * claim its place writes, the other leaves it alone. */
#include "data/kept.h"

#include <string.h>

enum { NOTHING, BEING_WRITTEN, THERE };

void afn_kept_open(afn_kept *k, int64_t n, size_t bytes, int64_t memory)
{
    *k = (afn_kept){ 0 };
    if (memory < 0) memory = afn_memory_available() / 4;
    const int64_t fit = (int64_t)((size_t)memory / bytes);
    k->count = n < fit ? n : fit;
    k->bytes = bytes;
    if (!k->count) return;
    k->pixels = afn_alloc_aligned((size_t)k->count * bytes);
    k->state = afn_alloc_array((size_t)k->count, sizeof *k->state);
    if (!k->pixels || !k->state) afn_kept_close(k);
}

void afn_kept_close(afn_kept *k)
{
    afn_free(k->pixels);
    afn_free(k->state);
    *k = (afn_kept){ 0 };
}

bool afn_kept_has(const afn_kept *k, int64_t i)
{
    return i < k->count &&
           atomic_load_explicit(&k->state[i], memory_order_acquire) == THERE;
}

bool afn_kept_get(const afn_kept *k, int64_t i, uint8_t *pixels)
{
    if (!afn_kept_has(k, i)) return false;
    memcpy(pixels, k->pixels + (size_t)i * k->bytes, k->bytes);
    return true;
}

void afn_kept_put(afn_kept *k, int64_t i, const uint8_t *pixels)
{
    char expected = NOTHING;
    if (i >= k->count ||
        !atomic_compare_exchange_strong(&k->state[i], &expected, BEING_WRITTEN))
        return;
    memcpy(k->pixels + (size_t)i * k->bytes, pixels, k->bytes);
    atomic_store_explicit(&k->state[i], THERE, memory_order_release);
}
