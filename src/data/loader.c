/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of an epoch, made when they are asked for.
 *
 * The rule: while a kernel runs, the loader does not.  Kernels divide their work evenly
 * among all processors in advance, so a thread that decodes beside them does not use
 * what is left over: it makes every kernel wait for the one processor it shares.  An
 * image costs the same whenever it is decoded, so nothing is lost by decoding a batch
 * between two steps, on all processors at once, and the kernels' time is then theirs.
 *
 * It runs on the kernels' own pool of threads.  One more pool would have to wait until
 * that one's threads, which stay awake for a while after a kernel, give way.
 *
 * What it gives up is reading a slow disk beside the computing: the system's cache is
 * counted upon.
 *
 * Whichever thread takes a sample, its pixels and its error end up in one place, so
 * batches do not depend on the number of threads.  A sample that cannot be read does
 * not stop the others: what the reader is told is the first in order, not in time. */
#include <stdio.h>
#include <string.h>

#include "data/mix.h"

enum { MAX_THREADS = 256, TEXT_BYTES = 1024 };

struct afn_loader {
    const afn_dataset *data;
    afn_preprocess preprocess;
    afn_loader_opts opts; /* batch at most the number of samples, threads not 0 */
    int64_t total;        /* samples of an epoch; fewer than there are with drop_last */
    int64_t n_batches;    /* of an epoch */
    size_t image_bytes;   /* crop * crop * 3 */
    int64_t *order;       /* (count) the epoch's samples */
    bool started;
    int64_t given; /* batches handed out of this epoch */

    afn_augment *augment;
    int64_t epoch;  /* at hand */
    uint8_t *saved; /* (crop, crop, 3) for mixing, NULL = never mixed */
    int *other;     /* (batch) likewise */

    uint8_t *pixels; /* (batch, crop, crop, 3) */
    int *labels;     /* (batch) */
    int64_t *index;  /* (batch) samples of the data set */

    afn_mutex lock;  /* guards what follows, while a batch is made */
    int64_t bad;     /* first row that cannot be read, batch = none */
    afn_status code; /* of that row, with its message */
    char text[TEXT_BYTES];
};

afn_loader_opts afn_loader_defaults(void)
{
    return (afn_loader_opts){ .batch = 32, .shuffle = true };
}

/* ---- one batch ---- */

static int64_t size_of(const afn_loader *l, int64_t batch)
{
    const int64_t rest = l->total - batch * l->opts.batch;
    return rest < l->opts.batch ? rest : l->opts.batch;
}

static afn_status read_pixels(const afn_loader *l, int64_t i, uint8_t *pixels)
{
    afn_image image = { 0 };
    char name[TEXT_BYTES / 2];
    const afn_decode_opts decoding = afn_preprocess_decoding(&l->preprocess);
    const int views = l->opts.augment.views;
    const afn_augment_draw at = { .seed = l->opts.seed,
                                  .epoch = views ? l->epoch % views : l->epoch,
                                  .sample = i };
    afn_status st = afn_dataset_read(l->data, i, &decoding, &image);
    if (st != AFN_OK) return st;
    st = afn_augment_apply(l->augment, &l->preprocess, &image, &at, pixels);
    afn_image_free(&image);
    if (st == AFN_OK) return AFN_OK;
    return afn_context(st, "%s",
                       afn_dataset_sample_name(l->data, i, name, sizeof name));
}

static void note_failure(afn_loader *l, int64_t row, afn_status st)
{
    afn_mutex_lock(&l->lock);
    if (row < l->bad) {
        l->bad = row;
        l->code = st;
        snprintf(l->text, sizeof l->text, "%s", afn_error_message());
    }
    afn_mutex_unlock(&l->lock);
}

/* Fill a row of the batch that is next; called by many threads at once. */
static void make_row(void *user, int64_t row)
{
    afn_loader *l = user;
    const int64_t i = l->order[l->given * l->opts.batch + row];
    l->index[row] = i;
    l->labels[row] = afn_dataset_label(l->data, i);
    const afn_status st = read_pixels(l, i, l->pixels + (size_t)row * l->image_bytes);
    if (st != AFN_OK) note_failure(l, row, st);
}

/* ---- making ---- */

static afn_status check(const afn_loader *l)
{
    const afn_loader_opts *o = &l->opts;
    if (o->batch < 1)
        return afn_fail(AFN_EINVAL, "batch of %lld, need at least 1",
                        (long long)o->batch);
    if (o->threads < 0 || o->threads > MAX_THREADS)
        return afn_fail(AFN_EINVAL, "%d threads, need 0 to %d", o->threads,
                        (int)MAX_THREADS);
    return afn_image__check_preprocess(&l->preprocess);
}

/* What follows from the options. */
static void measure(afn_loader *l)
{
    const int64_t count = afn_dataset_count(l->data), batch = l->opts.batch;
    l->total = l->opts.drop_last ? count - count % batch : count;
    l->n_batches = l->total / batch + (l->total % batch ? 1 : 0);
    if (batch > count) l->opts.batch = count > 0 ? count : 1; /* the same, and small */
    if (!l->opts.threads) l->opts.threads = afn_cpu_count();
    l->image_bytes = (size_t)l->preprocess.crop * (size_t)l->preprocess.crop * 3;
}

static afn_status allocate(afn_loader *l)
{
    size_t bytes;
    const size_t batch = (size_t)l->opts.batch;
    l->order = afn_alloc_array((size_t)afn_dataset_count(l->data), sizeof *l->order);
    if (!l->order || !afn_mul_size(&bytes, batch, l->image_bytes))
        return afn_fail(AFN_ENOMEM, "out of memory");
    if (!l->n_batches) return AFN_OK;
    l->pixels = afn_alloc_aligned(bytes);
    l->labels = afn_alloc_array(batch, sizeof *l->labels);
    l->index = afn_alloc_array(batch, sizeof *l->index);
    if (!l->pixels || !l->labels || !l->index)
        return afn_fail(AFN_ENOMEM, "out of memory for batches of %lld images",
                        (long long)l->opts.batch);
    return AFN_OK;
}

afn_status afn_loader_new(afn_loader **out, const afn_dataset *d,
                          const afn_preprocess *p, const afn_loader_opts *opts)
{
    afn_status st = AFN_OK;
    *out = NULL;
    afn_loader *l = afn_alloc(sizeof *l);
    AFN_REQUIRE(l, AFN_ENOMEM, "out of memory");
    afn_mutex_init(&l->lock);
    l->data = d;
    l->preprocess = *p;
    l->opts = opts ? *opts : afn_loader_defaults();
    AFN_TRY(check(l));
    measure(l);
    AFN_TRY(allocate(l));
    AFN_TRY(afn_loader_set_augment(l, &l->opts.augment));
    *out = l;
    l = NULL;
done:
    afn_loader_free(l);
    return afn_context(st, "loader");
}

static afn_status prepare_mixing(afn_loader *l)
{
    if (!l->n_batches) return AFN_OK;
    if (!l->saved) l->saved = afn_alloc_aligned(l->image_bytes);
    if (!l->other) l->other = afn_alloc_array((size_t)l->opts.batch, sizeof *l->other);
    return l->saved && l->other ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

afn_status afn_loader_set_augment(afn_loader *l, const afn_augment_opts *o)
{
    afn_status st = AFN_OK;
    afn_augment *a = NULL;
    AFN_TRY(afn_augment_check(o));
    AFN_TRY(afn_augment_new(&a, o->spec));
    if (o->mixup > 0 || o->cutmix > 0) AFN_TRY(prepare_mixing(l));
    l->opts.augment = *o;
    l->opts.augment.spec = NULL; /* the caller's: what it says is in l->augment */
    afn_augment_free(l->augment);
    l->augment = a;
    l->started = false;
    a = NULL;
done:
    afn_augment_free(a);
    return st;
}

void afn_loader_free(afn_loader *l)
{
    if (!l) return;
    afn_free(l->pixels);
    afn_free(l->labels);
    afn_free(l->index);
    afn_free(l->order);
    afn_free(l->saved);
    afn_free(l->other);
    afn_augment_free(l->augment);
    afn_mutex_free(&l->lock);
    afn_free(l);
}

/* ---- reading ---- */

int64_t afn_loader_batches(const afn_loader *l)
{
    return l->n_batches;
}

afn_status afn_loader_start(afn_loader *l, int64_t epoch)
{
    const int64_t count = afn_dataset_count(l->data);
    if (epoch < 0 || epoch >= AFN_MAX_EPOCHS)
        return afn_fail(AFN_EINVAL, "epoch %lld, need 0 to %lld", (long long)epoch,
                        (long long)AFN_MAX_EPOCHS - 1);
    if (l->opts.shuffle)
        afn_data__epoch_order(l->order, count, l->opts.seed, epoch);
    else
        for (int64_t i = 0; i < count; i++) l->order[i] = i;
    l->epoch = epoch;
    l->given = 0;
    l->started = true;
    return AFN_OK;
}

/* Mix the batch that was made, as its number says. */
static void mix(const afn_loader *l, afn_batch *batch)
{
    const afn_augment_draw at = { .seed = l->opts.seed, .epoch = l->epoch };
    const int64_t side = l->preprocess.crop;
    const afn_mix m = afn_mix_draw(&l->opts.augment, &at, l->given, side);
    if (!m.on) return;
    const afn_mix_pixels p = { l->pixels, l->saved, batch->n, side };
    afn_mix_run(&m, &p, l->opts.threads);
    afn_mix_labels(l->other, l->labels, batch->n);
    batch->other = l->other;
    batch->share = m.share;
}

afn_status afn_loader_next(afn_loader *l, afn_batch *batch)
{
    *batch = (afn_batch){ 0 };
    if (!l->started) return afn_fail(AFN_EINVAL, "loader: no epoch was started");
    if (l->given == l->n_batches) return AFN_OK;

    const int64_t n = size_of(l, l->given);
    l->bad = n;
    afn_parallel_each(n, l->opts.threads, make_row, l);
    if (l->bad < n) return afn_fail(l->code, "%s", l->text);

    *batch = (afn_batch){
        .n = n, .pixels = l->pixels, .labels = l->labels, .index = l->index
    };
    mix(l, batch);
    l->given++;
    return AFN_OK;
}
