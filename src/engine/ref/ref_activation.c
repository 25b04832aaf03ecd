/* SPDX-License-Identifier: Apache-2.0 */
/* Activations, element by element.
 *     relu         y = max(x, 0)               dx = dy where y > 0, else 0
 *     relu6        y = min(max(x, 0), 6)       dx = dy where 0 < y < 6, else 0
 *     sigmoid      y = 1 / (1 + e^-x)          y' = y (1 - y)
 *     silu         y = x s, s = sigmoid(x)     y' = s (1 + x (1 - s))
 *     hardsigmoid  y = relu6(x + 3) / 6        y' = 1/6 where -3 < x < 3, else 0
 *     hardswish    y = x hardsigmoid(x)        y' = 0, (2 x + 3) / 6 or 1
 *     gelu         y = x P, P = (1 + erf(x / sqrt 2)) / 2
 *                                              y' = P + x e^(-x x / 2) / sqrt(2 pi)
 * At corners the gradient is PyTorch's: 0 for ReLU and ReLU6; a NaN stays one.  The
 * first two are known from y, the others from x. */
#include "engine/ref/ref.h"

static float relu(float x)
{
    return x < 0 ? 0 : x;
}

static float relu6(float x)
{
    return x < 0 ? 0 : x > 6 ? 6 : x;
}

static float sigmoid(float x)
{
    return (float)(1 / (1 + exp(-(double)x)));
}

static float silu(float x)
{
    return (float)((double)x / (1 + exp(-(double)x)));
}

static float hardsigmoid(float x)
{
    return relu6(x + 3) / 6;
}

static float hardswish(float x)
{
    return x * relu6(x + 3) / 6;
}

/* Probability that a standard normal number is at most x. */
static double normal(double x)
{
    return 0.5 * (1 + erf(x * 0.70710678118654752440));
}

static float gelu(float x)
{
    return (float)((double)x * normal((double)x));
}

/* Factors of dy: of the first two from the output, of the others from the input. */
static float drelu(float y)
{
    return y <= 0 ? 0 : 1;
}

static float drelu6(float y)
{
    return y <= 0 || y >= 6 ? 0 : 1;
}

static float dsigmoid(float x)
{
    const double s = 1 / (1 + exp(-(double)x));
    return (float)(s * (1 - s));
}

static float dsilu(float x)
{
    const double s = 1 / (1 + exp(-(double)x));
    return (float)(s * (1 + (double)x * (1 - s)));
}

static float dhardsigmoid(float x)
{
    return x > -3 && x < 3 ? 1.0f / 6 : 0;
}

static float dhardswish(float x)
{
    return x < -3 ? 0 : x <= 3 ? x / 3 + 0.5f : 1;
}

static float dgelu(float x)
{
    const double u = (double)x, density = exp(-u * u / 2) * 0.39894228040143267794;
    return (float)(normal(u) + u * density);
}

static const struct {
    float (*value)(float x);
    float (*slope)(float);
    bool of_input; /* what slope takes */
} act_table[] = {
    [AFN_ACT_RELU] = { relu, drelu, false },
    [AFN_ACT_RELU6] = { relu6, drelu6, false },
    [AFN_ACT_SILU] = { silu, dsilu, true },
    [AFN_ACT_SIGMOID] = { sigmoid, dsigmoid, true },
    [AFN_ACT_HARDSWISH] = { hardswish, dhardswish, true },
    [AFN_ACT_HARDSIGMOID] = { hardsigmoid, dhardsigmoid, true },
    [AFN_ACT_GELU] = { gelu, dgelu, true },
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
    const float *of = act_table[s->node->attr.act].of_input ? a->in[0] : a->out;
    const float *dy = a->dout;
    float *dx = afn_ref__din(s, a, 0);
    if (!dx) return AFN_OK;
#pragma omp parallel for
    for (int64_t i = 0; i < count; i++) {
        const float m = slope(of[i]);
        if (m != 0) dx[i] += m * dy[i]; /* not 0 times infinity */
    }
    return AFN_OK;
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    const bool of_input = act_table[p->step->node->attr.act].of_input;
    k->keep_input = p->step->train && of_input;
    k->keep_output = p->step->train && !of_input;
    return afn_ref__prepare(p, k);
}

const afn_kernel_ops afn_ref__activation = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
