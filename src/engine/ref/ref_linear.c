/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layer: y[n,o] = b[o] + sum over i of w[o,i] * x[n,i]
 *     dx[n,i] = sum over o of w[o,i] * dy[n,o]
 *     dw[o,i] = sum over n of dy[n,o] * x[n,i]
 *     db[o]   = sum over n of dy[n,o] */
#include "engine/ref/ref.h"

enum { BLOCK = 256 }; /* inputs whose gradient one thread makes at a time */

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t ic = s->in_shape[0].dim[0], oc = s->out_shape.dim[0];
    const float *w = afn_ref__param(s, a, AFN_WEIGHT); /* (oc, ic) */
    const float *b = afn_ref__param(s, a, AFN_BIAS);   /* (oc) */
    const float *x = a->in[0];                         /* (n, ic) */
    float *y = a->out;                                 /* (n, oc) */

#pragma omp parallel for
    for (int64_t o = 0; o < oc; o++)
        for (int64_t n = 0; n < a->n; n++) {
            float sum = 0;
#pragma omp simd reduction(+ : sum)
            for (int64_t i = 0; i < ic; i++) sum += w[o * ic + i] * x[n * ic + i];
            y[n * oc + o] = sum + (b ? b[o] : 0);
        }
    return AFN_OK;
}

static void backward_input(const afn_step *s, const afn_args *a, float *dx)
{
    const int64_t ic = s->in_shape[0].dim[0], oc = s->out_shape.dim[0];
    const float *w = afn_ref__param(s, a, AFN_WEIGHT), *dy = a->dout;

#pragma omp parallel for
    for (int64_t start = 0; start < ic; start += BLOCK) {
        const int64_t end = start + BLOCK < ic ? start + BLOCK : ic;
        for (int64_t o = 0; o < oc; o++)
            for (int64_t n = 0; n < a->n; n++) {
                const float d = dy[n * oc + o];
#pragma omp simd
                for (int64_t i = start; i < end; i++)
                    dx[n * ic + i] += w[o * ic + i] * d;
            }
    }
}

static void backward_weight(const afn_step *s, const afn_args *a, float *dw)
{
    const int64_t ic = s->in_shape[0].dim[0], oc = s->out_shape.dim[0];
    const float *x = a->in[0], *dy = a->dout;

#pragma omp parallel for
    for (int64_t o = 0; o < oc; o++) {
        for (int64_t i = 0; i < ic; i++) dw[o * ic + i] = 0;
        for (int64_t n = 0; n < a->n; n++) {
            const float d = dy[n * oc + o];
#pragma omp simd
            for (int64_t i = 0; i < ic; i++) dw[o * ic + i] += d * x[n * ic + i];
        }
    }
}

static void backward_bias(const afn_step *s, const afn_args *a, float *db)
{
    const int64_t oc = s->out_shape.dim[0];
    const float *dy = a->dout;
    for (int64_t o = 0; o < oc; o++) {
        double sum = 0;
        for (int64_t n = 0; n < a->n; n++) sum += dy[n * oc + o];
        db[o] = (float)sum;
    }
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    float *dx = afn_ref__din(s, a, 0);
    float *dw = afn_ref__dparam(s, a, AFN_WEIGHT);
    float *db = afn_ref__dparam(s, a, AFN_BIAS);
    if (dx) backward_input(s, a, dx);
    if (dw) backward_weight(s, a, dw);
    if (db) backward_bias(s, a, db);
    return AFN_OK;
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    k->keep_input = p->step->train && p->step->grad_param[AFN_WEIGHT];
    return afn_ref__prepare(p, k);
}

const afn_kernel_ops afn_ref__linear = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
