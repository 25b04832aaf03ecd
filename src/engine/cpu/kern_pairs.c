/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of weights in bf16, compiled like kern.c for AVX-512 with bf16.
 *
 * The processor multiplies pairs: in each of 16 places of a vector it adds the products
 * of two values with two others to a float.  The sum over pixels takes two of them at a
 * time, so that values are first laid out as pairs of pixels of one channel.  Then 4
 * vectors of output channels times 6 (or 5) input channels make 24 sums that stay in
 * registers: enough to keep both multipliers busy, and 10 loads for 24 products. */
#include <immintrin.h>
#include <string.h>

#include "engine/cpu/kern.h"
#include "engine/cpu/unroll.h"

typedef uint16_t value;
enum { PAIRS = 2 * B }; /* values in a vector */

/* ---- pairs of pixels ---- */

/* Values 0, 16, 1, 17 .. of two pixels side by side. */
INLINE __m512i interleave_order(void)
{
    const __m512i low =
        _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_or_si512(
        low, _mm512_slli_epi32(_mm512_add_epi32(low, _mm512_set1_epi32(B)), 16));
}

INLINE __m512i pair_of(const value *a, const value *b, __m512i order)
{
    const __m512i low = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)a));
    const __m512i both =
        _mm512_inserti64x4(low, _mm256_loadu_si256((const __m256i *)b), 1);
    return _mm512_permutexvar_epi16(order, both);
}

/* Pixel i of the pairs, or zeros. */
INLINE const value *pixel(const afn_pairs_row *r, int64_t i)
{
    static const value zeros[B];
    const int64_t at = r->first + i * r->step;
    return r->x && i < r->count && at >= 0 && at < r->w ? (const value *)r->x + at * B
                                                        : zeros;
}

/* Pairs [from, to), some of which lie outside the row. */
INLINE void pack_edge(const afn_pairs_row *r, int64_t from, int64_t to, __m512i order)
{
    value *out = r->to;
    for (int64_t j = from; j < to; j++)
        _mm512_storeu_si512(out + j * r->to_step * PAIRS,
                            pair_of(pixel(r, 2 * j), pixel(r, 2 * j + 1), order));
}

/* Pairs [from, to), all inside. */
INLINE void pack_inside(const afn_pairs_row *r, int64_t from, int64_t to, __m512i order)
{
    const value *in = (const value *)r->x + (r->first + 2 * from * r->step) * B;
    value *out = (value *)r->to + from * r->to_step * PAIRS;
    const int64_t step = r->step * B, to_step = r->to_step * PAIRS;
    if (r->step == 1)
        for (int64_t j = from; j < to; j++, in += 2 * step, out += to_step)
            _mm512_storeu_si512(
                out, _mm512_permutexvar_epi16(order, _mm512_loadu_si512(in)));
    else
        for (int64_t j = from; j < to; j++, in += 2 * step, out += to_step)
            _mm512_storeu_si512(out, pair_of(in, in + step, order));
}

static void pack(const afn_pairs_row *r)
{
    const __m512i order = interleave_order();
    const int64_t pairs = (r->count + 1) / 2;
    if (!r->x) {
        pack_edge(r, 0, pairs, order);
        return;
    }
    /* Pixels [begin, end) are inside the row. */
    int64_t begin = r->first < 0 ? (-r->first + r->step - 1) / r->step : 0;
    int64_t end = r->w > r->first ? (r->w - r->first + r->step - 1) / r->step : 0;
    if (end > r->count) end = r->count;
    if (begin > end) begin = end;
    const int64_t from = (begin + 1) / 2, to = end / 2 > from ? end / 2 : from;
    pack_edge(r, 0, from, order);
    pack_inside(r, from, to, order);
    pack_edge(r, to, pairs, order);
}

static void sum(float *s, const void *from, int64_t step, int64_t pairs)
{
    const __m512bh ones = (__m512bh)_mm512_set1_epi16(0x3f80);
    const value *in = from;
    __m512 a = _mm512_setzero_ps();
    for (int64_t j = 0; j < pairs; j++)
        a = _mm512_dpbf16_ps(a, (__m512bh)_mm512_loadu_si512(in + j * step * PAIRS),
                             ones);
    _mm512_storeu_ps(s, _mm512_add_ps(_mm512_loadu_ps(s), a));
}

/* ---- products ---- */

/* `oc` vectors of output channels, `ic` input channels from `first` on: constants. */
INLINE void strip(const afn_pairs_tile *t, int oc, int first, int ic)
{
    __m512 acc[AFN_PAIRS_OC][B];
    const value *dy = t->dy, *x = (const value *)t->x + 2 * first;
    float *dw = t->dw + first * B;
    EACH (o, oc)
        EACH (i, ic) {
            acc[o][i] = _mm512_setzero_ps();
            _mm_prefetch((const char *)(dw + o * t->dw_step + i * B), _MM_HINT_T0);
        }
    for (int64_t k = 0; k < t->runs; k++, x += (t->x_step - t->run) * PAIRS)
        for (int64_t j = 0; j < t->run; j++, dy += oc * PAIRS, x += PAIRS) {
            __m512bh y[AFN_PAIRS_OC];
            EACH (o, oc) y[o] = (__m512bh)_mm512_loadu_si512(dy + o * PAIRS);
            EACH (i, ic) {
                int32_t both;
                memcpy(&both, x + 2 * i, sizeof both);
                const __m512bh xi = (__m512bh)_mm512_set1_epi32(both);
                EACH (o, oc) acc[o][i] = _mm512_dpbf16_ps(acc[o][i], y[o], xi);
            }
        }
    if (t->add)
        EACH (o, oc)
            EACH (i, ic) acc[o][i] += _mm512_loadu_ps(dw + o * t->dw_step + i * B);
    EACH (o, oc)
        EACH (i, ic) _mm512_storeu_ps(dw + o * t->dw_step + i * B, acc[o][i]);
}

static void tile(const afn_pairs_tile *t)
{
    switch (t->oc) {
    case 1:
        strip(t, 1, 0, 8);
        strip(t, 1, 8, 8);
        break;
    case 2:
        strip(t, 2, 0, 8);
        strip(t, 2, 8, 8);
        break;
    case 3:
        strip(t, 3, 0, 8);
        strip(t, 3, 8, 8);
        break;
    default:
        strip(t, 4, 0, 6);
        strip(t, 4, 6, 5);
        strip(t, 4, 11, 5);
        break;
    }
}

const afn_kern_pairs AFN_PAIRS_TABLE = { .pack = pack, .tile = tile, .sum = sum };
