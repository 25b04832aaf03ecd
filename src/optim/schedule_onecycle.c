/* SPDX-License-Identifier: Apache-2.0 */
/* Up from lr / div_factor to lr within pct_start of the steps, and down to a
 * final_div_factor'th of where it began, in half cosines; the momentum down and up at
 * the same time.  As OneCycleLR with its defaults (Smith and Topin 2018,
 * https://arxiv.org/abs/1708.07120). */
#include <math.h>

#include "optim/lr_schedule.h"

static afn_status onecycle_check(const afn_schedule_opts *o)
{
    if (!o->warmup_epochs && !o->warmup_steps) return AFN_OK;
    return afn_fail(AFN_EINVAL, "onecycle has a warm-up of its own");
}

/* Half a cosine from a to b, at part `at` of the way. */
static double between(double a, double b, double at)
{
    const double pi = 3.14159265358979323846;
    return b + (a - b) / 2 * (1 + cos(pi * at));
}

/* From `low` at the first step to `high` at the top and on to `last` in the last one.
 * The first of n steps is 0, the last n - 1; the top is at pct_start n - 1, which may
 * lie before the first. */
static double cycle(const afn_schedule_opts *o, const afn_moment *m, double low,
                    double high, double last)
{
    const double top = (double)o->pct_start * m->span - 1, end = m->span - 1;
    if (m->t <= top) return top > 0 ? between(low, high, m->t / top) : high;
    return end > top ? between(high, last, (fmin(m->t, end) - top) / (end - top))
                     : last;
}

static double onecycle_lr(const afn_schedule_opts *o, const afn_moment *m)
{
    const double low = m->lr / (double)o->div_factor;
    return cycle(o, m, low, m->lr, low / (double)o->final_div_factor);
}

static double onecycle_momentum(const afn_schedule_opts *o, const afn_moment *m)
{
    const double ends = (double)o->max_momentum;
    return cycle(o, m, ends, (double)o->base_momentum, ends);
}

const afn_schedule afn_schedule_onecycle = { .name = "onecycle",
                                             .each_step = true,
                                             .needs_span = true,
                                             .check = onecycle_check,
                                             .lr = onecycle_lr,
                                             .momentum = onecycle_momentum };
