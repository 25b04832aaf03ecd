/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of near-duplicates, without comparing every pair.
 *
 * Hashes that differ in at most 10 of 64 bits differ in at most 2 of some 16 bits of
 * the four that they are made of.  So samples are sorted by 16 bits, and a sample is
 * compared with those whose 16 bits are its own with up to two of them turned: 137
 * places, which of 100,000 samples hold 200 on average.
 * Source     Norouzi et al. 2012, "Fast search in Hamming space with multi-index
 *            hashing" */
#include <stdlib.h>

#include "base/base.h"
#include "data/look.h"

enum { BAND = 16, N_BANDS = 4, N_PLACES = 1 << BAND, N_MASKS = 1 + 16 + 120 };

/* Samples by one band of their hash: those at place p are order[start[p] ..
 * start[p+1]-1]. */
typedef struct places {
    int64_t *start; /* [N_PLACES + 1] */
    int64_t *order; /* [n] */
    int shift;
} places;

int64_t afn_data__set_of(int64_t *set, int64_t i)
{
    while (set[i] != i) {
        set[i] = set[set[i]];
        i = set[i];
    }
    return i;
}

void afn_data__join_sets(int64_t *set, int64_t a, int64_t b)
{
    const int64_t i = afn_data__set_of(set, a), k = afn_data__set_of(set, b);
    if (i < k)
        set[k] = i;
    else
        set[i] = k;
}

static int place_of(const places *p, const afn_look *look)
{
    return (int)(look->hash >> p->shift & (N_PLACES - 1));
}

/* Only samples that stand for themselves are sorted in. */
static void sort_in(places *p, const afn_look *look, const bool *alone, int64_t n)
{
    for (int v = 0; v <= N_PLACES; v++) p->start[v] = 0;
    for (int64_t i = 0; i < n; i++)
        if (alone[i]) p->start[place_of(p, &look[i]) + 1]++;
    for (int v = 0; v < N_PLACES; v++) p->start[v + 1] += p->start[v];
    for (int64_t i = 0; i < n; i++)
        if (alone[i]) p->order[p->start[place_of(p, &look[i])]++] = i;
    for (int v = N_PLACES; v > 0; v--) p->start[v] = p->start[v - 1];
    p->start[0] = 0;
}

/* All numbers of 16 bits with at most two set. */
static void make_masks(int mask[N_MASKS])
{
    int n = 0;
    mask[n++] = 0;
    for (int a = 0; a < BAND; a++) mask[n++] = 1 << a;
    for (int a = 0; a < BAND; a++)
        for (int b = 0; b < a; b++) mask[n++] = 1 << a | 1 << b;
    assert(n == N_MASKS);
}

static void search(int64_t *set, const afn_look *look, const places *p, int64_t i,
                   const int *mask)
{
    for (int m = 0; m < N_MASKS; m++) {
        const int v = place_of(p, &look[i]) ^ mask[m];
        for (int64_t k = p->start[v]; k < p->start[v + 1]; k++) {
            const int64_t other = p->order[k];
            if (other >= i) break; /* rising: the pair is looked at once */
            if (afn_data__set_of(set, other) == afn_data__set_of(set, i)) continue;
            if (afn_data__alike(&look[i], &look[other]))
                afn_data__join_sets(set, i, other);
        }
    }
}

typedef struct hashed {
    uint64_t hash;
    int64_t i;
} hashed;

static int by_hash(const void *pa, const void *pb)
{
    const hashed *a = pa, *b = pb;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return (a->i > b->i) - (a->i < b->i);
}

/* Plain copies first, of which there may be thousands: of those with the same hash, the
 * first stands for all that are like it. */
static afn_status join_copies(int64_t *set, bool *alone, const afn_look *look,
                              int64_t n)
{
    hashed *h = afn_alloc_array((size_t)n, sizeof *h);
    if (!h) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < n; i++) h[i] = (hashed){ look[i].hash, i };
    qsort(h, (size_t)n, sizeof *h, by_hash);
    for (int64_t k = 0, first = 0; k < n; k++) {
        if (h[k].hash != h[first].hash || !look[h[first].i].usable) first = k;
        alone[h[k].i] = look[h[k].i].usable;
        if (k == first || !afn_data__alike(&look[h[first].i], &look[h[k].i])) continue;
        afn_data__join_sets(set, h[first].i, h[k].i);
        alone[h[k].i] = false;
    }
    afn_free(h);
    return AFN_OK;
}

afn_status afn_data__group_alike(int64_t *group, const afn_look *look, int64_t n)
{
    afn_status st = AFN_OK;
    int mask[N_MASKS];
    bool *alone = afn_alloc_array((size_t)n, sizeof *alone);
    places p = { .start = afn_alloc_array(N_PLACES + 1, sizeof *p.start),
                 .order = afn_alloc_array((size_t)n, sizeof *p.order) };
    AFN_REQUIRE(alone && p.start && p.order, AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < n; i++) group[i] = i;
    make_masks(mask);
    AFN_TRY(join_copies(group, alone, look, n));
    for (p.shift = 0; p.shift < BAND * N_BANDS; p.shift += BAND) {
        sort_in(&p, look, alone, n);
        for (int64_t i = 0; i < n; i++)
            if (alone[i]) search(group, look, &p, i, mask);
    }
    for (int64_t i = 0; i < n; i++) group[i] = afn_data__set_of(group, i);
done:
    afn_free(alone);
    afn_free(p.start);
    afn_free(p.order);
    return st;
}
