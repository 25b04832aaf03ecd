/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd F(2,3) in bf16, compiled like kern.c for AVX-512 with bf16.
 *
 * Lavin and Gray 2015, https://arxiv.org/abs/1509.09308: a 2 x 2 tile of the result,
 *     y = A' [(G w G') * (B' x B)] A
 * takes 16 products a channel instead of 36.  The gradient of w is the same equation
 * read backwards:
 *     dw = G' [(A dy A') * (B' x B)] G
 * B and A only add and subtract; that and all sums are in float.  What is multiplied is
 * rounded to bf16 once.
 *
 * The processor multiplies pairs of values: here two neighbouring channels, or for the
 * gradient of w, whose sums run over tiles, the same tile of two images. */
#include <immintrin.h>
#include <string.h>

#include "engine/backend.h"
#include "engine/cpu/kern.h"
#include "engine/cpu/unroll.h"

typedef uint16_t value;
enum { SIDE = 4, OUT = 2, TAPS = 3, PAIRS = 2 * B };

INLINE __m512 widen(__m256i v)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(v), 16));
}

INLINE void store_values(value *to, __m512 x)
{
    const __m256bh h = _mm512_cvtneps_pbh(x);
    memcpy(to, &h, sizeof h);
}

/* How a transformed vector is stored: as values, or as one of two in each pair. */
typedef enum half { WHOLE, FIRST, SECOND } half;

INLINE void put(value *to, __m512 x, half h)
{
    if (h == WHOLE) {
        store_values(to, x);
        return;
    }
    __m512i wide = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x));
    if (h == SECOND)
        wide = _mm512_or_si512(_mm512_slli_epi32(wide, 16), _mm512_loadu_si512(to));
    _mm512_storeu_si512(to, wide);
}

/* B' of four vectors. */
INLINE void times_b(__m512 t[SIDE], __m512 x0, __m512 x1, __m512 x2, __m512 x3)
{
    t[0] = x0 - x2;
    t[1] = x1 + x2;
    t[2] = x2 - x1;
    t[3] = x1 - x3;
}

/* ---- tiles ---- */

/* The rows of an image that a row of tiles reads. */
typedef struct rows {
    const value *row[SIDE];
    __mmask16 inside[SIDE]; /* all or none */
} rows;

INLINE rows rows_of(const afn_f2_tiles *k)
{
    rows r;
    for (int i = 0; i < SIDE; i++) {
        const int64_t y = k->y0 + i;
        const bool inside = y >= 0 && y < k->h;
        r.inside[i] = inside ? 0xffff : 0;
        r.row[i] = (const value *)k->x + (inside ? y : 0) * k->w * B;
    }
    return r;
}

/* Column x of the rows, B' of it. */
INLINE void column(__m512 t[SIDE], const afn_f2_tiles *k, const rows *r, int64_t x)
{
    if (x < 0 || x >= k->w) {
        EACH (i, SIDE) t[i] = _mm512_setzero_ps();
        return;
    }
    __m512 v[SIDE];
    EACH (i, SIDE)
        v[i] = widen(_mm256_maskz_loadu_epi16(r->inside[i], r->row[i] + x * B));
    times_b(t, v[0], v[1], v[2], v[3]);
}

INLINE void input_as(const afn_f2_tiles *k, half h)
{
    const rows r = rows_of(k);
    __m512 c[SIDE][SIDE]; /* columns of the tile; two are the next one's, too */
    value *to = k->t;
    column(c[0], k, &r, k->x0);
    column(c[1], k, &r, k->x0 + 1);
    for (int64_t j = 0; j < k->count; j++, to += k->tile) {
        column(c[2], k, &r, k->x0 + j * OUT + 2);
        column(c[3], k, &r, k->x0 + j * OUT + 3);
        EACH (i, SIDE) {
            __m512 t[SIDE];
            times_b(t, c[0][i], c[1][i], c[2][i], c[3][i]);
            EACH (n, SIDE) put(to + (i * SIDE + n) * k->point, t[n], h);
            c[0][i] = c[2][i];
            c[1][i] = c[3][i];
        }
    }
}

static void input(const afn_f2_tiles *k)
{
    input_as(k, WHOLE);
}

static void input_pairs(const afn_f2_tiles *k, bool second)
{
    if (second)
        input_as(k, SECOND);
    else
        input_as(k, FIRST);
}

/* A of two vectors. */
INLINE void times_a(__m512 t[SIDE], __m512 y0, __m512 y1)
{
    t[0] = y0;
    t[1] = y0 + y1;
    t[2] = y0 - y1;
    t[3] = -y1;
}

INLINE void gradient_as(const afn_f2_tiles *k, half h)
{
    value *to = k->t;
    const bool below = k->y0 + 1 < k->h;
    const value *row = (const value *)k->x + (k->y0 * k->w + k->x0) * B;
    for (int64_t j = 0; j < k->count; j++, to += k->tile, row += OUT * B) {
        __m512 c[OUT][SIDE];
        EACH (n, OUT) {
            const __mmask16 inside = k->x0 + j * OUT + n < k->w ? 0xffff : 0;
            const value *at = row + n * B;
            times_a(c[n], widen(_mm256_maskz_loadu_epi16(inside, at)),
                    widen(_mm256_maskz_loadu_epi16(below ? inside : 0, at + k->w * B)));
        }
        EACH (i, SIDE) {
            __m512 t[SIDE];
            times_a(t, c[0][i], c[1][i]);
            EACH (n, SIDE) put(to + (i * SIDE + n) * k->point, t[n], h);
        }
    }
}

static void gradient_pairs(const afn_f2_tiles *k, bool second)
{
    if (second)
        gradient_as(k, SECOND);
    else
        gradient_as(k, FIRST);
}

/* A' of four vectors. */
INLINE void times_at(__m512 y[OUT], __m512 t0, __m512 t1, __m512 t2, __m512 t3)
{
    y[0] = t0 + t1 + t2;
    y[1] = t1 - t2 - t3;
}

/* What is applied to a result; NaN stays NaN. */
INLINE __m512 finish(const afn_f2_tiles *k, __m512 v, const value *old)
{
    if (k->bias) v += _mm512_loadu_ps(k->bias);
    if (k->sum) v += widen(_mm256_loadu_si256((const __m256i *)old));
    if (k->act != AFN_NO_ACT) v = _mm512_max_ps(_mm512_setzero_ps(), v);
    if (k->act == AFN_ACT_RELU6) v = _mm512_min_ps(_mm512_set1_ps(6.0f), v);
    return v;
}

INLINE void output_tile(const afn_f2_tiles *k, const float *t, int64_t x0)
{
    __m512 c[SIDE][OUT]; /* of each column */
    EACH (n, SIDE) {
        __m512 v[SIDE];
        EACH (i, SIDE) v[i] = _mm512_loadu_ps(t + (i * SIDE + n) * k->point);
        times_at(c[n], v[0], v[1], v[2], v[3]);
    }
    EACH (i, OUT) {
        __m512 y[OUT];
        times_at(y, c[0][i], c[1][i], c[2][i], c[3][i]);
        value *to = (value *)k->x + ((k->y0 + i) * k->w + x0) * B;
        if (k->y0 + i < k->h)
            EACH (n, OUT)
                if (x0 + n < k->w)
                    store_values(to + n * B, finish(k, y[n], to + n * B));
    }
}

static void output(const afn_f2_tiles *k)
{
    const float *t = k->t;
    for (int64_t j = 0; j < k->count; j++, t += k->tile)
        output_tile(k, t, k->x0 + j * OUT);
}

/* ---- weights ---- */

INLINE void times_g(__m512 u[SIDE], __m512 w0, __m512 w1, __m512 w2)
{
    const __m512 mean = _mm512_set1_ps(0.5f), sum = (w0 + w2) * mean, mid = w1 * mean;
    u[0] = w0;
    u[1] = sum + mid;
    u[2] = sum - mid;
    u[3] = w2;
}

/* G w G' of one vector of channels, taps a block apart. */
INLINE void transform(__m512 u[SIDE][SIDE], const float *w, bool rotate)
{
    __m512 c[TAPS][SIDE]; /* of each column */
    EACH (n, TAPS) {
        __m512 v[TAPS];
        EACH (i, TAPS) {
            const int tap = i * TAPS + n;
            v[i] = _mm512_loadu_ps(w + (rotate ? TAPS * TAPS - 1 - tap : tap) * B * B);
        }
        times_g(c[n], v[0], v[1], v[2]);
    }
    EACH (i, SIDE) times_g(u[i], c[0][i], c[1][i], c[2][i]);
}

/* Values 0, 16, 1, 17 .. */
INLINE __m512i interleave_order(void)
{
    const __m512i low =
        _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(B));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

static void weights_forward(value *u, int64_t point, int64_t pair, const float *w)
{
    const __m512i order = interleave_order();
    for (int r = 0; r < B / 2; r++) {
        __m512 even[SIDE][SIDE], odd[SIDE][SIDE];
        transform(even, w + 2 * r * B, false);
        transform(odd, w + (2 * r + 1) * B, false);
        EACH (i, SIDE)
            EACH (n, SIDE) {
                const __m512i both =
                    (__m512i)_mm512_cvtne2ps_pbh(odd[i][n], even[i][n]);
                _mm512_storeu_si512(u + ((i * SIDE + n) * point + r * pair) * PAIRS,
                                    _mm512_permutexvar_epi16(order, both));
            }
    }
}

/* Rows (ic, oc) become pairs of oc for each ic. */
static void weights_data(value *u, int64_t point, int64_t pair, const float *w)
{
    value natural[AFN_F2_POINTS][B][B];
    for (int r = 0; r < B; r++) {
        __m512 t[SIDE][SIDE];
        transform(t, w + r * B, true);
        EACH (i, SIDE)
            EACH (n, SIDE) store_values(natural[i * SIDE + n][r], t[i][n]);
    }
    const __m512i row = _mm512_mullo_epi32(
        _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
        _mm512_set1_epi32(B / 2));
    for (int p = 0; p < AFN_F2_POINTS; p++)
        for (int r = 0; r < B / 2; r++)
            _mm512_storeu_si512(u + (p * point + r * pair) * PAIRS,
                                _mm512_i32gather_epi32(row, &natural[p][0][2 * r], 4));
}

static void weights(void *u, int64_t point, int64_t pair, const float *w, bool data)
{
    (data ? weights_data : weights_forward)(u, point, pair, w);
}

/* G' of four vectors. */
INLINE void times_gt(__m512 w[TAPS], __m512 t0, __m512 t1, __m512 t2, __m512 t3)
{
    const __m512 mean = _mm512_set1_ps(0.5f), sum = (t1 + t2) * mean;
    w[0] = t0 + sum;
    w[1] = (t1 - t2) * mean;
    w[2] = sum + t3;
}

static void weights_gradient(float *w, const float *u, int64_t point)
{
    for (int r = 0; r < B; r++, u += B, w += B) {
        __m512 c[SIDE][TAPS];
        EACH (n, SIDE)
            times_gt(c[n], _mm512_loadu_ps(u + n * point),
                     _mm512_loadu_ps(u + (SIDE + n) * point),
                     _mm512_loadu_ps(u + (2 * SIDE + n) * point),
                     _mm512_loadu_ps(u + (3 * SIDE + n) * point));
        EACH (i, TAPS) {
            __m512 t[TAPS];
            times_gt(t, c[0][i], c[1][i], c[2][i], c[3][i]);
            EACH (n, TAPS) _mm512_storeu_ps(w + (i * TAPS + n) * B * B, t[n]);
        }
    }
}

/* ---- products ---- */

/* AFN_F2_TILES tiles, `oc` vectors: a constant. */
INLINE void multiply(const afn_f2_product *p, const value *v, float *m, int oc)
{
    __m512 acc[AFN_F2_TILES][AFN_F2_OC];
    const value *u = p->u;
    EACH (i, AFN_F2_TILES)
        EACH (o, oc) acc[i][o] = _mm512_setzero_ps();
    for (int64_t k = 0; k < p->pairs; k++, u += oc * PAIRS, v += 2) {
        __m512bh uk[AFN_F2_OC];
        EACH (o, oc) uk[o] = (__m512bh)_mm512_loadu_si512(u + o * PAIRS);
        EACH (i, AFN_F2_TILES) {
            int32_t both;
            memcpy(&both, v + i * p->v_step, sizeof both);
            const __m512bh vi = (__m512bh)_mm512_set1_epi32(both);
            EACH (o, oc) acc[i][o] = _mm512_dpbf16_ps(acc[i][o], uk[o], vi);
        }
    }
    EACH (i, AFN_F2_TILES)
        EACH (o, oc) _mm512_storeu_ps(m + i * p->m_step + o * B, acc[i][o]);
}

INLINE void multiply_all(const afn_f2_product *p, int oc)
{
    for (int64_t t = 0; t < p->tiles; t += AFN_F2_TILES)
        multiply(p, (const value *)p->v + t * p->v_step, p->m + t * p->m_step, oc);
}

static void product(const afn_f2_product *p)
{
    switch (p->oc) {
    case 1:
        multiply_all(p, 1);
        break;
    case 2:
        multiply_all(p, 2);
        break;
    case 3:
        multiply_all(p, 3);
        break;
    default:
        multiply_all(p, 4);
        break;
    }
}

const afn_kern_f2 AFN_F2_TABLE = {
    .input = input,
    .output = output,
    .product = product,
    .weights = weights,
    .input_pairs = input_pairs,
    .gradient_pairs = gradient_pairs,
    .weights_gradient = weights_gradient,
};
