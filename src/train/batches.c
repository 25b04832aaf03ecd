/* SPDX-License-Identifier: Apache-2.0 */
#include "train/batches.h"

afn_status afn_batches_open(afn_batches *b, const afn_dataset *d,
                            const afn_preprocess *p, const afn_loader_opts *opts)
{
    afn_status st = AFN_OK;
    const int64_t count = afn_dataset_count(d);
    *b = (afn_batches){ .data = d, .opts = *opts, .views = 1 };
    if (count && b->opts.batch > count) b->opts.batch = count;
    AFN_TRY(afn_loader_new(&b->loader, d, p, &b->opts));
    b->order = afn_alloc_array((size_t)count, sizeof *b->order);
    b->labels = afn_alloc_array((size_t)b->opts.batch, sizeof *b->labels);
    AFN_REQUIRE(b->order && b->labels, AFN_ENOMEM, "out of memory");
done:
    if (st != AFN_OK) afn_batches_close(b);
    return st;
}

void afn_batches_close(afn_batches *b)
{
    afn_batches_join(b);
    afn_loader_free(b->loader);
    afn_free(b->order);
    afn_free(b->labels);
    *b = (afn_batches){ 0 };
}

/* Views of a sample that come again; a view that does not is worth nothing. */
static afn_status count_views(int *out, const afn_augment_opts *o, int epochs)
{
    afn_augment *a;
    *out = 0;
    if (o->mixup > 0 || o->cutmix > 0) return AFN_OK; /* pictures, not features, mix */
    const afn_status st = afn_augment_new(&a, o->spec);
    if (st != AFN_OK) return st;
    const bool plain = !*afn_augment_text(a);
    *out = plain ? 1 : o->views < epochs ? o->views : epochs;
    if (!plain && !o->views) *out = 0;
    afn_augment_free(a);
    return AFN_OK;
}

afn_status afn_batches_augment(afn_batches *b, const afn_augment_opts *o,
                               int64_t first_epoch, int epochs)
{
    const afn_status st = count_views(&b->views, o, epochs);
    if (st != AFN_OK) return st;
    b->opts.augment = *o;
    b->first_epoch = first_epoch;
    return afn_loader_set_augment(b->loader, o);
}

/* Make room for what comes again. */
static void open_cache(afn_batches *b, const afn_cache_room *room)
{
    const afn_augment_opts *o = &b->opts.augment;
    const afn_cache_size size = { .samples = afn_dataset_count(b->data),
                                  .views = b->views,
                                  .bytes = b->prefix.bytes,
                                  .macs = b->prefix.macs };
    if (b->views)
        afn_feature_cache_open(&b->cache, &size, room);
    else
        afn_feature_cache_refuse(&b->cache, o->mixup > 0 || o->cutmix > 0
                                                ? "the images of a batch are mixed"
                                                : "augmented anew in each epoch");
}

afn_status afn_batches_split(afn_batches *b, afn_plan *plan, const bool *changes,
                             const afn_cache_room *room)
{
    afn_status st = AFN_OK;
    afn_batches_join(b);
    AFN_TRY(afn_plan_split(plan, changes, &b->prefix));
    if (!b->prefix.bytes) goto done;
    b->plan = plan;
    b->features = afn_alloc_aligned((size_t)b->opts.batch * b->prefix.bytes);
    AFN_REQUIRE(b->features, AFN_ENOMEM, "out of memory");
    if (room) open_cache(b, room);
done:
    return st;
}

void afn_batches_join(afn_batches *b)
{
    afn_feature_cache_close(&b->cache);
    afn_free(b->features);
    b->features = NULL;
    b->plan = NULL;
    b->prefix = (afn_prefix){ 0 };
    b->cached = false;
}

int64_t afn_batches_count(const afn_batches *b)
{
    return afn_loader_batches(b->loader);
}

afn_status afn_batches_start(afn_batches *b, int64_t epoch)
{
    b->view = b->views ? (int)((epoch - b->first_epoch) % b->views) : 0;
    b->cached =
        afn_feature_cache_is_full(&b->cache, b->view, afn_loader_bad(b->loader));
    if (!b->cached) return afn_loader_start(b->loader, epoch);
    b->at = 0;
    return afn_epoch_order(b->order, b->data, &b->opts, epoch);
}

int64_t afn_batches_at(const afn_batches *b)
{
    if (!b->cached) return afn_loader__given(b->loader);
    return (b->at + b->opts.batch - 1) / b->opts.batch;
}

void afn_batches_skip(afn_batches *b, int64_t n)
{
    const int64_t count = afn_dataset_count(b->data);
    if (!b->cached) {
        afn_loader__skip(b->loader, n);
        return;
    }
    b->at = n * b->opts.batch < count ? n * b->opts.batch : count;
}

/* The samples of one of the loader's batches, without those that cannot be read. */
static void next_cached(afn_batches *b, afn_batch *batch)
{
    const int64_t left = afn_dataset_count(b->data) - b->at;
    const int64_t all = left < b->opts.batch ? left : b->opts.batch;
    int64_t *index = b->order + b->at, n = 0;
    for (int64_t i = 0; i < all; i++)
        if (!afn_loader__is_bad(b->loader, index[i])) index[n++] = index[i];
    *batch = (afn_batch){ .n = n, .labels = b->labels, .index = index };
    for (int64_t i = 0; i < n; i++) b->labels[i] = afn_dataset_label(b->data, index[i]);
    b->at += all;
}

/* Kept features, or new ones that are then kept. */
static afn_status find_features(afn_batches *b, const afn_batch *batch)
{
    if (afn_feature_cache_has(&b->cache, b->view, batch->index, batch->n)) {
        afn_feature_cache_get(&b->cache, b->view, batch->index, batch->n, b->features);
        return AFN_OK;
    }
    const afn_status st =
        afn_plan_run_prefix(b->plan, batch->pixels, batch->n, b->features);
    if (st == AFN_OK)
        afn_feature_cache_put(&b->cache, b->view, batch->index, batch->n, b->features);
    return st;
}

afn_status afn_batches_next(afn_batches *b, afn_batch *batch, const void **features)
{
    afn_status st = AFN_OK;
    const int64_t count = afn_dataset_count(b->data);
    *features = NULL;
    if (b->cached) do
            next_cached(b, batch);
        while (!batch->n && b->at < count);
    else
        AFN_TRY(afn_loader_next(b->loader, batch));
    if (!batch->n || !b->plan) goto done;
    AFN_TRY(find_features(b, batch));
    *features = b->features;
done:
    return st;
}
