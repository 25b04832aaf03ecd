/* SPDX-License-Identifier: Apache-2.0 */
/* One phase of a run: what its pattern unfreezes, features of what stays frozen, and
 * its epochs with a trainer, or the one that solves it. */
#include <limits.h>

#include "train/objective.h"
#include "train/run/checkpoint.h"
#include "train/run/records.h"

/* ---- features ---- */

static afn_features describe_features(const afn_fit_run *f, const afn_phase *phase)
{
    const afn_batches *const part[] = { &f->train, &f->val };
    afn_features t = { .phase = phase->name, .views = 1 };
    for (size_t i = 0; i < AFN_COUNT(part); i++) {
        const afn_batches *b = part[i];
        if (!b->plan) continue;
        if (!t.before) t.before = b->prefix.before;
        if (!b->cache.count) {
            if (!t.why) t.why = b->cache.why;
            continue;
        }
        t.kept = true;
        t.images += b->cache.samples;
        t.bytes += b->cache.count * (int64_t)b->prefix.bytes;
        t.bytes_on_disk += afn_feature_cache_file(&b->cache);
        if (b == &f->train) t.views = b->views;
    }
    return t;
}

static afn_status tell_features(afn_fit_run *f, const afn_phase *phase)
{
    const afn_features t = describe_features(f, phase);
    f->told.images = t.images;
    if (!f->o.feature_cache || !t.before || !f->o.on_features) return AFN_OK;
    return f->o.on_features(&t, f->o.user) ? afn_fail(AFN_ECANCELLED, "stopped")
                                           : AFN_OK;
}

/* Split both plans for a phase.  Validation's room is what training leaves. */
static afn_status split(afn_fit_run *f, afn_plan *plan)
{
    afn_status st = AFN_OK;
    afn_cache_room room = { .memory = f->o.feature_memory, .folder = f->folder.path };
    if (!room.memory) room.memory = afn_memory_available() / 4;
    const afn_cache_room *const give = f->o.feature_cache ? &room : NULL;
    AFN_TRY(afn_batches_split(&f->train, plan, f->changes, give));
    room.memory -= afn_feature_cache_memory(&f->train.cache);
    if (!f->predictor) goto done;
    AFN_TRY(afn_predictor_refresh(f->predictor)); /* what the phase before changed */
    AFN_TRY(afn_batches_split(&f->val, afn_predictor__plan(f->predictor), f->changes,
                              give));
done:
    return st;
}

void afn_fit__join(afn_fit_run *f)
{
    afn_batches_join(&f->train);
    afn_batches_join(&f->val);
}

static afn_status report_profile(const afn_fit_run *f, const afn_plan *plan,
                                 const afn_phase *phase)
{
    afn_profile p;
    const afn_status st = afn_plan_read_profile(&p, plan);
    if (st == AFN_OK) f->o.on_profile(phase->name, &p, f->o.user);
    afn_profile_free(&p);
    return st;
}

/* ---- what all phases have ---- */

static afn_status unfreeze(afn_fit_run *f, const afn_phase *phase)
{
    const char *pattern =
        phase->trainable ? phase->trainable : afn_model_head(f->model);
    const afn_status st = afn_model_freeze(f->model, "*");
    return st == AFN_OK ? afn_model_unfreeze(f->model, pattern) : st;
}

int64_t afn_fit__count(const afn_model *m, bool trained)
{
    const afn_graph *g = afn_model__graph(m);
    int64_t n = 0;
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        const afn_param *p = afn_graph_param(g, i);
        if (!p->buffer && afn_model__trainable(m)[i] == trained)
            n += afn_shape_count(&p->shape);
    }
    return n;
}

afn_status afn_fit__split(afn_fit_run *f, afn_plan *plan, const afn_phase *phase)
{
    const int passes = phase->solver == AFN_SOLVER_LBFGS ? INT_MAX : phase->epochs;
    const afn_status st =
        afn_batches_augment(&f->train, &phase->augment, f->at.start, passes);
    return st == AFN_OK ? split(f, plan) : st;
}

/* Once there is a plan for what it trains, and f->changes says what that is. */
static afn_status prepare(afn_fit_run *f, afn_plan *plan, const afn_phase *phase)
{
    afn_status st = AFN_OK;
    AFN_TRY(afn_best_expect(&f->best, f->model, f->changes));
    AFN_TRY(afn_fit__split(f, plan, phase));
    AFN_TRY(afn_record_phase(f, phase, afn_fit__count(f->model, true)));
    AFN_TRY(tell_features(f, phase));
    if (f->o.on_profile) AFN_TRY(afn_plan_profile(plan, true));
done:
    return st;
}

/* Is there no further epoch?  Asked between two, also of a run just taken up. */
static bool is_over(const afn_fit_run *f, const afn_phase *phase)
{
    return f->end != AFN_END_ALL || f->at.epoch >= phase->epochs ||
           afn_stop_has_waited(&f->rules, phase);
}

/* What follows from an epoch that is over.
 *   t        NULL where the phase has none */
static afn_status after_epoch(afn_fit_run *f, afn_trainer *t, const afn_phase *phase,
                              const afn_epoch *e)
{
    afn_status st = AFN_OK;
    afn_stop_note(&f->rules, &f->o, phase, e);
    if (afn_stop_is_reached(&f->o, e)) f->end = AFN_END_TARGET;
    if (describe_features(f, phase).images < f->told.images)
        AFN_TRY(tell_features(f, phase));
    if (f->o.on_epoch && f->o.on_epoch(e, f->o.user))
        st = afn_fail(AFN_ECANCELLED, "stopped");
    else if (!is_over(f, phase))
        st = afn_checkpoint_save_if_due(f, t);
done:
    return st;
}

/* The run goes on behind this phase, from the weights as they are in the model. */
static afn_status end(afn_fit_run *f, const afn_plan *plan, const afn_phase *phase)
{
    afn_status st = AFN_OK;
    AFN_TRY(afn_fit__save_all(f));
    if (f->o.on_profile) AFN_TRY(report_profile(f, plan, phase));
    AFN_TRY(afn_record_phase_end(f, phase));
    f->at = (afn_place){ .phase = f->at.phase + 1, .start = f->run_epoch };
    f->ckpt.current = false;
    afn_stop_begin_phase(&f->rules);
    AFN_TRY(afn_checkpoint_save_if_due(f, NULL));
done:
    return st;
}

/* ---- epochs ---- */

static afn_status new_trainer(afn_trainer **t, const afn_fit_run *f,
                              const afn_phase *phase)
{
    afn_trainer_opts o = afn_trainer_defaults();
    o.optim = phase->optim;
    o.schedule = phase->schedule;
    o.epochs = phase->epochs;
    o.epoch_steps = afn_batches_count(&f->train);
    o.class_weight = f->class_weight;
    o.label_smoothing = phase->label_smoothing;
    o.bn = f->o.bn;
    o.batch = f->train.opts.batch;
    o.seed = f->o.seed + (uint64_t)f->at.start; /* dropout differs between phases */
    o.threads = f->o.threads;
    o.exact = f->o.exact;
    o.backend = f->o.backend;
    o.precision = f->o.precision;
    return afn_trainer_new(t, f->model, &o);
}

afn_status afn_fit__set_up(afn_fit_run *f, afn_trainer **t, const afn_phase *phase)
{
    afn_status st = AFN_OK;
    AFN_TRY(unfreeze(f, phase));
    AFN_TRY(new_trainer(t, f, phase));
    afn_plan_changes(afn_trainer__plan(*t), f->changes);
done:
    return st;
}

static afn_status run_epochs(afn_fit_run *f, afn_trainer *t, const afn_phase *phase)
{
    afn_status st = AFN_OK;
    while (f->at.batches || !is_over(f, phase)) {
        afn_epoch e = { .phase = phase->name, .of = phase->epochs };
        AFN_TRY(afn_fit__epoch(f, t, &e));
        if (f->end == AFN_END_TIME) break;
        AFN_TRY(after_epoch(f, t, phase, &e));
    }
done:
    return st;
}

/* From its start, or from where the run before was. */
static afn_status train(afn_fit_run *f, const afn_phase *phase)
{
    afn_status st = AFN_OK;
    afn_trainer *t = NULL;
    AFN_TRY(afn_fit__set_up(f, &t, phase));
    AFN_TRY(afn_checkpoint_load_trainer(f, t));
    AFN_TRY(prepare(f, afn_trainer__plan(t), phase));
    st = run_epochs(f, t, phase);
    if (st == AFN_OK && f->end != AFN_END_TIME) {
        AFN_TRY(afn_trainer_sync(t));
        AFN_TRY(end(f, afn_trainer__plan(t), phase));
    } else if (st == AFN_OK || st == AFN_ECANCELLED) {
        st = afn_checkpoint_save_stopped(f, t, st);
    }
done:
    afn_fit__join(f);
    afn_trainer_free(t);
    return st;
}

/* ---- solving ---- */

/* Solving goes over the same features again and again. */
static afn_status check_kept(const afn_fit_run *f, const afn_phase *phase)
{
    const char *why = f->train.cache.why;
    if (f->train.cache.count) return AFN_OK;
    if (!f->o.feature_cache) why = "they are not to be";
    if (!f->train.plan) why = "no frozen layers come first";
    return afn_fail(AFN_EINVAL, "phase %s: lbfgs needs features that are kept: %s",
                    phase->name, why);
}

static afn_status solve_epoch(afn_fit_run *f, afn_objective *o, const afn_phase *phase)
{
    afn_status st = AFN_OK;
    afn_epoch e = { .phase = phase->name, .of = phase->epochs };
    const double start = afn_now_s();
    AFN_TRY(check_kept(f, phase));
    AFN_TRY(afn_fit__solve(f, o, &e));
    AFN_TRY(afn_fit__close_epoch(f, &e, start));
    AFN_TRY(after_epoch(f, NULL, phase, &e));
done:
    return st;
}

/* A run that is stopped in here begins the phase anew when it goes on. */
static afn_status solve(afn_fit_run *f, const afn_phase *phase)
{
    afn_status st = AFN_OK;
    afn_objective o = { 0 };
    AFN_TRY(unfreeze(f, phase));
    AFN_TRY(afn_objective_open(&o, f, phase));
    AFN_TRY(prepare(f, o.plan, phase));
    if (!is_over(f, phase)) st = solve_epoch(f, &o, phase);
    if (st == AFN_ECANCELLED && f->end == AFN_END_TIME) st = AFN_OK;
    if (st == AFN_OK && f->end != AFN_END_TIME)
        st = end(f, o.plan, phase);
    else if (st == AFN_OK || st == AFN_ECANCELLED)
        st = afn_checkpoint_save_stopped(f, NULL, st);
done:
    afn_fit__join(f);
    afn_objective_close(&o);
    return st;
}

afn_status afn_fit__phase(afn_fit_run *f)
{
    const afn_phase *phase = &f->o.phase[f->at.phase];
    if (phase->epochs <= 0) {
        f->at.phase++;
        return AFN_OK;
    }
    return phase->solver == AFN_SOLVER_LBFGS ? solve(f, phase) : train(f, phase);
}
