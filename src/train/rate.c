/* SPDX-License-Identifier: Apache-2.0 */
/* Time is counted here, in epochs or in steps of the optimiser; warm-up is laid before
 * or over the schedule, which knows nothing of it. */
#include "train/rate.h"

static bool counts_steps(const afn_rate *r)
{
    return r->schedule->each_step || r->o.on_updates;
}

static afn_status check_length(const afn_rate *r)
{
    const bool end = r->schedule->needs_span;
    const bool steps = counts_steps(r) && (end || r->o.warmup_epochs);
    if ((!end || r->epochs > 0) && (!steps || r->epoch_steps > 0)) return AFN_OK;
    return afn_fail(AFN_EINVAL, "schedule %s needs the number of %s", r->schedule->name,
                    end && r->epochs <= 0 ? "epochs" : "steps in an epoch");
}

afn_status afn_rate_begin(afn_rate *r, const afn_trainer_opts *o)
{
    const int64_t batches = o->optim.accumulate;
    *r = (afn_rate){ .o = o->schedule,
                     .lr = (double)o->optim.lr,
                     .by_hand = 1,
                     .epochs = o->epochs,
                     .epoch_steps = (o->epoch_steps + batches - 1) / batches };
    afn_plateau_begin(&r->plateau, r->lr);
    const afn_status st = afn_schedule_find(&r->schedule, o->schedule.schedule);
    return st == AFN_OK ? check_length(r) : st;
}

/* Epochs of warm-up, in the schedule's time. */
static int64_t warmup(const afn_rate *r)
{
    return r->o.warmup_epochs * (counts_steps(r) ? r->epoch_steps : 1);
}

static afn_moment moment(const afn_rate *r)
{
    const bool steps = counts_steps(r);
    const int64_t of = r->epochs * (steps ? r->epoch_steps : 1), before = warmup(r);
    afn_moment m = { .t = (double)((steps ? r->steps : r->epoch) - before),
                     .span = (double)(of - before),
                     .lr = r->lr,
                     .plateau = &r->plateau };
    if (r->schedule->needs_span && m.t > m.span) m.t = m.span;
    return m;
}

/* LinearLR at t of n. */
static double rising(const afn_rate *r, double t, double n)
{
    const double from = (double)r->o.warmup_factor;
    return t < n ? from + (1 - from) * t / n : 1;
}

/* Without what was set by hand. */
static double scheduled(const afn_rate *r)
{
    const afn_moment m = moment(r);
    const double before = (double)warmup(r);
    const double over = rising(r, (double)r->steps, (double)r->o.warmup_steps);
    if (m.t < 0) return r->lr * rising(r, m.t + before, before);
    return r->schedule->lr(&r->o, &m) * over;
}

double afn_rate_now(const afn_rate *r)
{
    return scheduled(r) * r->by_hand;
}

double afn_rate_momentum(const afn_rate *r, double own)
{
    const afn_moment m = moment(r);
    if (!r->schedule->momentum || !r->o.cycle_momentum) return own;
    return r->schedule->momentum(&r->o, &m);
}

void afn_rate_set(afn_rate *r, double lr)
{
    const double now = scheduled(r);
    if (now > 0) {
        r->by_hand = lr / now;
    } else { /* it began with 0 */
        r->lr = r->plateau.lr = lr;
        r->by_hand = 1;
    }
}

void afn_rate_report(afn_rate *r, double loss)
{
    if (r->epoch > r->o.warmup_epochs) afn_plateau_report(&r->plateau, &r->o, loss);
}

void afn_rate_fields(afn_rate *r, afn_fields *f)
{
    afn_field_int(f, "trainer.epoch", &r->epoch);
    afn_field_int(f, "trainer.steps", &r->steps);
    afn_field_real(f, "trainer.lr", &r->lr);
    afn_field_real(f, "trainer.by_hand", &r->by_hand);
    afn_field_real(f, "plateau.lr", &r->plateau.lr);
    afn_field_real(f, "plateau.best", &r->plateau.best);
    afn_field_int(f, "plateau.bad", &r->plateau.bad);
    afn_field_int(f, "plateau.cooldown", &r->plateau.cooldown);
    if (r->epoch < 0 || r->steps < 0) afn_fields_fail(f, "trainer");
}
