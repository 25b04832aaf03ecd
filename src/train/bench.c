/* SPDX-License-Identifier: Apache-2.0 */
/* A benchmark: noise through the same trainer and predictor that everybody uses.  The
 * learning rate is 0, so that every step does the same work on the same weights. */
#include "afina/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "train/trainer.h"

afn_bench_opts afn_bench_defaults(void)
{
    return (afn_bench_opts){ .batch = 32, .steps = 5, .backend = "cpu" };
}

/* One of trainer and predictor, and what it is fed with. */
typedef struct bench {
    afn_bench_opts o;
    afn_model *model;
    afn_trainer *trainer;
    afn_predictor *predictor;
    afn_plan *plan; /* of the one of them */
    afn_batch batch;
    uint8_t *pixels; /* (batch, crop, crop, channels) */
    int *labels;     /* (batch) */
    float *logits;   /* (batch, classes) */
    double *seconds; /* (steps) */
} bench;

static void bench_close(bench *b)
{
    afn_trainer_free(b->trainer);
    afn_predictor_free(b->predictor);
    afn_free(b->pixels);
    afn_free(b->labels);
    afn_free(b->logits);
    afn_free(b->seconds);
}

static afn_status check_options(const afn_bench_opts *o)
{
    if (o->batch < 1)
        return afn_fail(AFN_EINVAL, "batch is %" PRId64 ", need at least 1", o->batch);
    if (o->steps < 1)
        return afn_fail(AFN_EINVAL, "%d steps, need at least 1", o->steps);
    if (o->threads < 0)
        return afn_fail(AFN_EINVAL, "%d threads, need 0 or more", o->threads);
    return AFN_OK;
}

/* Noise, and labels that go round. */
static afn_status make_batch(bench *b)
{
    const afn_preprocess p = afn_model_preprocess(b->model);
    const size_t n = (size_t)b->o.batch, image = afn_preprocess_bytes(&p);
    const int classes = afn_model_classes(b->model);
    afn_rng rng = afn_rng_new(0, afn_rng_stream(AFN_RNG_FAKE, 0, 0));

    b->pixels = afn_alloc_array(n, image);
    b->labels = afn_alloc_array(n, sizeof *b->labels);
    b->logits = afn_alloc_array(n, (size_t)classes * sizeof *b->logits);
    b->seconds = afn_alloc_array((size_t)b->o.steps, sizeof *b->seconds);
    if (!b->pixels || !b->labels || !b->logits || !b->seconds)
        return afn_fail(AFN_ENOMEM, "out of memory");
    for (size_t i = 0; i < n * image; i++) b->pixels[i] = (uint8_t)afn_rng_u32(&rng);
    for (size_t i = 0; i < n; i++) b->labels[i] = (int)(i % (size_t)classes);
    b->batch = (afn_batch){ .n = b->o.batch, .pixels = b->pixels, .labels = b->labels };
    return AFN_OK;
}

static afn_status make_trainer(bench *b)
{
    afn_status st = AFN_OK;
    afn_trainer_opts t = afn_trainer_defaults();
    t.optim.lr = 0;
    t.batch = b->o.batch;
    t.threads = b->o.threads;
    t.backend = b->o.backend;
    t.precision = b->o.precision;
    AFN_TRY(afn_model_freeze(b->model, "*"));
    AFN_TRY(afn_model_unfreeze(
        b->model, b->o.mode == AFN_BENCH_HEAD ? afn_model_head(b->model) : "*"));
    AFN_TRY(afn_trainer_new(&b->trainer, b->model, &t));
    b->plan = afn_trainer__plan(b->trainer);
done:
    return st;
}

static afn_status make_predictor(bench *b)
{
    const afn_predict_opts p = { .batch = b->o.batch,
                                 .threads = b->o.threads,
                                 .backend = b->o.backend,
                                 .precision = b->o.precision };
    const afn_status st = afn_predictor_new(&b->predictor, b->model, &p);
    if (st == AFN_OK) b->plan = afn_predictor__plan(b->predictor);
    return st;
}

static afn_status step(bench *b)
{
    return b->trainer
               ? afn_trainer_step(b->trainer, &b->batch, NULL)
               : afn_predictor_run(b->predictor, b->pixels, b->o.batch, b->logits);
}

static afn_status first_step(afn_bench *out, bench *b)
{
    const double start = afn_now_s();
    afn_status st = b->o.mode == AFN_BENCH_INFER ? make_predictor(b) : make_trainer(b);
    if (st == AFN_OK) st = step(b);
    out->first_step_seconds = afn_now_s() - start;
    return st;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_size);
    return (v[(n - 1) / 2] + v[n / 2]) / 2;
}

static afn_status timed_steps(afn_bench *out, bench *b)
{
    afn_status st = AFN_OK;
    AFN_TRY(afn_plan_profile(b->plan, true));
    for (int i = 0; i < b->o.steps; i++) {
        const double start = afn_now_s();
        AFN_TRY(step(b));
        b->seconds[i] = afn_now_s() - start;
        out->timed_seconds += b->seconds[i];
    }
    AFN_TRY(afn_plan_read_profile(&out->profile, b->plan));
    out->step_seconds = median(b->seconds, b->o.steps);
    out->images_per_second = (double)b->o.batch / out->step_seconds;
    out->gflops = 1e-9 * afn_plan_flops(b->plan) / out->step_seconds;
    out->peak_rss_mb = 1e-6 * (double)afn_peak_rss_bytes();
done:
    return st;
}

static void describe(afn_bench *out, const bench *b)
{
    out->precision = afn_precision_here(b->o.precision);
    out->threads = b->o.threads > 0 ? b->o.threads : afn_cpu_count();
    static_assert(sizeof out->cpu == AFN_CPU_NAME_BYTES, "room for the name");
    afn_cpu_name(out->cpu);
    snprintf(out->onednn, sizeof out->onednn, "%s", afn_onednn_version());
}

afn_status afn_bench_run(afn_bench *out, afn_model *m, const afn_bench_opts *opts)
{
    afn_status st = AFN_OK;
    bench b = { .o = opts ? *opts : afn_bench_defaults(), .model = m };

    *out = (afn_bench){ 0 };
    AFN_TRY(check_options(&b.o));
    AFN_TRY(make_batch(&b));
    AFN_TRY(first_step(out, &b));
    AFN_TRY(timed_steps(out, &b));
    if (b.o.convolutions)
        AFN_TRY(afn_plan_convolutions_alone(&out->convolutions_seconds, b.plan));
    describe(out, &b);
done:
    bench_close(&b);
    if (st != AFN_OK) afn_bench_free(out);
    return st;
}

void afn_bench_free(afn_bench *b)
{
    if (!b) return;
    afn_profile_free(&b->profile);
    *b = (afn_bench){ 0 };
}
