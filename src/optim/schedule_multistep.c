/* SPDX-License-Identifier: Apache-2.0 */
/* A fall to gamma of the rate at each milestone, as MultiStepLR. */
#include <math.h>

#include "optim/lr_schedule.h"

static afn_status multistep_check(const afn_schedule_opts *o)
{
    if (o->n_milestones < 1 || o->n_milestones > AFN_MAX_MILESTONES)
        return afn_fail(AFN_EINVAL, "%d milestones, multistep needs 1 to %d",
                        o->n_milestones, (int)AFN_MAX_MILESTONES);
    for (int i = 0; i < o->n_milestones; i++)
        if (o->milestone[i] <= (i ? o->milestone[i - 1] : 0))
            return afn_fail(AFN_EINVAL, "milestone %d is %d, need one after %d", i + 1,
                            o->milestone[i], i ? o->milestone[i - 1] : 0);
    return AFN_OK;
}

static double multistep_lr(const afn_schedule_opts *o, const afn_moment *m)
{
    int passed = 0;
    while (passed < o->n_milestones && o->milestone[passed] <= m->t) passed++;
    return m->lr * pow((double)o->gamma, passed);
}

const afn_schedule afn_schedule_multistep = { .name = "multistep",
                                              .check = multistep_check,
                                              .lr = multistep_lr };
