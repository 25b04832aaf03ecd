/* SPDX-License-Identifier: Apache-2.0 */
/* gamma of the rate before in every epoch, as ExponentialLR. */
#include <math.h>

#include "optim/lr_schedule.h"

static double exponential_lr(const afn_schedule_opts *o, const afn_moment *m)
{
    return m->lr * pow((double)o->gamma, m->t);
}

const afn_schedule afn_schedule_exponential = { .name = "exponential",
                                                .lr = exponential_lr };
