/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that treat whole channels: scaled by a factor each, or put into another
 * place.  Compiled like kern.c. */
#include "engine/cpu/kern.h"

#include "engine/cpu/kern_vec.h"

static void scale(void *y, const void *x, const float *factor, int64_t pixels,
                  bool add_to)
{
    const vec f = load_vec(factor);
    for (int64_t p = 0; p < pixels; p++) put(y, p, get(x, p * B) * f, add_to);
}

static void scale_backward(const afn_scale_block *s, double *sums)
{
    const vec f = load_vec(s->factor);
    for (int64_t from = 0; from < s->pixels; from += RUN) {
        const int64_t to = least(from + RUN, s->pixels);
        vec sum = { 0 };
        for (int64_t p = from; p < to; p++) {
            const vec g = get(s->dy, p * B);
            sum += g * get(s->x, p * B);
            if (s->dx) put(s->dx, p, g * f, s->add);
        }
        add_sums(sums, sum);
    }
}

#if defined(__AVX512F__) && B == 16

/* The lanes by the block that they come from. */
typedef struct origins {
    int n;
    const void *from[B];
    __m512i index[B];
    __mmask16 mask[B];
} origins;

static origins sort(const afn_lanes *l)
{
    origins o = { 0 };
    for (int i = 0; i < B; i++) {
        int k = 0;
        if (!l->from[i]) continue;
        while (k < o.n && o.from[k] != l->from[i]) k++;
        if (k == o.n) o.from[o.n++] = l->from[i];
        o.mask[k] |= (__mmask16)(1u << i);
    }
    for (int k = 0; k < o.n; k++) o.index[k] = _mm512_loadu_si512(l->lane);
    return o;
}

INLINE vec lanes_at(const origins *o, int64_t p, int n)
{
    vec y = { 0 };
    for (int k = 0; k < n; k++)
        y = (vec)_mm512_mask_permutexvar_ps((__m512)y, o->mask[k], o->index[k],
                                            (__m512)get(o->from[k], p * B));
    return y;
}

INLINE void gather_as(void *y, const origins *o, int64_t pixels, bool add_to, int n)
{
    for (int64_t p = 0; p < pixels; p++) put(y, p, lanes_at(o, p, n), add_to);
}

static void gather(void *y, const afn_lanes *l, int64_t pixels, bool add_to)
{
    const origins o = sort(l);
    if (o.n == 1)
        gather_as(y, &o, pixels, add_to, 1);
    else if (o.n == 2)
        gather_as(y, &o, pixels, add_to, 2);
    else
        gather_as(y, &o, pixels, add_to, o.n);
}

#else

static void gather(void *y, const afn_lanes *l, int64_t pixels, bool add_to)
{
    for (int64_t p = 0; p < pixels; p++) {
        value some[B] = { 0 };
        for (int i = 0; i < B; i++)
            if (l->from[i]) some[i] = ((const value *)l->from[i])[p * B + l->lane[i]];
        put(y, p, get(some, 0), add_to);
    }
}

#endif

const afn_kern_channels AFN_CHANNELS_TABLE = {
    .scale = scale,
    .scale_backward = scale_backward,
    .gather = gather,
};
