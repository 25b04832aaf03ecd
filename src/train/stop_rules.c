/* SPDX-License-Identifier: Apache-2.0 */
/* Early stopping as Keras's EarlyStopping: an epoch is better where it beats the best
 * of its phase by more than min_delta, and the phase ends with the epoch that is the
 * patience'th in a row which is not. */
#include "train/stop_rules.h"

#include <math.h>

static bool fraction(double x)
{
    return x >= 0 && x <= 1;
}

static afn_status check_phase(const afn_phase *p, bool validates)
{
    if (p->patience < 0)
        return afn_fail(AFN_EINVAL, "patience is %d, need 0 or more", p->patience);
    if (!(p->min_delta >= 0) || !isfinite(p->min_delta))
        return afn_fail(AFN_EINVAL, "min_delta is %g, need 0 or more", p->min_delta);
    if (p->patience && !validates)
        return afn_fail(AFN_EINVAL, "patience needs validation images");
    return AFN_OK;
}

afn_status afn_stop_check(const afn_fit_opts *o, bool validates)
{
    for (int i = 0; i < o->n_phases; i++) {
        const afn_status st = check_phase(&o->phase[i], validates);
        if (st != AFN_OK) return afn_context(st, "phase %s", o->phase[i].name);
    }
    if (!(o->time_limit_s >= 0))
        return afn_fail(AFN_EINVAL, "time limit of %g s", o->time_limit_s);
    if (!fraction(o->target_accuracy))
        return afn_fail(AFN_EINVAL, "target accuracy is %g, need 0 to 1",
                        o->target_accuracy);
    if (o->target_accuracy > 0 && !validates)
        return afn_fail(AFN_EINVAL, "a target accuracy needs validation images");
    return AFN_OK;
}

void afn_stop_begin_run(afn_stop_rules *r)
{
    r->started_s = afn_now_s();
}

void afn_stop_begin_phase(afn_stop_rules *r)
{
    r->best = NAN;
    r->waited = 0;
}

bool afn_stop_is_late(const afn_stop_rules *r, const afn_fit_opts *o)
{
    return o->time_limit_s > 0 && afn_now_s() - r->started_s >= o->time_limit_s;
}

bool afn_stop_is_reached(const afn_fit_opts *o, const afn_epoch *e)
{
    return o->target_accuracy > 0 && e->val_acc >= o->target_accuracy;
}

void afn_stop_note(afn_stop_rules *r, const afn_fit_opts *o, const afn_phase *phase,
                   const afn_epoch *e)
{
    const bool loss = o->monitor == AFN_MONITOR_LOSS;
    const double now = loss ? -e->val_loss : e->val_acc; /* larger is better */
    if (isnan(r->best) || now > r->best + phase->min_delta) {
        r->best = now;
        r->waited = 0;
    } else {
        r->waited++;
    }
}

bool afn_stop_has_waited(const afn_stop_rules *r, const afn_phase *phase)
{
    return phase->patience && r->waited >= phase->patience;
}

void afn_stop_fields(afn_stop_rules *r, afn_fields *f)
{
    afn_field_real(f, "stop.best", &r->best);
    afn_field_int(f, "stop.waited", &r->waited);
}
