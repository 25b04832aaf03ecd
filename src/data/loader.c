/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of an epoch, made by threads that run ahead of their reader.
 *
 * The epoch is a list of samples.  A worker takes the next one that nobody has, decodes
 * it outside the lock and puts it where it belongs: batch b lives in slot b modulo the
 * number of slots.  Which worker takes which sample changes from run to run, where its
 * pixels and its error end up does not.
 *
 * Workers may take samples below `limit`: those of the batch that is asked for and of
 * AHEAD more.  Beyond it they sleep, so that they do not take the processors from the
 * training step which they serve, and memory stays at AHEAD + 1 batches.
 *
 * A sample that cannot be read is noted in its batch, the rest of the batch is read all
 * the same: what the reader is told is then the first in order, not in time. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "data/data.h"

enum { AHEAD = 2, MAX_SLOTS = AHEAD + 1, MAX_THREADS = 256, TEXT_BYTES = 1024 };

/* One batch: in the making, complete, or in the reader's hands. */
typedef struct slot {
    uint8_t *pixels; /* (batch, crop, crop, 3) */
    int *labels;     /* (batch) */
    int64_t *index;  /* (batch) samples of the data set */
    int64_t left;    /* samples still to come */
    int64_t bad;     /* first in order that cannot be read, INT64_MAX = none */
    afn_status code; /* of that sample, with its message */
    char text[TEXT_BYTES];
} slot;

struct afn_loader {
    const afn_dataset *data;
    afn_preprocess preprocess;
    afn_loader_opts opts; /* batch at most the number of samples */
    int64_t total;        /* samples of an epoch; fewer than there are with drop_last */
    int64_t n_batches;    /* of an epoch */
    size_t image_bytes;   /* crop * crop * 3 */
    int64_t *order;       /* (count) the epoch's samples; changes while workers rest */
    slot slot[MAX_SLOTS];
    int n_threads;
    afn_thread *thread; /* [n_threads], those that run */

    afn_mutex lock; /* guards what follows and the slots' left, bad, code, text */
    afn_cond work;  /* workers wait for limit or quit */
    afn_cond ready; /* the reader waits for a batch or for the workers to rest */
    int64_t next;   /* sample of the epoch that the next free worker takes */
    int64_t limit;  /* ... while it is below this */
    int busy;       /* workers that hold a sample */
    bool quit;

    bool started;  /* the reader's own, as is the rest */
    int64_t given; /* batches handed out of this epoch */
};

afn_loader_opts afn_loader_defaults(void)
{
    return (afn_loader_opts){ .batch = 32, .shuffle = true };
}

/* ---- workers ---- */

static slot *slot_of(afn_loader *l, int64_t batch)
{
    return &l->slot[batch % MAX_SLOTS];
}

/* Samples of a batch. */
static int64_t size_of(const afn_loader *l, int64_t batch)
{
    const int64_t rest = l->total - batch * l->opts.batch;
    return rest < l->opts.batch ? rest : l->opts.batch;
}

/* Decode the at-th sample of the epoch into its place. */
static afn_status load(afn_loader *l, int64_t at)
{
    afn_image image = { 0 };
    slot *s = slot_of(l, at / l->opts.batch);
    const int64_t row = at % l->opts.batch, i = l->order[at];
    s->index[row] = i;
    s->labels[row] = afn_dataset_label(l->data, i);
    afn_status st = afn_dataset_read(l->data, i, &image);
    if (st == AFN_OK) {
        char name[TEXT_BYTES / 2];
        st = afn_preprocess_apply(&l->preprocess, &image,
                                  s->pixels + (size_t)row * l->image_bytes);
        if (st != AFN_OK)
            afn_context(st, "%s",
                        afn_dataset_sample_name(l->data, i, name, sizeof name));
    }
    afn_image_free(&image);
    return st;
}

/* Note what became of a sample; under the lock. */
static void finish(afn_loader *l, int64_t at, afn_status st)
{
    slot *s = slot_of(l, at / l->opts.batch);
    if (st != AFN_OK && at < s->bad) {
        s->bad = at;
        s->code = st;
        snprintf(s->text, sizeof s->text, "%s", afn_error_message());
    }
    s->left--;
    l->busy--;
    if (!s->left || !l->busy) afn_cond_broadcast(&l->ready);
}

static void run_worker(void *user)
{
    afn_loader *l = user;
    afn_mutex_lock(&l->lock);
    for (;;) {
        while (!l->quit && l->next >= l->limit) afn_cond_wait(&l->work, &l->lock);
        if (l->quit) break;
        const int64_t at = l->next++;
        l->busy++;
        afn_mutex_unlock(&l->lock);
        const afn_status st = load(l, at);
        afn_mutex_lock(&l->lock);
        finish(l, at, st);
    }
    afn_mutex_unlock(&l->lock);
}

/* Let workers make the batches below end; their slots are free.  Under the lock. */
static void allow(afn_loader *l, int64_t end)
{
    if (end > l->n_batches) end = l->n_batches;
    int64_t b = (l->limit + l->opts.batch - 1) / l->opts.batch;
    if (b >= end) return;
    for (; b < end; b++) {
        slot *s = slot_of(l, b);
        s->left = size_of(l, b);
        s->bad = INT64_MAX;
        l->limit = b * l->opts.batch + s->left;
    }
    afn_cond_broadcast(&l->work);
}

/* Have every worker put down what it holds and take nothing new. */
static void rest(afn_loader *l)
{
    afn_mutex_lock(&l->lock);
    l->limit = l->next = 0;
    while (l->busy) afn_cond_wait(&l->ready, &l->lock);
    afn_mutex_unlock(&l->lock);
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

/* Sizes that follow from the options. */
static void measure(afn_loader *l)
{
    const int64_t count = afn_dataset_count(l->data), batch = l->opts.batch;
    l->total = l->opts.drop_last ? count - count % batch : count;
    l->n_batches = l->total / batch + (l->total % batch ? 1 : 0);
    if (batch > count) l->opts.batch = count > 0 ? count : 1; /* the same, and small */
    l->image_bytes = (size_t)l->preprocess.crop * (size_t)l->preprocess.crop * 3;
}

static afn_status make_slot(afn_loader *l, slot *s)
{
    size_t bytes;
    const size_t batch = (size_t)l->opts.batch;
    if (!afn_mul_size(&bytes, batch, l->image_bytes))
        return afn_fail(AFN_ENOMEM, "out of memory");
    s->pixels = afn_alloc_aligned(bytes);
    s->labels = afn_alloc_array(batch, sizeof *s->labels);
    s->index = afn_alloc_array(batch, sizeof *s->index);
    if (!s->pixels || !s->labels || !s->index)
        return afn_fail(AFN_ENOMEM, "out of memory for batches of %lld images",
                        (long long)l->opts.batch);
    return AFN_OK;
}

static afn_status start_threads(afn_loader *l)
{
    afn_status st = AFN_OK;
    const int64_t useful =
        l->opts.batch * MAX_SLOTS; /* nobody is idle from the start */
    int n = l->opts.threads ? l->opts.threads : afn_cpu_count();
    if (n > MAX_THREADS) n = MAX_THREADS;
    if (n > useful) n = (int)useful;
    l->thread = afn_alloc_array((size_t)n, sizeof *l->thread);
    AFN_REQUIRE(l->thread, AFN_ENOMEM, "out of memory");
    while (l->n_threads < n) {
        AFN_TRY(afn_thread_start(&l->thread[l->n_threads], run_worker, l));
        l->n_threads++;
    }
done:
    return st;
}

afn_status afn_loader_new(afn_loader **out, const afn_dataset *d,
                          const afn_preprocess *p, const afn_loader_opts *opts)
{
    afn_status st = AFN_OK;
    *out = NULL;
    afn_loader *l = afn_alloc(sizeof *l);
    AFN_REQUIRE(l, AFN_ENOMEM, "out of memory");
    afn_mutex_init(&l->lock);
    afn_cond_init(&l->work);
    afn_cond_init(&l->ready);
    l->data = d;
    l->preprocess = *p;
    l->opts = opts ? *opts : afn_loader_defaults();
    AFN_TRY(check(l));
    measure(l);
    l->order = afn_alloc_array((size_t)afn_dataset_count(d), sizeof *l->order);
    AFN_REQUIRE(l->order, AFN_ENOMEM, "out of memory");
    for (int i = 0; i < MAX_SLOTS && i < l->n_batches; i++)
        AFN_TRY(make_slot(l, &l->slot[i]));
    AFN_TRY(start_threads(l));
    *out = l;
    l = NULL;
done:
    afn_loader_free(l);
    return afn_context(st, "loader");
}

void afn_loader_free(afn_loader *l)
{
    if (!l) return;
    afn_mutex_lock(&l->lock);
    l->quit = true;
    afn_cond_broadcast(&l->work);
    afn_mutex_unlock(&l->lock);
    for (int i = 0; i < l->n_threads; i++) afn_thread_join(&l->thread[i]);
    for (int i = 0; i < MAX_SLOTS; i++) {
        afn_free(l->slot[i].pixels);
        afn_free(l->slot[i].labels);
        afn_free(l->slot[i].index);
    }
    afn_free(l->thread);
    afn_free(l->order);
    afn_cond_free(&l->ready);
    afn_cond_free(&l->work);
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
    rest(l);
    if (l->opts.shuffle)
        afn_data__epoch_order(l->order, count, l->opts.seed, epoch);
    else
        for (int64_t i = 0; i < count; i++) l->order[i] = i;
    l->given = 0;
    l->started = true;
    afn_mutex_lock(&l->lock);
    allow(l, AHEAD);
    afn_mutex_unlock(&l->lock);
    return AFN_OK;
}

afn_status afn_loader_next(afn_loader *l, afn_batch *batch)
{
    afn_status st = AFN_OK;
    *batch = (afn_batch){ 0 };
    if (!l->started) return afn_fail(AFN_EINVAL, "loader: no epoch was started");
    if (l->given == l->n_batches) return AFN_OK;

    const int64_t b = l->given;
    slot *s = slot_of(l, b);
    afn_mutex_lock(&l->lock);
    allow(l, b + MAX_SLOTS); /* the batch before this one is given back */
    while (s->left) afn_cond_wait(&l->ready, &l->lock);
    if (s->bad != INT64_MAX) st = afn_fail(s->code, "%s", s->text);
    afn_mutex_unlock(&l->lock);
    if (st != AFN_OK) return st; /* and again, until another epoch is started */

    l->given++;
    *batch = (afn_batch){
        .n = size_of(l, b), .pixels = s->pixels, .labels = s->labels, .index = s->index
    };
    return AFN_OK;
}
