/* SPDX-License-Identifier: Apache-2.0 */
/* A choice of samples of another data set, which stays open as long as any choice of it
 * does: the two parts of a split may be freed in either order. */
#include <string.h>

#include "data/data.h"
#include "data/dataset.h"

typedef struct subset {
    afn_dataset base;
    afn_dataset *whole; /* one owner of it */
    int64_t *index;     /* [count] samples of whole */
} subset;

static afn_status subset_load(const afn_dataset *d, int64_t i, afn_stored *out)
{
    const subset *s = (const subset *)d;
    return s->whole->ops->load(s->whole, s->index[i], out);
}

static void subset_read_ahead(const afn_dataset *d, int64_t i)
{
    const subset *s = (const subset *)d;
    if (s->whole->ops->read_ahead) s->whole->ops->read_ahead(s->whole, s->index[i]);
}

static void subset_sample_name(const afn_dataset *d, int64_t i, char *buf, size_t bytes)
{
    const subset *s = (const subset *)d;
    afn_dataset_sample_name(s->whole, s->index[i], buf, bytes);
}

static void subset_close(afn_dataset *d)
{
    subset *s = (subset *)d;
    afn_dataset_free(s->whole);
    afn_free(s->index);
}

/* Not in the list of kinds: nobody asks for one by name. */
static const afn_dataset_ops subset_ops = {
    .kind = "subset",
    .load = subset_load,
    .read_ahead = subset_read_ahead,
    .sample_name = subset_sample_name,
    .close = subset_close,
};

afn_status afn_data__subset(afn_dataset **out, afn_dataset *whole, const int64_t *index,
                            int64_t n)
{
    afn_status st = AFN_OK;
    *out = NULL;
    subset *s = (subset *)afn_data__new(&subset_ops, sizeof *s);
    AFN_REQUIRE(s, AFN_ENOMEM, "out of memory");
    s->whole = afn_data__share(whole);
    s->index = afn_alloc_array((size_t)n, sizeof *s->index);
    s->base.label = afn_alloc_array((size_t)n, sizeof *s->base.label);
    AFN_REQUIRE(s->index && s->base.label, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_data__set_classes(&s->base, (const char *const *)whole->class_name,
                                  whole->n_classes));
    for (int64_t i = 0; i < n; i++) {
        s->index[i] = index[i];
        s->base.label[i] = whole->label[index[i]];
    }
    s->base.count = n;
    s->base.made_up = whole->made_up;
    *out = &s->base;
    s = NULL;
done:
    afn_dataset_free((afn_dataset *)s);
    return st;
}
