/* SPDX-License-Identifier: Apache-2.0 */
/* Stochastic depth, "row": every sample is zeroed with probability p, the others grow
 * by 1/(1-p): y = m x    dx = m dy    with m = 0 or 1/(1-p) for a whole sample and y =
 * x where it is not active.
 *
 * m is a pure function of (seed, node, call, sample of the batch): sample i uses lane 0
 * of the generator's block i, and stays where that number, scaled to [0,1), is not
 * below p. */
#include "engine/ref/ref.h"

static float factor(const afn_step *s, const afn_args *a, int64_t n)
{
    const float p = s->node->attr.p;
    const uint64_t stream =
        afn_rng_stream(AFN_RNG_DROPOUT, (uint32_t)s->output, (uint32_t)a->call);
    uint32_t bits[4];
    if (!s->random) return 1;
    afn_rng_block(bits, a->seed, stream, (uint64_t)(a->first + n));
    return (float)(bits[0] >> 8) * 0x1p-24f >= p ? 1 / (1 - p) : 0;
}

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = afn_ref__dims(&s->out_shape).count;
    const float *x = a->in[0];
    float *y = a->out;
    for (int64_t n = 0; n < a->n; n++) {
        const float m = factor(s, a, n);
        for (int64_t i = n * count; i < (n + 1) * count; i++) y[i] = m * x[i];
    }
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = afn_ref__dims(&s->out_shape).count;
    const float *dy = a->dout;
    float *dx = afn_ref__din(s, a, 0);
    for (int64_t n = 0; dx && n < a->n; n++) {
        const float m = factor(s, a, n);
        for (int64_t i = n * count; i < (n + 1) * count; i++) dx[i] += m * dy[i];
    }
    return AFN_OK;
}

const afn_kernel_ops afn_ref__stochastic_depth = {
    .prepare = afn_ref__prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
