/* SPDX-License-Identifier: Apache-2.0 */
/* Optimiser state, gathered gradients, averages and the count of calls, out of a plan
 * and into another.  Packing moves floats and never rounds them, so nothing is lost on
 * the way. */
#include <string.h>

#include "engine/plan.h"

bool afn_plan_has_state(const afn_plan *p, int i, int k)
{
    return i >= 0 && i < p->n_params && k >= 0 && k < AFN_N_STATES &&
           p->blob[i].state[k];
}

afn_status afn_plan_read_state(const afn_plan *p, int i, int k, float *out)
{
    if (!afn_plan_has_state(p, i, k))
        return afn_fail(AFN_EINVAL, "parameter %d has no state %d", i, k);
    const afn_blob *b = &p->blob[i];
    const afn_param *d = afn_graph_param(p->graph, i);
    p->backend->enter(p->device);
    return afn_context(p->backend->unpack(p->device, b, &d->shape, b->state[k], out),
                       "%s", d->name);
}

afn_status afn_plan_write_state(afn_plan *p, int i, int k, const float *in)
{
    const bool any = k == AFN_STATE_AVERAGE; /* of running statistics too */
    if (i < 0 || i >= p->n_params || k < 0 || k >= AFN_N_STATES || !p->blob[i].value ||
        !(p->blob[i].trainable || any))
        return afn_fail(AFN_EINVAL, "parameter %d is not trained", i);
    afn_blob *b = &p->blob[i];
    const afn_param *d = afn_graph_param(p->graph, i);
    const size_t bytes = (size_t)b->count * sizeof(float);
    if (!b->state[k]) b->state[k] = afn_alloc_aligned(bytes);
    if (!b->state[k]) return afn_fail(AFN_ENOMEM, "out of memory");
    memset(b->state[k], 0, bytes); /* what packing pads with */
    p->backend->enter(p->device);
    return afn_context(p->backend->pack(p->device, b, &d->shape, in, b->state[k]), "%s",
                       d->name);
}

uint64_t afn_plan_calls(const afn_plan *p)
{
    return p->calls;
}

void afn_plan_set_calls(afn_plan *p, uint64_t calls)
{
    p->calls = calls;
}
