/* SPDX-License-Identifier: Apache-2.0 */
/* Addition: y = a + b, da = dy, db = dy.  Both may be one value: then it gets twice dy,
 * by way of the second gradient being added to the first. */
#include "engine/ref/ref.h"

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = a->n * afn_ref__dims(&s->out_shape).count;
    const float *left = a->in[0], *right = a->in[1];
    float *y = a->out;
#pragma omp parallel for simd
    for (int64_t i = 0; i < count; i++) y[i] = left[i] + right[i];
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = a->n * afn_ref__dims(&s->out_shape).count;
    const float *dy = a->dout;
    for (int side = 0; side < 2; side++) {
        float *dx = afn_ref__din(s, a, side);
        if (!dx) continue;
#pragma omp parallel for simd
        for (int64_t i = 0; i < count; i++) dx[i] += dy[i];
    }
    return AFN_OK;
}

const afn_kernel_ops afn_ref__add = {
    .prepare = afn_ref__prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
