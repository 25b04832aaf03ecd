/* SPDX-License-Identifier: Apache-2.0 */
/* Memory plan: offsets in one arena from first and last use.
 *
 * Largest first, each at the lowest offset that is free for its whole life among those
 * already placed.  This greedy-by-size rule is within a few percent of the lower bound
 * on networks like ours (Pisarchyk and Lee 2020, https://arxiv.org/abs/2001.03288). */
#include <stdlib.h>

#include "engine/plan.h"

enum { ALIGN = 64 };

static int by_size(const void *a, const void *b) /* largest first, then the earliest */
{
    const afn_interval *const *x = a, *const *y = b;
    if ((*x)->bytes != (*y)->bytes) return (*x)->bytes < (*y)->bytes ? 1 : -1;
    if ((*x)->first != (*y)->first) return (*x)->first < (*y)->first ? -1 : 1;
    return *x < *y ? -1 : 1;
}

static bool overlap_in_time(const afn_interval *a, const afn_interval *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Insert into the list sorted by offset. */
static void insert_by_offset(afn_interval **placed, int n, afn_interval *v)
{
    int at = n;
    while (at > 0 && placed[at - 1]->offset > v->offset) {
        placed[at] = placed[at - 1];
        at--;
    }
    placed[at] = v;
}

/* Lowest gap that v fits in; placed is sorted by offset. */
static size_t lowest_gap(afn_interval *const *placed, int n, const afn_interval *v)
{
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        const afn_interval *p = placed[i];
        if (!overlap_in_time(p, v)) continue;
        if (p->offset >= at + v->bytes) break; /* the gap before p is wide enough */
        if (p->offset + p->bytes > at) at = p->offset + p->bytes;
    }
    return at;
}

afn_status afn_memory_place(afn_interval *v, int n, size_t *total)
{
    afn_status st = AFN_OK;
    *total = 0;
    afn_interval **order = afn_alloc_array((size_t)n, sizeof *order);
    afn_interval **placed = afn_alloc_array((size_t)n, sizeof *placed);
    AFN_REQUIRE(order && placed, AFN_ENOMEM, "out of memory");
    for (int i = 0; i < n; i++) {
        v[i].bytes = (v[i].bytes + ALIGN - 1) / ALIGN * ALIGN;
        order[i] = &v[i];
    }
    if (n) qsort(order, (size_t)n, sizeof *order, by_size);
    for (int i = 0; i < n; i++) {
        order[i]->offset = lowest_gap(placed, i, order[i]);
        insert_by_offset(placed, i, order[i]);
        const size_t end = order[i]->offset + order[i]->bytes;
        if (end > *total) *total = end;
    }
done:
    afn_free(order);
    afn_free(placed);
    return st;
}
