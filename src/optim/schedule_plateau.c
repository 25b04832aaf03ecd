/* SPDX-License-Identifier: Apache-2.0 */
/* A smaller rate where the loss no longer falls, as ReduceLROnPlateau with mode "min"
 * and threshold_mode "rel". */
#include <math.h>

#include "optim/lr_schedule.h"

/* A change that is smaller is not made; ReduceLROnPlateau's eps. */
static const double least_change = 1e-8;

void afn_plateau_begin(afn_plateau *p, double lr)
{
    *p = (afn_plateau){ .lr = lr, .best = INFINITY };
}

static void reduce(afn_plateau *p, const afn_schedule_opts *o)
{
    const double lr = fmax(p->lr * (double)o->factor, (double)o->min_lr);
    if (p->lr - lr > least_change) p->lr = lr;
    p->cooldown = o->cooldown;
    p->bad = 0;
}

void afn_plateau_report(afn_plateau *p, const afn_schedule_opts *o, double loss)
{
    if (loss < p->best * (1 - (double)o->threshold)) {
        p->best = loss;
        p->bad = 0;
    } else {
        p->bad++;
    }
    if (p->cooldown > 0) {
        p->cooldown--;
        p->bad = 0;
    }
    if (p->bad > o->patience) reduce(p, o);
}

static double plateau_lr(const afn_schedule_opts *o, const afn_moment *m)
{
    (void)o;
    return m->plateau->lr;
}

const afn_schedule afn_schedule_plateau = { .name = "plateau", .lr = plateau_lr };
