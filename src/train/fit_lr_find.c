/* SPDX-License-Identifier: Apache-2.0 */
/* A phase begun as a run begins it, and then trained with a rate that rises. */
#include "afina/lr_find.h"

#include <math.h>

#include "train/fit.h"

static const double smoothing = 0.98, divergence = 4;

/* Steps at the beginning whose fall counts for nothing: the average is of few then. */
enum { NOISY = 10 };

afn_lr_find_opts afn_lr_find_defaults(void)
{
    return (afn_lr_find_opts){ .from = 1e-7f, .to = 10, .steps = 100 };
}

static afn_status check(const afn_lr_find_opts *o)
{
    if (!(o->from > 0 && o->from < o->to && isfinite(o->to)))
        return afn_fail(AFN_EINVAL, "rates from %g to %g do not rise", (double)o->from,
                        (double)o->to);
    if (o->steps < 2)
        return afn_fail(AFN_EINVAL, "%d steps, need at least 2", o->steps);
    return AFN_OK;
}

/* ---- what a curve shows ---- */

static void judge(afn_lr_curve *c)
{
    int least = 0;
    double steepest = 0;
    for (int i = 1; i < c->n; i++)
        if (c->loss[i] < c->loss[least]) least = i;
    for (int i = NOISY; i + 1 < c->n; i++) {
        const double slope = (c->loss[i + 1] - c->loss[i - 1]) / 2;
        if (slope >= steepest) continue;
        steepest = slope;
        c->steepest = c->lr[i];
    }
    if (c->steepest > 0) c->tenth = c->lr[least] / 10;
}

/* ---- steps ---- */

/* The next batch; where the images come to their end they begin again. */
static afn_status next_batch(afn_fit_run *f, afn_batch *b, const void **features)
{
    afn_status st = afn_batches_next(&f->train, b, features);
    if (st != AFN_OK || b->n) return st;
    st = afn_batches_start(&f->train, ++f->at.start);
    if (st == AFN_OK) st = afn_batches_next(&f->train, b, features);
    if (st == AFN_OK && !b->n)
        st = afn_fail(AFN_EINVAL, "no image to train with can be read");
    return st;
}

/* A loss that is no number ends the curve, not the test. */
static afn_status step(afn_fit_run *f, afn_trainer *t, afn_lr_curve *c, double *loss)
{
    afn_status st = AFN_OK;
    afn_batch b = { 0 };
    const void *features = NULL;
    afn_step_result r = { 0 };
    AFN_TRY(next_batch(f, &b, &features));
    st = afn_fit__train_batch(f, t, &b, features, &r);
    if (st == AFN_EINVAL && c->n > 0) {
        c->diverged = true;
        st = AFN_OK;
    }
    *loss = r.loss;
done:
    return st;
}

static int tell(const afn_fit_run *f, const afn_lr_curve *c, const afn_lr_find_opts *o)
{
    const afn_progress p = { .phase = c->phase,
                             .step = c->n,
                             .steps = o->steps,
                             .loss = c->loss[c->n - 1],
                             .lr = c->lr[c->n - 1] };
    return f->o.on_step ? f->o.on_step(&p, f->o.user) : 0;
}

static afn_status rise(afn_fit_run *f, afn_trainer *t, afn_lr_curve *c,
                       const afn_lr_find_opts *o)
{
    afn_status st = AFN_OK;
    double average = 0, weight = 1, least = INFINITY, loss = 0;
    AFN_TRY(afn_batches_start(&f->train, f->at.start));
    for (int i = 0; i < o->steps; i++) {
        const double part = (double)i / (o->steps - 1);
        const float lr = (float)(o->from * pow((double)o->to / (double)o->from, part));
        afn_trainer_set_lr(t, lr);
        AFN_TRY(step(f, t, c, &loss));
        if (c->diverged) break;
        average = smoothing * average + (1 - smoothing) * loss;
        weight *= smoothing;
        c->lr[c->n] = lr;
        c->loss[c->n] = average / (1 - weight);
        c->n++;
        if (tell(f, c, o)) return afn_fail(AFN_ECANCELLED, "stopped");
        if (c->loss[i] < least) least = c->loss[i];
        c->diverged = c->loss[i] > divergence * least;
        if (c->diverged) break;
    }
done:
    return st;
}

static afn_status test_phase(afn_lr_curve *c, afn_fit_run *f, int i,
                             const afn_lr_find_opts *o)
{
    afn_status st = AFN_OK;
    afn_trainer *t = NULL;
    afn_phase phase = f->o.phase[i];
    phase.schedule = afn_schedule_defaults();
    f->at = (afn_place){ .phase = i, .start = f->run_epoch };
    c->lr = afn_alloc_array((size_t)o->steps, sizeof *c->lr);
    c->loss = afn_alloc_array((size_t)o->steps, sizeof *c->loss);
    AFN_REQUIRE(c->lr && c->loss, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_fit__set_up(f, &t, &phase));
    AFN_TRY(afn_fit__split(f, afn_trainer__plan(t), &phase));
    AFN_TRY(rise(f, t, c, o));
    judge(c);
done:
    afn_fit__join(f);
    afn_trainer_free(t);
    return st;
}

static afn_status test_phases(afn_lr_find *out, afn_fit_run *f,
                              const afn_lr_find_opts *o)
{
    afn_status st = AFN_OK;
    out->phase = afn_alloc_array((size_t)f->o.n_phases, sizeof *out->phase);
    AFN_REQUIRE(out->phase, AFN_ENOMEM, "out of memory");
    out->n_phases = f->o.n_phases;
    for (int i = 0; i < f->o.n_phases; i++) {
        const afn_phase *phase = &f->o.phase[i];
        out->phase[i].phase = phase->name;
        if (phase->epochs > 0 && phase->solver == AFN_SOLVER_EPOCHS)
            AFN_TRY(test_phase(&out->phase[i], f, i, o));
        f->run_epoch += phase->epochs;
    }
done:
    return st;
}

afn_status afn_fit_lr_find(afn_lr_find *out, afn_model *m, const afn_dataset *train,
                           const afn_dataset *val, const afn_fit_opts *opts,
                           const afn_lr_find_opts *how)
{
    afn_status st = AFN_OK;
    const afn_lr_find_opts o = how ? *how : afn_lr_find_defaults();
    afn_fit_run f = { .lock = -1 };
    afn_phase phases[2];
    *out = (afn_lr_find){ 0 };
    AFN_TRY(check(&o));
    AFN_TRY(afn_fit__begin(&f, phases, m, val, opts));
    AFN_TRY(afn_fit__open(&f, train, val, NULL));
    st = test_phases(out, &f, &o);
done:
    afn_fit__close(&f);
    if (st != AFN_OK) afn_lr_find_free(out);
    return st;
}

void afn_lr_find_free(afn_lr_find *f)
{
    for (int i = 0; i < f->n_phases; i++) {
        afn_free(f->phase[i].lr);
        afn_free(f->phase[i].loss);
    }
    afn_free(f->phase);
    *f = (afn_lr_find){ 0 };
}
