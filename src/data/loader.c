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
 * What a slow disk has to read for the batches to come is asked for meanwhile, by a
 * thread that sleeps nearly all the time: see ahead.c.  Pictures that fit into memory
 * and are not augmented are made once: see kept.c.
 *
 * Whichever thread takes a sample, its pixels and its error end up in one place, so
 * batches do not depend on the number of threads.  A sample that cannot be read leaves
 * its row empty; rows then move up, so that the batch is smaller.  Batches are cut from
 * the epoch's order before that is known: which samples make one does not depend on
 * what happened before, and a run that is taken up again in the middle sees the same.
 */
#include <stdio.h>
#include <string.h>

#include "data/ahead.h"
#include "data/data.h"
#include "data/kept.h"
#include "data/mix.h"

enum { MAX_THREADS = 256, MAX_AHEAD = 64, TEXT_BYTES = 1024 };

struct afn_loader {
    const afn_dataset *data;
    afn_preprocess preprocess;
    afn_loader_opts opts; /* batch at most the number of samples, threads not 0 */
    int64_t total;        /* samples of an epoch; fewer than there are with drop_last */
    int64_t n_batches;    /* of an epoch */
    size_t image_bytes;   /* afn_preprocess_bytes() */
    int64_t *order;       /* (count) the epoch's samples */
    bool started;
    int64_t given; /* batches handed out of this epoch */

    afn_augment *augment;
    int64_t epoch;  /* at hand */
    uint8_t *saved; /* (crop, crop, channels) for mixing, NULL = never mixed */
    int *other;     /* (batch) likewise */

    uint8_t *pixels; /* (batch, crop, crop, channels) */
    int *labels;     /* (batch) */
    int64_t *index;  /* (batch) samples of the data set */

    bool *bad; /* [count] found to be unreadable */
    int64_t n_bad;
    char first_bad[TEXT_BYTES]; /* message of the first of them */
    int64_t given_samples;      /* of this epoch */
    afn_kept kept;
    afn_ahead *ahead;

    afn_status *code; /* (batch) how each row came out, */
    char **why;       /* (batch) and its message; owned, NULL where all is well */
};

afn_loader_opts afn_loader_defaults(void)
{
    return (afn_loader_opts){ .batch = 32, .shuffle = true, .keep = -1, .ahead = 2 };
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

/* Are pictures the same in every epoch, and so worth keeping? */
static bool is_plain(const afn_loader *l)
{
    return !*afn_augment_text(l->augment);
}

/* Fill a row of the batch that is next; called by many threads at once. */
static void make_row(void *user, int64_t row)
{
    afn_loader *l = user;
    const int64_t i = l->order[l->given * l->opts.batch + row];
    uint8_t *pixels = l->pixels + (size_t)row * l->image_bytes;
    l->index[row] = i;
    l->code[row] = AFN_EFORMAT; /* of what is known to be bad, without a message */
    if (l->bad[i]) return;
    l->code[row] = AFN_OK;
    if (is_plain(l) && afn_kept_get(&l->kept, i, pixels)) return;
    l->code[row] = read_pixels(l, i, pixels);
    if (l->code[row] == AFN_OK) {
        if (is_plain(l)) afn_kept_put(&l->kept, i, pixels);
    } else {
        l->why[row] = afn_strdup(afn_error_message());
        if (!l->why[row]) l->code[row] = AFN_ENOMEM;
    }
}

/* What cannot be gone on with: no memory; strictly, the first row that is bad. */
static afn_status check_rows(const afn_loader *l, int64_t n)
{
    for (int64_t row = 0; row < n; row++) {
        if (l->code[row] == AFN_ENOMEM)
            return afn_fail(AFN_ENOMEM, "%s",
                            l->why[row] ? l->why[row] : "out of memory");
        if (l->code[row] != AFN_OK && l->opts.strict)
            return afn_fail(l->code[row], "%s", l->why[row]);
    }
    return AFN_OK;
}

/* Note and name what is bad for the first time. */
static void note_bad(afn_loader *l, int64_t n)
{
    for (int64_t row = 0; row < n; row++) {
        const int64_t i = l->index[row];
        if (l->code[row] == AFN_OK || l->bad[i]) continue;
        afn_log(AFN_LOG_WARNING, "%s, skipped", l->why[row]);
        if (!l->n_bad) snprintf(l->first_bad, TEXT_BYTES, "%s", l->why[row]);
        l->bad[i] = true;
        l->n_bad++;
    }
}

static void forget_messages(afn_loader *l, int64_t n)
{
    for (int64_t row = 0; row < n; row++) {
        afn_free(l->why[row]);
        l->why[row] = NULL;
    }
}

/* Move the rows that are good up; returns how many. */
static int64_t close_gaps(afn_loader *l, int64_t n)
{
    int64_t good = 0;
    for (int64_t row = 0; row < n; row++) {
        if (l->code[row] != AFN_OK) continue;
        if (good < row)
            memcpy(l->pixels + (size_t)good * l->image_bytes,
                   l->pixels + (size_t)row * l->image_bytes, l->image_bytes);
        l->index[good] = l->index[row];
        l->labels[good] = afn_dataset_label(l->data, l->index[row]);
        good++;
    }
    return good;
}

/* ---- the disk ---- */

/* Have the samples of a batch read, where there is such a batch. */
static void read_ahead(afn_loader *l, int64_t batch)
{
    if (!l->ahead || batch >= l->n_batches) return;
    for (int64_t row = 0; row < size_of(l, batch); row++) {
        const int64_t i = l->order[batch * l->opts.batch + row];
        if (l->bad[i] || (is_plain(l) && afn_kept_has(&l->kept, i))) continue;
        afn_ahead_add(l->ahead, i);
    }
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
    if (o->ahead < 0 || o->ahead > MAX_AHEAD)
        return afn_fail(AFN_EINVAL, "%d batches ahead, need 0 to %d", o->ahead,
                        (int)MAX_AHEAD);
    if (o->keep < -1)
        return afn_fail(AFN_EINVAL, "%lld bytes for images", (long long)o->keep);
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
    l->image_bytes = afn_preprocess_bytes(&l->preprocess);
}

static afn_status allocate(afn_loader *l)
{
    size_t bytes;
    const size_t batch = (size_t)l->opts.batch;
    const int64_t count = afn_dataset_count(l->data);
    l->order = afn_alloc_array((size_t)count, sizeof *l->order);
    l->bad = afn_alloc_array((size_t)count, sizeof *l->bad);
    if (!l->order || !l->bad || !afn_mul_size(&bytes, batch, l->image_bytes))
        return afn_fail(AFN_ENOMEM, "out of memory");
    if (!l->n_batches) return AFN_OK;
    l->pixels = afn_alloc_aligned(bytes);
    l->labels = afn_alloc_array(batch, sizeof *l->labels);
    l->index = afn_alloc_array(batch, sizeof *l->index);
    l->code = afn_alloc_array(batch, sizeof *l->code);
    l->why = afn_alloc_array(batch, sizeof *l->why);
    if (!l->pixels || !l->labels || !l->index || !l->code || !l->why)
        return afn_fail(AFN_ENOMEM, "out of memory for batches of %lld images",
                        (long long)l->opts.batch);
    afn_kept_open(&l->kept, count, l->image_bytes, l->opts.keep);
    return afn_ahead_new(&l->ahead, l->data, l->opts.ahead * l->opts.batch);
}

afn_status afn_loader_new(afn_loader **out, const afn_dataset *d,
                          const afn_preprocess *p, const afn_loader_opts *opts)
{
    afn_status st = AFN_OK;
    *out = NULL;
    afn_loader *l = afn_alloc(sizeof *l);
    AFN_REQUIRE(l, AFN_ENOMEM, "out of memory");
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
    afn_ahead_free(l->ahead);
    afn_kept_close(&l->kept);
    afn_free(l->bad);
    afn_free(l->code);
    afn_free(l->why);
    afn_free(l->pixels);
    afn_free(l->labels);
    afn_free(l->index);
    afn_free(l->order);
    afn_free(l->saved);
    afn_free(l->other);
    afn_augment_free(l->augment);
    afn_free(l);
}

/* ---- going on with what another loader began ---- */

void afn_loader__set_bad(afn_loader *l, int64_t i)
{
    char name[TEXT_BYTES / 2];
    if (l->bad[i]) return;
    if (!l->n_bad)
        snprintf(l->first_bad, TEXT_BYTES, "%s",
                 afn_dataset_sample_name(l->data, i, name, sizeof name));
    l->bad[i] = true;
    l->n_bad++;
}

int64_t afn_loader__given(const afn_loader *l)
{
    return l->given;
}

void afn_loader__skip(afn_loader *l, int64_t n)
{
    if (n > l->n_batches) n = l->n_batches;
    for (int64_t batch = 0; batch < n; batch++)
        for (int64_t row = 0; row < size_of(l, batch); row++)
            l->given_samples += !l->bad[l->order[batch * l->opts.batch + row]];
    l->given = n;
    afn_ahead_clear(l->ahead);
    for (int64_t batch = n + 1; batch < n + l->opts.ahead; batch++)
        read_ahead(l, batch);
}

/* ---- reading ---- */

int64_t afn_loader_batches(const afn_loader *l)
{
    return l->n_batches;
}

afn_status afn_loader_start(afn_loader *l, int64_t epoch)
{
    if (epoch < 0 || epoch >= AFN_MAX_EPOCHS)
        return afn_fail(AFN_EINVAL, "epoch %lld, need 0 to %lld", (long long)epoch,
                        (long long)AFN_MAX_EPOCHS - 1);
    const afn_status st = afn_epoch_order(l->order, l->data, &l->opts, epoch);
    if (st != AFN_OK) return st;
    l->epoch = epoch;
    l->given = l->given_samples = 0;
    l->started = true;
    afn_ahead_clear(l->ahead);
    for (int batch = 1; batch < l->opts.ahead; batch++) read_ahead(l, batch);
    return AFN_OK;
}

/* Mix the batch that was made, as its number says. */
static void mix(const afn_loader *l, int64_t batch_number, afn_batch *batch)
{
    const afn_augment_draw at = { .seed = l->opts.seed, .epoch = l->epoch };
    const int64_t side = l->preprocess.crop;
    const afn_mix m = afn_mix_draw(&l->opts.augment, &at, batch_number, side);
    if (!m.on) return;
    const afn_mix_pixels p = { l->pixels, l->saved, batch->n, side,
                               afn_preprocess_channels(&l->preprocess) };
    afn_mix_run(&m, &p, l->opts.threads);
    afn_mix_labels(l->other, l->labels, batch->n);
    batch->other = l->other;
    batch->share = m.share;
}

/* Make the rows of the batch that is next; *good of them could be read. */
static afn_status make_batch(afn_loader *l, int64_t *good)
{
    afn_status st = AFN_OK;
    const int64_t n = size_of(l, l->given);
    read_ahead(l, l->given + l->opts.ahead);
    afn_parallel_each(n, l->opts.threads, make_row, l);
    AFN_TRY(check_rows(l, n));
    note_bad(l, n);
    *good = close_gaps(l, n);
    l->given++;
    l->given_samples += *good;
done:
    forget_messages(l, n);
    return st;
}

afn_status afn_loader_next(afn_loader *l, afn_batch *batch)
{
    afn_status st = AFN_OK;
    int64_t n = 0;
    *batch = (afn_batch){ 0 };
    AFN_REQUIRE(l->started, AFN_EINVAL, "loader: no epoch was started");
    while (!n && l->given < l->n_batches) AFN_TRY(make_batch(l, &n));
    AFN_REQUIRE(l->given_samples || !l->n_batches, AFN_EFORMAT,
                "no image can be read: %s", l->first_bad);
    if (!n) goto done;
    *batch = (afn_batch){
        .n = n, .pixels = l->pixels, .labels = l->labels, .index = l->index
    };
    mix(l, l->given - 1, batch);
done:
    return st;
}

int64_t afn_loader_bad(const afn_loader *l)
{
    return l->n_bad;
}

bool afn_loader__is_bad(const afn_loader *l, int64_t i)
{
    return l->bad[i];
}
