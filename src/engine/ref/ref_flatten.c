/* SPDX-License-Identifier: Apache-2.0 */
/* Flatten: (n,c,h,w) -> (n, c*h*w).  Row-major values do not move, so it is a copy. */
#include "engine/ref/ref.h"

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = a->n * afn_ref__dims(&s->out_shape).count;
    memcpy(a->out, a->in[0], (size_t)count * sizeof(float));
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = a->n * afn_ref__dims(&s->out_shape).count;
    const float *dy = a->dout;
    float *dx = afn_ref__din(s, a, 0);
    for (int64_t i = 0; dx && i < count; i++) dx[i] += dy[i];
    return AFN_OK;
}

const afn_kernel_ops afn_ref__flatten = {
    .prepare = afn_ref__prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
