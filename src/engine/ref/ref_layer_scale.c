/* SPDX-License-Identifier: Apache-2.0 */
/* Layer scale: y[n,c,i] = w[c] x[n,c,i],
 *     dx = w dy    dw[c] = sum over n,i of x dy. */
#include "engine/ref/ref.h"

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const float *w = afn_ref__param(s, a, AFN_WEIGHT), *x = a->in[0];
    float *y = a->out;
#pragma omp parallel for
    for (int64_t u = 0; u < a->n * d.c; u++)
        for (int64_t i = u * d.plane; i < (u + 1) * d.plane; i++)
            y[i] = w[u % d.c] * x[i];
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const float *w = afn_ref__param(s, a, AFN_WEIGHT), *x = a->in[0], *dy = a->dout;
    float *dw = afn_ref__dparam(s, a, AFN_WEIGHT), *dx = afn_ref__din(s, a, 0);
#pragma omp parallel for
    for (int64_t c = 0; c < d.c; c++) {
        double sum = 0;
        for (int64_t n = 0; n < a->n; n++)
            for (int64_t i = 0; i < d.plane; i++) {
                const int64_t at = (n * d.c + c) * d.plane + i;
                sum += (double)x[at] * (double)dy[at];
                if (dx) dx[at] += w[c] * dy[at];
            }
        if (dw) dw[c] = (float)sum;
    }
    return AFN_OK;
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    k->keep_input = p->step->train;
    return afn_ref__prepare(p, k);
}

const afn_kernel_ops afn_ref__layer_scale = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
