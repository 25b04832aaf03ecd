/* SPDX-License-Identifier: Apache-2.0 */
/* A fall to gamma of the rate after every step_size epochs, as StepLR. */
#include <math.h>

#include "optim/lr_schedule.h"

static double step_lr(const afn_schedule_opts *o, const afn_moment *m)
{
    return m->lr * pow((double)o->gamma, floor(m->t / o->step_size));
}

const afn_schedule afn_schedule_step = { .name = "step", .lr = step_lr };
