/* SPDX-License-Identifier: Apache-2.0 */
/* Dropout: every element is zeroed with probability p, the others grow by 1/(1-p):
 *     y = m * x    dx = m * dy    with m = 0 or 1/(1-p)
 * and y = x where dropout is not active.
 *
 * m is a pure function of (seed, node, call, position), so it is not kept: backward
 * computes it again.  Element e, counted in (n,c,h,w) order, uses lane e%4 of the
 * generator's block e/4, and stays where that number, scaled to [0,1), is not below p.
 */
#include "engine/ref/ref.h"

/* m of the four elements of one block */
static void mask(float m[4], const afn_step *s, const afn_args *a, int64_t block)
{
    const float p = s->node->attr.p;
    const uint64_t stream =
        afn_rng_stream(AFN_RNG_DROPOUT, (uint32_t)s->output, (uint32_t)a->call);
    uint32_t bits[4];
    afn_rng_block(bits, a->seed, stream, (uint64_t)block);
    for (int lane = 0; lane < 4; lane++)
        m[lane] = (float)(bits[lane] >> 8) * 0x1p-24f >= p ? 1 / (1 - p) : 0;
}

static int64_t element_count(const afn_step *s, const afn_args *a)
{
    return a->n * afn_ref__dims(&s->out_shape).count;
}

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = element_count(s, a);
    const float *x = a->in[0];
    float *y = a->out;
    if (!s->random) {
        memcpy(y, x, (size_t)count * sizeof *y);
        return AFN_OK;
    }
#pragma omp parallel for
    for (int64_t block = 0; block < (count + 3) / 4; block++) {
        float m[4];
        mask(m, s, a, block);
        for (int64_t e = block * 4; e < block * 4 + 4 && e < count; e++)
            y[e] = m[e % 4] * x[e];
    }
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const int64_t count = element_count(s, a);
    const float *dy = a->dout;
    float *dx = afn_ref__din(s, a, 0);
    if (!dx) return AFN_OK;
#pragma omp parallel for
    for (int64_t block = 0; block < (count + 3) / 4; block++) {
        float m[4] = { 1, 1, 1, 1 };
        if (s->random) mask(m, s, a, block);
        for (int64_t e = block * 4; e < block * 4 + 4 && e < count; e++)
            dx[e] += m[e % 4] * dy[e];
    }
    return AFN_OK;
}

const afn_kernel_ops afn_ref__dropout = {
    .prepare = afn_ref__prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
