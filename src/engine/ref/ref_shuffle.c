/* SPDX-License-Identifier: Apache-2.0 */
/* Channel shuffle: channel i of g groups of k moves to channel (i % k) * g + i / k. */
#include "engine/ref/ref.h"

static int64_t moved(int64_t i, int64_t groups, int64_t channels)
{
    const int64_t k = channels / groups;
    return i % k * groups + i / k;
}

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const float *x = a->in[0];
    float *y = a->out;
    for (int64_t u = 0; u < a->n * d.c; u++) {
        const int64_t c = moved(u % d.c, s->node->attr.groups, d.c);
        memcpy(y + (u / d.c * d.c + c) * d.plane, x + u * d.plane,
               (size_t)d.plane * sizeof *y);
    }
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const float *dout = a->dout;
    float *dx = afn_ref__din(s, a, 0);
    for (int64_t u = 0; dx && u < a->n * d.c; u++) {
        const int64_t c = moved(u % d.c, s->node->attr.groups, d.c);
        const float *dy = dout + (u / d.c * d.c + c) * d.plane;
        for (int64_t i = 0; i < d.plane; i++) dx[u * d.plane + i] += dy[i];
    }
    return AFN_OK;
}

const afn_kernel_ops afn_ref__shuffle = {
    .prepare = afn_ref__prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
