/* SPDX-License-Identifier: Apache-2.0 */
/* Max pooling: y[n,c,i,j] = max over u,v of x[n,c, i*sh+u-ph, j*sw+v-pw], positions
 * outside the image left out.  The gradient goes to the maximum; of equal ones to the
 * first in row order, and a NaN counts as the largest, as in PyTorch. */
#include "engine/ref/ref.h"

/* Index within a plane (h,w) of the maximum in the window of output (i,j); -1 where the
 * window holds no pixel. */
static int64_t argmax(const float *x, afn_ref_dims d, const afn_pool_attr *p, int64_t i,
                      int64_t j)
{
    int64_t best = -1;
    for (int64_t u = 0; u < p->kh; u++)
        for (int64_t v = 0; v < p->kw; v++) {
            const int64_t row = i * p->sh + u - p->ph, col = j * p->sw + v - p->pw;
            if (row < 0 || row >= d.h || col < 0 || col >= d.w) continue;
            const int64_t at = row * d.w + col;
            if (best < 0 || x[at] > x[best] || isnan(x[at])) best = at;
        }
    return best;
}

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims in = afn_ref__dims(&s->in_shape[0]);
    const afn_ref_dims out = afn_ref__dims(&s->out_shape);
    const afn_pool_attr *p = &s->node->attr.pool;
    const float *x = a->in[0];                  /* (n, c, h, w) */
    float *y = a->out;                          /* (n, c, oh, ow) */
    int64_t *index = s->train ? a->keep : NULL; /* (n, c, oh, ow) */

#pragma omp parallel for
    for (int64_t plane = 0; plane < a->n * in.c; plane++)
        for (int64_t i = 0; i < out.h; i++)
            for (int64_t j = 0; j < out.w; j++) {
                const float *xp = x + plane * in.plane;
                const int64_t best = argmax(xp, in, p, i, j);
                const int64_t at = plane * out.plane + i * out.w + j;
                y[at] = best < 0 ? -INFINITY : xp[best];
                if (index) index[at] = best;
            }
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims in = afn_ref__dims(&s->in_shape[0]);
    const afn_ref_dims out = afn_ref__dims(&s->out_shape);
    const int64_t *index = a->keep;
    const float *dy = a->dout;
    float *dx = afn_ref__din(s, a, 0);
    if (!dx) return AFN_OK;

#pragma omp parallel for
    for (int64_t plane = 0; plane < a->n * in.c; plane++)
        for (int64_t i = 0; i < out.plane; i++) {
            const int64_t at = plane * out.plane + i;
            if (index[at] >= 0) dx[plane * in.plane + index[at]] += dy[at];
        }
    return AFN_OK;
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    const afn_status st = afn_ref__prepare(p, k);
    /* A 64-bit index for each float of the output. */
    if (st == AFN_OK && p->step->train)
        k->keep_bytes = (size_t)p->n * k->out.bytes / sizeof(float) * sizeof(int64_t);
    return st;
}

const afn_kernel_ops afn_ref__max_pool = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
