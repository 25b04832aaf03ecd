/* SPDX-License-Identifier: Apache-2.0 */
/* Activations, element by element.
 *     relu    y = max(x, 0)           dx = dy where y > 0, else 0
 *     relu6   y = min(max(x, 0), 6)   dx = dy where 0 < y < 6, else 0
 * The gradient at the corners is 0, as in PyTorch; a NaN stays one. */
#include "engine/ref/ref.h"

static float relu(float x)
{
    return x < 0 ? 0 : x;
}

static float relu6(float x)
{
    return x < 0 ? 0 : x > 6 ? 6 : x;
}

/* Factor of dy, from the output. */
static float drelu(float y)
{
    return y <= 0 ? 0 : 1;
}

static float drelu6(float y)
{
    return y <= 0 || y >= 6 ? 0 : 1;
}

static const struct {
    float (*value)(float x);
    float (*slope)(float y);
} act_table[] = {
    [AFN_ACT_RELU] = { relu, drelu },
    [AFN_ACT_RELU6] = { relu6, drelu6 },
};
static_assert(AFN_COUNT(act_table) == AFN_N_ACTS, "one row per activation");

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = a->n * afn_ref__dims(&s->out_shape).count;
    float (*value)(float) = act_table[s->node->attr.act].value;
    const float *x = a->in[0];
    float *y = a->out;
#pragma omp parallel for
    for (int64_t i = 0; i < count; i++) y[i] = value(x[i]);
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = a->n * afn_ref__dims(&s->out_shape).count;
    float (*slope)(float) = act_table[s->node->attr.act].slope;
    const float *y = a->out, *dy = a->dout;
    float *dx = afn_ref__din(s, a, 0);
    if (!dx) return AFN_OK;
#pragma omp parallel for
    for (int64_t i = 0; i < count; i++) dx[i] += slope(y[i]) != 0 ? dy[i] : 0;
    return AFN_OK;
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    k->keep_output = p->step->train;
    return afn_ref__prepare(p, k);
}

const afn_kernel_ops afn_ref__activation = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
