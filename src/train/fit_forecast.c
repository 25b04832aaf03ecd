/* SPDX-License-Identifier: Apache-2.0 */
/* A forecast is the beginning of each phase, done and timed.  What it does not see is
 * counted: images and features that will be kept, the copy of the best epoch, what a
 * checkpoint copies.  A plan says how much memory it will take before it takes it. */
#include "afina/forecast.h"
#include "train/fit.h"
#include "train/update.h"

/* Bytes that a phase maps as it runs, at most: code and buffers of oneDNN, batches. */
enum { ROOM_TO_RUN = 128 << 20 };

/* Seconds for one image. */
typedef struct cost {
    double read, again;  /* decode it; see it again */
    double prefix, rest; /* of a step */
} cost;

typedef struct forecast {
    afn_fit_run f;
    cost train, val;
    bool seen;           /* an epoch before has kept the images */
    int64_t image_bytes; /* that those take, and are not resident yet */
} forecast;

/* ---- memory ---- */

/* What the optimiser keeps beside the weights, and an average of them. */
static int64_t state_bytes(const afn_phase *phase, int64_t trained)
{
    return afn_update_states(&phase->optim) * trained * (int64_t)sizeof(float);
}

static double gb(int64_t bytes)
{
    return (double)bytes / 1e9;
}

/* Is there memory for what the plan has reserved and not touched yet?  Under a limit of
 * what is mapped that counts already; what oneDNN maps as it goes must fit too. */
static afn_status check_memory(const afn_fit_run *f, const afn_phase *phase,
                               afn_trainer *t, int64_t trained, bool first)
{
    const int64_t state = state_bytes(phase, trained);
    int64_t need = (int64_t)afn_plan_arena_bytes(afn_trainer__plan(t)) + state;
    if (first && f->predictor)
        need += (int64_t)afn_plan_arena_bytes(afn_predictor__plan(f->predictor));
    const int64_t left = afn_address_space_left();
    if (state + ROOM_TO_RUN > left)
        return afn_fail(AFN_ENOMEM,
                        "phase %s with a batch of %lld: %.2f GB are left of the "
                        "process's limit (ulimit -v)",
                        phase->name, (long long)f->train.opts.batch, gb(left));
    const int64_t have = afn_memory_available();
    if (need <= have - have / 20) return AFN_OK;
    return afn_fail(
        AFN_ENOMEM,
        "phase %s needs %.2f GB more with a batch of %lld, %.2f GB of memory "
        "are available",
        phase->name, gb(need), (long long)f->train.opts.batch, gb(have));
}

/* Images that the loaders keep once they have seen them. */
static int64_t kept_images(const afn_fit_run *f)
{
    const afn_batches *const part[] = { &f->train, &f->val };
    int64_t bytes = 0;
    for (size_t i = 0; i < AFN_COUNT(part); i++) {
        if (!part[i]->loader) continue;
        const int64_t side = afn_model_preprocess(f->model).crop;
        const int64_t all = afn_dataset_count(part[i]->data) * side * side * 3;
        bytes += all < part[i]->opts.keep ? all : part[i]->opts.keep;
    }
    return bytes;
}

/* Most that is resident in a phase, from what is now. */
static int64_t resident(const forecast *c, const afn_phase *phase, int64_t trained)
{
    const afn_fit_run *f = &c->f;
    return (int64_t)afn_rss_bytes() + kept_images(f) +
           afn_feature_cache_memory(&f->train.cache) +
           afn_feature_cache_memory(&f->val.cache) +
           afn_params_bytes(afn_model__params(f->model)) +
           (f->o.out ? state_bytes(phase, trained) : 0);
}

/* ---- timing ---- */

/* Read a batch; *seconds grows by what that took. */
static afn_status read_batch(afn_batches *b, afn_batch *batch, double *seconds)
{
    const double start = afn_now_s();
    const afn_status st = afn_loader_next(b->loader, batch);
    *seconds += afn_now_s() - start;
    return st;
}

/* A step in its two parts. */
static afn_status time_step(forecast *c, afn_trainer *t, const afn_batch *b)
{
    afn_status st = AFN_OK;
    afn_fit_run *f = &c->f;
    afn_step_result r;
    const double start = afn_now_s();
    if (f->train.plan)
        AFN_TRY(afn_plan_run_prefix(f->train.plan, b->pixels, b->n, f->train.features));
    const double middle = afn_now_s();
    AFN_TRY(
        afn_fit__train_batch(f, t, b, f->train.plan ? f->train.features : NULL, &r));
    c->train.prefix = (middle - start) / (double)b->n;
    c->train.rest = (afn_now_s() - middle) / (double)b->n;
done:
    return st;
}

/* Two steps, of which the second counts; then the first batch seen again. */
static afn_status time_training(forecast *c, afn_trainer *t)
{
    afn_status st = AFN_OK;
    afn_fit_run *f = &c->f;
    afn_batch b = { 0 };
    int64_t images = 0;
    c->train = (cost){ 0 };
    AFN_TRY(afn_loader_start(f->train.loader, f->at.start));
    for (int k = 0; k < 2; k++) {
        AFN_TRY(read_batch(&f->train, &b, &c->train.read));
        if (!b.n && images) { /* it has one batch only */
            AFN_TRY(afn_loader_start(f->train.loader, f->at.start));
            AFN_TRY(read_batch(&f->train, &b, &c->train.read));
        }
        AFN_REQUIRE(b.n, AFN_EINVAL, "no image to train with can be read");
        images += b.n;
        AFN_TRY(time_step(c, t, &b));
    }
    AFN_TRY(afn_trainer_end_epoch(t)); /* a group's step, which takes memory too */
    c->train.read /= (double)images;
    AFN_TRY(afn_loader_start(f->train.loader, f->at.start));
    AFN_TRY(read_batch(&f->train, &b, &c->train.again));
    c->train.again /= (double)b.n;
done:
    return st;
}

static afn_status run_validation(forecast *c, const afn_batch *b, float *logits)
{
    afn_status st = AFN_OK;
    afn_batches *v = &c->f.val;
    const double start = afn_now_s();
    if (v->plan) AFN_TRY(afn_plan_run_prefix(v->plan, b->pixels, b->n, v->features));
    const double middle = afn_now_s();
    st = v->plan ? afn_plan_run_rest(v->plan, v->features, b->n, logits)
                 : afn_predictor_run(c->f.predictor, b->pixels, b->n, logits);
    c->val.prefix = (middle - start) / (double)b->n;
    c->val.rest = (afn_now_s() - middle) / (double)b->n;
done:
    return st;
}

/* A batch twice, of which the second time counts. */
static afn_status time_validation(forecast *c)
{
    afn_status st = AFN_OK;
    afn_batch b = { 0 };
    float *logits = NULL;
    c->val = (cost){ 0 };
    if (!c->f.predictor) return AFN_OK;
    AFN_TRY(afn_loader_start(c->f.val.loader, 0));
    AFN_TRY(read_batch(&c->f.val, &b, &c->val.read));
    AFN_REQUIRE(b.n, AFN_EINVAL, "no image to validate with can be read");
    logits = afn_alloc_array((size_t)b.n * (size_t)afn_model_classes(c->f.model),
                             sizeof *logits);
    AFN_REQUIRE(logits, AFN_ENOMEM, "out of memory");
    for (int k = 0; k < 2; k++) AFN_TRY(run_validation(c, &b, logits));
    c->val.read /= (double)b.n;
    AFN_TRY(afn_loader_start(c->f.val.loader, 0));
    AFN_TRY(read_batch(&c->f.val, &b, &c->val.again));
    c->val.again /= (double)b.n;
done:
    afn_free(logits);
    return st;
}

/* ---- a phase ---- */

/* Will features of a phase be kept, in memory or, where the run has a folder, in a
 * file? */
static bool keeps(const forecast *c, const afn_batches *b)
{
    const afn_cache_size size = { .bytes = b->prefix.bytes, .macs = b->prefix.macs };
    if (!b->plan || !b->views || !c->f.o.feature_cache) return false;
    return b->cache.count || (c->f.o.out && afn_feature_cache_is_worth_a_file(&size));
}

/* Seconds of a pass over a part's images; `made`: their features are made in it. */
static double pass(const cost *c, const afn_batches *b, bool seen, bool made)
{
    const double read = seen ? c->again : c->read;
    return (double)afn_dataset_count(b->data) *
           ((made ? read + c->prefix : 0) + c->rest);
}

static void add_up(afn_phase_forecast *p, forecast *c, const afn_phase *phase)
{
    const afn_batches *t = &c->f.train, *v = &c->f.val;
    const bool keeps_train = keeps(c, t), keeps_val = v->loader && keeps(c, v);
    for (int e = 0; e < phase->epochs; e++) {
        const bool seen = c->seen || e > 0;
        double s = pass(&c->train, t, seen, !keeps_train || e < t->views);
        if (v->loader) s += pass(&c->val, v, seen, !keeps_val || e == 0);
        if (e == 0) p->first_epoch_s = s;
        p->epoch_s = s;
        p->seconds += s;
    }
    c->seen = true;
}

static afn_status forecast_phase(afn_phase_forecast *p, forecast *c, int i)
{
    afn_status st = AFN_OK;
    afn_fit_run *f = &c->f;
    afn_trainer *t = NULL;
    const afn_phase *phase = &f->o.phase[i];
    f->at = (afn_place){ .phase = i, .start = f->run_epoch };
    p->name = phase->name;
    AFN_TRY(afn_fit__set_up(f, &t, phase));
    p->trained = afn_fit__count(f->model, true);
    p->frozen = afn_fit__count(f->model, false);
    AFN_TRY(check_memory(f, phase, t, p->trained, i == 0));
    AFN_TRY(afn_fit__split(f, afn_trainer__plan(t), phase));
    AFN_TRY(time_training(c, t));
    AFN_TRY(time_validation(c));
    p->memory_bytes = resident(c, phase, p->trained);
    add_up(p, c, phase);
done:
    afn_fit__join(f);
    afn_trainer_free(t);
    return st;
}

static afn_status forecast_phases(afn_forecast *out, forecast *c)
{
    afn_status st = AFN_OK;
    const afn_fit_opts *o = &c->f.o;
    out->available_bytes = (int64_t)afn_rss_bytes() + afn_memory_available();
    out->batch = c->f.train.opts.batch;
    out->n_phases = o->n_phases;
    out->phase = afn_alloc_array((size_t)o->n_phases, sizeof *out->phase);
    AFN_REQUIRE(out->phase, AFN_ENOMEM, "out of memory");
    for (int i = 0; i < o->n_phases; i++) {
        afn_phase_forecast *p = &out->phase[i];
        if (o->phase[i].epochs > 0) AFN_TRY(forecast_phase(p, c, i));
        c->f.run_epoch += o->phase[i].epochs;
        out->seconds += p->seconds;
        if (p->memory_bytes > out->memory_bytes) out->memory_bytes = p->memory_bytes;
    }
    if (c->f.predictor && o->unknown_quantile >= 0) /* the best model is calibrated */
        out->seconds += pass(&c->val, &c->f.val, true, true);
done:
    return st;
}

afn_status afn_fit_forecast(afn_forecast *out, afn_model *m, const afn_dataset *train,
                            const afn_dataset *val, const afn_fit_opts *opts)
{
    afn_status st = AFN_OK;
    forecast c = { .f = { .lock = -1 } };
    afn_phase phases[2];
    *out = (afn_forecast){ 0 };
    AFN_TRY(afn_fit__begin(&c.f, phases, m, val, opts));
    AFN_TRY(afn_fit__open(&c.f, train, val, NULL));
    st = forecast_phases(out, &c);
done:
    afn_fit__close(&c.f);
    if (st != AFN_OK) afn_forecast_free(out);
    return st;
}

void afn_forecast_free(afn_forecast *f)
{
    afn_free(f->phase);
    *f = (afn_forecast){ 0 };
}
