/* SPDX-License-Identifier: Apache-2.0 */
/* The same learning rate from end to end. */
#include "optim/lr_schedule.h"

static double constant_lr(const afn_schedule_opts *o, const afn_moment *m)
{
    (void)o;
    return m->lr;
}

const afn_schedule afn_schedule_constant = { .name = "constant", .lr = constant_lr };
