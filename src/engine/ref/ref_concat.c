/* SPDX-License-Identifier: Apache-2.0 */
/* Concatenation along channels: y[n] is x0[n], x1[n], ... one after another, and each
 * input's gradient is its part of dy. */
#include "engine/ref/ref.h"

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t out = afn_ref__dims(&s->out_shape).count; /* floats of one sample */
    float *y = a->out;
    int64_t at = 0; /* where input i starts within a sample */
    for (int i = 0; i < s->n_inputs; i++) {
        const int64_t part = afn_ref__dims(&s->in_shape[i]).count;
        const float *x = a->in[i];
        for (int64_t n = 0; n < a->n; n++)
            memcpy(y + n * out + at, x + n * part, (size_t)part * sizeof *y);
        at += part;
    }
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t out = afn_ref__dims(&s->out_shape).count;
    const float *dy = a->dout;
    int64_t at = 0;
    for (int i = 0; i < s->n_inputs; i++) {
        const int64_t part = afn_ref__dims(&s->in_shape[i]).count;
        float *dx = afn_ref__din(s, a, i);
        for (int64_t n = 0; dx && n < a->n; n++)
            for (int64_t e = 0; e < part; e++) dx[n * part + e] += dy[n * out + at + e];
        at += part;
    }
    return AFN_OK;
}

const afn_kernel_ops afn_ref__concat = {
    .prepare = afn_ref__prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
