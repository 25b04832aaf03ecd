/* SPDX-License-Identifier: Apache-2.0 */
/* What the convolutions of a step take with nothing between them: the floor that a
 * step's time is compared with. */
#include <string.h>

#include "engine/plan.h"

/* Would the two take the same time? */
static bool same_products(const afn_step *a, const afn_step *b)
{
    return !memcmp(&a->node->attr.conv, &b->node->attr.conv,
                   sizeof a->node->attr.conv) &&
           afn_shape_equal(&a->in_shape[0], &b->in_shape[0]) && a->train == b->train &&
           a->grad_input[0] == b->grad_input[0] &&
           a->grad_param[AFN_WEIGHT] == b->grad_param[AFN_WEIGHT];
}

/* Time step i, or copy the time of an equal one before it. */
static afn_status time_step(double *seconds, const afn_plan *p, int i)
{
    const afn_step *s = &p->low.step[i];
    for (int k = 0; k < i; k++) {
        const afn_step *before = &p->low.step[k];
        if (before->op != AFN_OP_CONV2D || !same_products(before, s)) continue;
        seconds[i] = seconds[k];
        return AFN_OK;
    }
    return afn_context(p->backend->time_alone(p->device, s, p->opts.batch, &seconds[i]),
                       "%s", s->node->name);
}

afn_status afn_plan_convolutions_alone(double *seconds, const afn_plan *p)
{
    afn_status st = AFN_OK;
    double *each = NULL;
    *seconds = 0;
    AFN_REQUIRE(p->backend->time_alone, AFN_EUNSUPPORTED,
                "backend %s has no convolutions of a library to time",
                p->backend->name);
    each = afn_alloc_array((size_t)p->low.n_steps, sizeof *each);
    AFN_REQUIRE(each, AFN_ENOMEM, "out of memory");
    p->backend->enter(p->device);
    for (int i = 0; i < p->low.n_steps; i++) {
        if (p->low.step[i].op != AFN_OP_CONV2D) continue;
        AFN_TRY(time_step(each, p, i));
        *seconds += each[i];
    }
done:
    afn_free(each);
    return st;
}
