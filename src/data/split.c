/* SPDX-License-Identifier: Apache-2.0 */
/* Training and validation parts: those that a data set comes with, or a seeded split
 * that takes the same fraction of every class.  Both parts keep the data set's order.
 */
#include <math.h>
#include <string.h>

#include "data/data.h"
#include "data/dataset.h"

/* ---- parts that exist ---- */

static int find_class(const afn_dataset *d, const char *name)
{
    for (int i = 0; i < d->n_classes; i++)
        if (strcmp(d->class_name[i], name) == 0) return i;
    return -1;
}

/* Number val's classes as train does; classes that val lacks get no samples. */
static afn_status adopt_classes(afn_dataset *val, const afn_dataset *train)
{
    afn_status st = AFN_OK;
    int *map = afn_alloc_array((size_t)val->n_classes, sizeof *map);
    AFN_REQUIRE(map, AFN_ENOMEM, "out of memory");
    for (int i = 0; i < val->n_classes; i++) {
        map[i] = find_class(train, val->class_name[i]);
        AFN_REQUIRE(map[i] >= 0, AFN_EINVAL,
                    "validation images have class %s, training images have not",
                    val->class_name[i]);
    }
    AFN_TRY(afn_data__set_classes(val, (const char *const *)train->class_name,
                                  train->n_classes));
    for (int64_t i = 0; i < val->count; i++) val->label[i] = map[val->label[i]];
done:
    afn_free(map);
    return st;
}

/* ---- parts to be drawn ---- */

/* Samples of every class: those of class c are order[start[c] .. start[c+1]-1]. */
static void group_by_class(const afn_dataset *d, int64_t *start, int64_t *order)
{
    for (int64_t i = 0; i < d->count; i++) start[d->label[i] + 1]++;
    for (int c = 0; c < d->n_classes; c++) start[c + 1] += start[c];
    for (int64_t i = 0; i < d->count; i++) order[start[d->label[i]]++] = i;
    for (int c = d->n_classes; c > 0; c--) start[c] = start[c - 1];
    start[0] = 0;
}

/* How many of n images of a class go to validation: never all, never none of two. */
static int64_t share_of(int64_t n, double fraction)
{
    if (n < 2) return 0;
    const int64_t k = (int64_t)floor(fraction * (double)n + 0.5);
    return k < 1 ? 1 : k > n - 1 ? n - 1 : k;
}

/* Mark the samples that go to validation; returns how many.
 *   start    (n_classes + 1), zeroed: room to work in, as is order (count) */
static int64_t draw(bool *chosen, const afn_dataset *d, int64_t *start, int64_t *order,
                    double fraction, uint64_t seed)
{
    int64_t total = 0;
    group_by_class(d, start, order);
    for (int c = 0; c < d->n_classes; c++) {
        const int64_t n = start[c + 1] - start[c], k = share_of(n, fraction);
        afn_rng rng = afn_rng_new(seed, afn_rng_stream(AFN_RNG_SPLIT, (uint32_t)c, 0));
        afn_rng_shuffle(&rng, order + start[c], n);
        for (int64_t i = 0; i < k; i++) chosen[order[start[c] + i]] = true;
        total += k;
    }
    return total;
}

/* The samples whose mark is `want`. */
static afn_status part(afn_dataset **out, afn_dataset *whole, const bool *chosen,
                       bool want, int64_t *index)
{
    int64_t n = 0;
    for (int64_t i = 0; i < whole->count; i++)
        if (chosen[i] == want) index[n++] = i;
    return afn_data__subset(out, whole, index, n);
}

static afn_status split(afn_dataset **train, afn_dataset **val, afn_dataset *whole,
                        double fraction, uint64_t seed)
{
    afn_status st = AFN_OK;
    const size_t n = (size_t)whole->count;
    bool *chosen = afn_alloc_array(n, sizeof *chosen);
    int64_t *start = afn_alloc_array((size_t)whole->n_classes + 1, sizeof *start);
    int64_t *order = afn_alloc_array(n, sizeof *order);
    AFN_REQUIRE(chosen && start && order, AFN_ENOMEM, "out of memory");
    const int64_t drawn = draw(chosen, whole, start, order, fraction, seed);
    AFN_REQUIRE(drawn, AFN_EINVAL, "no class has two images to split");
    AFN_TRY(part(train, whole, chosen, false, order));
    AFN_TRY(part(val, whole, chosen, true, order));
done:
    afn_free(chosen);
    afn_free(start);
    afn_free(order);
    return st;
}

afn_status afn_dataset_open_split(afn_dataset **train, afn_dataset **val,
                                  const char *spec, double fraction, uint64_t seed)
{
    afn_status st = AFN_OK;
    const afn_dataset_ops *kind;
    const char *rest;
    afn_dataset *whole = NULL;

    *train = *val = NULL;
    AFN_REQUIRE(fraction >= 0 && fraction < 1, AFN_EINVAL,
                "validation fraction %g, need 0 to below 1", fraction);
    AFN_TRY(afn_data__kind(&kind, &rest, spec));
    if (kind->open_parts) AFN_TRY(kind->open_parts(train, val, rest));
    if (*train) {
        AFN_TRY(afn_context(adopt_classes(*val, *train), "%s", rest));
        goto done;
    }
    AFN_TRY(kind->open(&whole, rest));
    if (fraction == 0) {
        *train = whole;
        whole = NULL;
        goto done;
    }
    AFN_TRY(afn_context(split(train, val, whole, fraction, seed), "%s", spec));
done:
    if (st != AFN_OK) {
        afn_dataset_free(*train);
        afn_dataset_free(*val);
        *train = *val = NULL;
    }
    afn_dataset_free(whole);
    return st;
}
