/* SPDX-License-Identifier: Apache-2.0 */
/* Slice: y is channels first ... first + count - 1 of x; their gradient is dy, that of
 * the others 0. */
#include "engine/ref/ref.h"

/* Where sample n's part begins in x. */
static int64_t start(const afn_step *s, int64_t n)
{
    const afn_ref_dims in = afn_ref__dims(&s->in_shape[0]);
    return n * in.count + s->node->attr.slice.first * in.plane;
}

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = afn_ref__dims(&s->out_shape).count;
    const float *x = a->in[0];
    float *y = a->out;
    for (int64_t n = 0; n < a->n; n++)
        memcpy(y + n * count, x + start(s, n), (size_t)count * sizeof *y);
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = afn_ref__dims(&s->out_shape).count;
    const float *dy = a->dout;
    float *dx = afn_ref__din(s, a, 0);
    for (int64_t n = 0; dx && n < a->n; n++)
        for (int64_t i = 0; i < count; i++) dx[start(s, n) + i] += dy[n * count + i];
    return AFN_OK;
}

const afn_kernel_ops afn_ref__slice = {
    .prepare = afn_ref__prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
