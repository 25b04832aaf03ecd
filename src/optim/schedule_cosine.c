/* SPDX-License-Identifier: Apache-2.0 */
/* Half a cosine from lr down to eta_min, as CosineAnnealingLR whose T_max is the span
 * (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983). */
#include <math.h>

#include "optim/lr_schedule.h"

static double cosine_lr(const afn_schedule_opts *o, const afn_moment *m)
{
    const double pi = 3.14159265358979323846, low = (double)o->eta_min;
    const double at = m->span > 0 ? m->t / m->span : 0;
    return low + (m->lr - low) * (1 + cos(pi * at)) / 2;
}

const afn_schedule afn_schedule_cosine = { .name = "cosine",
                                           .needs_span = true,
                                           .lr = cosine_lr };
