/* SPDX-License-Identifier: Apache-2.0 */
/* One epoch of a run, from its first batch or from where the run before was in it. */
#include <math.h>

#include "train/fit.h"
#include "train/run/checkpoint.h"
#include "train/run/records.h"

/* Seconds of the later epochs of a phase where this one takes epoch_s: without the
 * prefix those that find what this one and others before still make.  Backward counts
 * as two forward passes. */
static double later_epochs(const afn_fit_run *f, const afn_epoch *e, double epoch_s)
{
    const afn_batches *b = &f->train;
    const int left = e->of - e->epoch, made = b->views - e->epoch;
    if (!b->cache.count || b->cached) return left * epoch_s;
    const int alike = made > 0 ? made : 0; /* that make another view */
    const double all = afn_graph_macs(afn_model__graph(f->model));
    const double rest = 3 * (all - b->prefix.macs);
    return epoch_s * (alike + (left - alike) * rest / (b->prefix.macs + rest));
}

/* Seconds of the phases behind the one at hand; NaN where nobody has estimated them. */
static double later_phases(const afn_fit_run *f)
{
    double s = 0;
    for (int64_t i = f->at.phase + 1; i < f->o.n_phases; i++)
        s += f->o.phase_seconds ? f->o.phase_seconds[i] : NAN;
    return s;
}

/* Tell of a step.
 *   loss     its own */
static afn_status report_step(afn_fit_run *f, const afn_epoch *e,
                              const afn_progress *now, double loss, double step_s)
{
    afn_status st = AFN_OK;
    afn_progress p = *now;
    const double left_in_epoch = step_s * (double)(p.steps - p.step) + f->val_seconds;
    const double epoch_s = step_s * (double)p.steps + f->val_seconds;
    p.seconds_left = left_in_epoch + later_epochs(f, e, epoch_s);
    p.run_seconds_left = p.seconds_left + later_phases(f);
    AFN_TRY(afn_record_step(f, &p, loss));
    if (f->o.on_step && f->o.on_step(&p, f->o.user))
        st = afn_fail(AFN_ECANCELLED, "stopped");
done:
    return st;
}

afn_status afn_fit__train_batch(afn_fit_run *f, afn_trainer *t, const afn_batch *b,
                                const void *features, afn_step_result *r)
{
    afn_batch mapped = *b;
    for (int64_t i = 0; i < b->n; i++) f->labels[i] = f->train_map[b->labels[i]];
    for (int64_t i = 0; b->other && i < b->n; i++)
        f->other[i] = f->train_map[b->other[i]];
    mapped.labels = f->labels;
    if (b->other) mapped.other = f->other;
    return afn_trainer__step(t, &mapped, features, r);
}

/* What a step adds to the epoch at hand. */
static void count_step(afn_fit_run *f, const afn_batch *b, const afn_step_result *r)
{
    afn_place *at = &f->at;
    at->loss += r->loss * (double)b->n;
    at->correct += r->correct;
    at->images += b->n;
    at->steps++;
    at->batches = afn_batches_at(&f->train);
    f->ckpt.steps++;
    f->ckpt.current = false;
}

/* The steps that are left of the epoch at hand. */
static afn_status train_steps(afn_fit_run *f, afn_trainer *t, afn_epoch *e)
{
    afn_status st = AFN_OK;
    afn_batch b = { 0 };
    const void *features = NULL;
    afn_step_result r = { 0 };
    afn_progress p = { .phase = e->phase, .epoch = e->epoch, .of = e->of };
    const int64_t images = f->at.images, steps = f->at.steps;
    const double start = afn_now_s();

    p.steps = afn_batches_count(&f->train);
    while (f->end == AFN_END_ALL) {
        AFN_TRY(afn_batches_next(&f->train, &b, &features));
        if (!b.n) break;
        p.lr = afn_trainer_lr(t);
        AFN_TRY(afn_fit__train_batch(f, t, &b, features, &r));
        count_step(f, &b, &r);
        f->at.lr = (double)p.lr;
        p.step = f->at.steps;
        p.images = f->at.images;
        p.loss = f->at.loss / (double)p.images;
        p.acc = (double)f->at.correct / (double)p.images;
        p.images_per_second = (double)(p.images - images) / (afn_now_s() - start);
        AFN_TRY(report_step(f, e, &p, r.loss,
                            (afn_now_s() - start) / (double)(p.step - steps)));
        AFN_TRY(afn_checkpoint_save_if_asked(f, t));
        if (afn_stop_is_late(&f->rules, &f->o)) f->end = AFN_END_TIME;
    }
    f->at.rate = (double)(f->at.images - images) / (afn_now_s() - start);
done:
    return st;
}

/* One pass over the training images; fills the training part of e.  A run that was
 * stopped while it validated has the pass behind it. */
static afn_status train_epoch(afn_fit_run *f, afn_trainer *t, afn_epoch *e)
{
    afn_status st = AFN_OK;
    afn_place *at = &f->at;
    if (!at->trained) {
        AFN_TRY(afn_batches_start(&f->train, f->run_epoch));
        if (at->batches) afn_batches_skip(&f->train, at->batches);
        AFN_TRY(train_steps(f, t, e));
        if (f->end != AFN_END_ALL) goto done;
        AFN_TRY(afn_trainer_end_epoch(t));
        at->trained = true;
        f->ckpt.current = false;
    }
    e->images_per_second = at->rate;
    e->train_loss = at->loss / (double)at->images;
    e->lr = (float)at->lr;
    e->train_acc = (double)at->correct / (double)at->images;
done:
    return st;
}

static afn_status validate(afn_fit_run *f, afn_epoch *e)
{
    afn_status st = AFN_OK;
    afn_eval v = { 0 };
    const afn_eval_watch watch = { f->o.on_validation, f->o.user };
    e->val_loss = e->val_acc = NAN;
    if (!f->predictor) return AFN_OK;
    AFN_TRY(afn_plan_refresh_rest(afn_predictor__plan(f->predictor)));
    AFN_TRY(afn_train__evaluate(&v, f->predictor, &f->val, f->val_map,
                                afn_model_classes(f->model), &watch));
    e->val_loss = v.loss;
    e->val_acc = (double)v.correct / (double)v.count;
    f->val_seconds = v.seconds;
done:
    afn_eval_free(&v);
    return st;
}

afn_status afn_fit__close_epoch(afn_fit_run *f, afn_epoch *e, double start)
{
    afn_status st = AFN_OK;
    e->epoch = (int)f->at.epoch + 1;
    e->run_epoch = f->run_epoch + 1;
    e->run_of = f->run_of;
    AFN_TRY(validate(f, e));
    e->skipped = afn_loader_bad(f->train.loader);
    if (f->val.loader) e->skipped += afn_loader_bad(f->val.loader);
    e->seconds = afn_now_s() - start;
    AFN_TRY(afn_best_offer(&f->best, e, f->model));
    AFN_TRY(afn_best_save_if_due(&f->best, f->model, &f->folder));
    AFN_TRY(afn_run_folder_epoch(&f->folder, e));
    AFN_TRY(afn_record_epoch(f, e));
    f->run_epoch++;
    f->at = (afn_place){ .phase = f->at.phase,
                         .start = f->at.start,
                         .epoch = f->at.epoch + 1 };
done:
    return st;
}

afn_status afn_fit__epoch(afn_fit_run *f, afn_trainer *t, afn_epoch *e)
{
    afn_status st = AFN_OK;
    const double start = afn_now_s();
    e->epoch = (int)f->at.epoch + 1;
    AFN_TRY(train_epoch(f, t, e));
    if (f->end != AFN_END_ALL) goto done;
    AFN_TRY(afn_trainer_sync_average(t));
    AFN_TRY(afn_fit__close_epoch(f, e, start));
    afn_trainer_report(t, f->predictor ? e->val_loss : e->train_loss);
done:
    return st;
}
