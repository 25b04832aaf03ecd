/* SPDX-License-Identifier: Apache-2.0 */
/* How large the pictures of a set are, from the headers of some of them. */
#include <stdlib.h>

#include "data/data.h"
#include "data/dataset.h"

typedef struct size {
    int64_t width, height;
} size;

static int by_area(const void *a, const void *b)
{
    const size *x = a, *y = b;
    const double p = (double)x->width * (double)x->height,
                 q = (double)y->width * (double)y->height;
    return (p > q) - (p < q);
}

/* Zeroed where it cannot be read: somebody else will complain. */
static size size_of(const afn_dataset *d, int64_t i)
{
    size s = { 0 };
    afn_stored stored = { 0 };
    afn_image_info info = { 0 };
    if (afn_data__load(d, i, &stored) == AFN_OK) {
        if (!stored.width) afn_image_describe(&info, stored.data, stored.size);
        s = stored.width ? (size){ stored.width, stored.height }
                         : (size){ info.width, info.height };
    }
    afn_data__unload(&stored);
    return s;
}

afn_status afn_dataset_sizes(afn_picture_sizes *out, const afn_dataset *d, int64_t most)
{
    *out = (afn_picture_sizes){ 0 };
    if (d->made_up || !d->count || most < 1) return AFN_OK;
    const int64_t n = most < d->count ? most : d->count;
    size *all = afn_alloc_array((size_t)n, sizeof *all);
    if (!all) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int64_t k = 0; k < n; k++) {
        const size s = size_of(d, k * d->count / n); /* evenly over all of them */
        if (s.width > 0 && s.height > 0) all[out->pictures++] = s;
    }
    if (out->pictures) {
        qsort(all, (size_t)out->pictures, sizeof *all, by_area);
        const size picked[3] = { all[0], all[out->pictures / 2],
                                 all[out->pictures - 1] };
        for (int i = 0; i < 3; i++) {
            out->width[i] = picked[i].width;
            out->height[i] = picked[i].height;
        }
    }
    afn_free(all);
    return AFN_OK;
}
