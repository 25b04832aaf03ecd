/* SPDX-License-Identifier: Apache-2.0 */
/* Scale, the last step of squeeze-excitation: y[n,c,i] = s[n,c] x[n,c,i],
 *     dx = s dy    ds[n,c] = sum over i of x dy. */
#include "engine/ref/ref.h"

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const float *x = a->in[0], *factor = a->in[1];
    float *y = a->out;
#pragma omp parallel for
    for (int64_t u = 0; u < a->n * d.c; u++)
        for (int64_t i = u * d.plane; i < (u + 1) * d.plane; i++)
            y[i] = factor[u] * x[i];
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const float *x = a->in[0], *factor = a->in[1], *dy = a->dout;
    float *dx = afn_ref__din(s, a, 0), *df = afn_ref__din(s, a, 1);
#pragma omp parallel for
    for (int64_t u = 0; u < a->n * d.c; u++) {
        double sum = 0;
        for (int64_t i = u * d.plane; i < (u + 1) * d.plane; i++) {
            sum += (double)x[i] * dy[i];
            if (dx) dx[i] += factor[u] * dy[i];
        }
        if (df) df[u] += (float)sum;
    }
    return AFN_OK;
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    k->keep_input = p->step->train;
    k->keep_second = p->step->train;
    return afn_ref__prepare(p, k);
}

const afn_kernel_ops afn_ref__scale = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
