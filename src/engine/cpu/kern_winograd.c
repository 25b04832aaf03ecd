/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of Winograd F(4,3), compiled like kern.c.
 *
 * Lavin and Gray 2015, https://arxiv.org/abs/1509.09308: with
 *     y = A' [(G w G') * (B' x B)] A
 * a 4 x 4 tile of the result takes 36 products a channel instead of 144.  The gradient
 * of w is the same equation read backwards:
 *     dw = G' [(A dy A') * (B' x B)] G
 * Every transform is a matrix on the columns of a tile, then on its rows.  Each matrix
 * is a macro over single floats, so that one loop over channels vectorises. */
#include <string.h>

#include "engine/backend.h"
#include "engine/cpu/kern.h"

enum { TILE = 6, OUT = 4, TAPS = 3 };

/* One vector of B channels at p + i * step, for i = 0 .. */
#define LOAD(i)  from[(i)*from_step + c]
#define STORE(i) to[(i)*to_step + c]

#define VECTORS(name)                                                                  \
    static inline void name(float *restrict to, int64_t to_step,                       \
                            const float *restrict from, int64_t from_step)

VECTORS(times_b) /* B' */
{
#pragma omp simd
    for (int c = 0; c < B; c++) {
        const float x0 = LOAD(0), x1 = LOAD(1), x2 = LOAD(2), x3 = LOAD(3),
                    x4 = LOAD(4), x5 = LOAD(5);
        const float a = x4 - 4 * x2, b = x3 - 4 * x1, d = x4 - x2, e = 2 * (x3 - x1);
        STORE(0) = 4 * x0 - 5 * x2 + x4;
        STORE(1) = a + b;
        STORE(2) = a - b;
        STORE(3) = d + e;
        STORE(4) = d - e;
        STORE(5) = 4 * x1 - 5 * x3 + x5;
    }
}

VECTORS(times_at) /* A', 6 -> 4 */
{
#pragma omp simd
    for (int c = 0; c < B; c++) {
        const float t1 = LOAD(1), t2 = LOAD(2), t3 = LOAD(3), t4 = LOAD(4);
        const float a = t1 + t2, b = t1 - t2, d = t3 + t4, e = t3 - t4;
        STORE(0) = LOAD(0) + a + d;
        STORE(1) = b + 2 * e;
        STORE(2) = a + 4 * d;
        STORE(3) = b + 8 * e + LOAD(5);
    }
}

VECTORS(times_a) /* A, 4 -> 6 */
{
#pragma omp simd
    for (int c = 0; c < B; c++) {
        const float y0 = LOAD(0), y1 = LOAD(1), y2 = LOAD(2), y3 = LOAD(3);
        const float a = y0 + y2, b = y1 + y3, d = y0 + 4 * y2, e = 2 * y1 + 8 * y3;
        STORE(0) = y0;
        STORE(1) = a + b;
        STORE(2) = a - b;
        STORE(3) = d + e;
        STORE(4) = d - e;
        STORE(5) = y3;
    }
}

VECTORS(times_g) /* G, 3 -> 6 */
{
#pragma omp simd
    for (int c = 0; c < B; c++) {
        const float w0 = LOAD(0), w1 = LOAD(1), w2 = LOAD(2);
        const float a = (w0 + w2) * (-1.0f / 6), b = w1 * (1.0f / 6);
        const float d = w0 * (1.0f / 24) + w2 * (1.0f / 6), e = w1 * (1.0f / 12);
        STORE(0) = w0 * 0.25f;
        STORE(1) = a - b;
        STORE(2) = a + b;
        STORE(3) = d + e;
        STORE(4) = d - e;
        STORE(5) = w2;
    }
}

VECTORS(times_gt) /* G', 6 -> 3 */
{
#pragma omp simd
    for (int c = 0; c < B; c++) {
        const float t1 = LOAD(1), t2 = LOAD(2), t3 = LOAD(3), t4 = LOAD(4);
        const float a = (t1 + t2) * (-1.0f / 6), b = (t2 - t1) * (1.0f / 6);
        const float d = t3 + t4, e = (t3 - t4) * (1.0f / 12);
        STORE(0) = LOAD(0) * 0.25f + a + d * (1.0f / 24);
        STORE(1) = b + e;
        STORE(2) = a + d * (1.0f / 6) + LOAD(5);
    }
}

static inline int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* A size x size tile as rows `*step` floats apart: in place where all of it lies in the
 * image, else copied to `room` with zeros around. */
static inline const float *tile_of(const afn_kern_tile *k, int size, float *room,
                                   int64_t *step)
{
    const int64_t y0 = k->y0, x0 = k->x0;
    *step = k->w * B;
    if (y0 >= 0 && x0 >= 0 && y0 + size <= k->h && x0 + size <= k->w)
        return k->x + (y0 * k->w + x0) * B;
    *step = (int64_t)size * B;
    memset(room, 0, (size_t)(size * size * B) * sizeof *room);
    const int64_t from = clamp(x0, 0, k->w), to = clamp(x0 + size, from, k->w);
    for (int64_t y = clamp(y0, 0, k->h); y < clamp(y0 + size, 0, k->h); y++)
        memcpy(room + ((y - y0) * size + from - x0) * B, k->x + (y * k->w + from) * B,
               (size_t)((to - from) * B) * sizeof *room);
    return room;
}

static void input(const afn_kern_tile *k)
{
    float room[TILE * TILE * B], half[TILE * TILE * B];
    int64_t step;
    const float *x = tile_of(k, TILE, room, &step);
    if (x != room)
        for (int i = 0; i < TILE; i++)
            for (int j = 0; j < 4; j++)
                __builtin_prefetch(x + i * step + (TILE + OUT + j) * B);
    for (int j = 0; j < TILE; j++) times_b(half + j * B, TILE * B, x + j * B, step);
    for (int i = 0; i < TILE; i++)
        times_b(k->t + i * TILE * k->stride, k->stride, half + i * TILE * B, B);
}

static void gradient(const afn_kern_tile *k)
{
    float room[OUT * OUT * B], half[TILE * OUT * B];
    int64_t step;
    const float *x = tile_of(k, OUT, room, &step);
    for (int j = 0; j < OUT; j++) times_a(half + j * B, OUT * B, x + j * B, step);
    for (int i = 0; i < TILE; i++)
        times_a(k->t + i * TILE * k->stride, k->stride, half + i * OUT * B, B);
}

/* One row of a result, with what is applied to it. */
static inline void finish_row(const afn_kern_tile *k, float *restrict y,
                              const float *restrict row, int64_t pixels)
{
    const float top = k->act == AFN_ACT_RELU6 ? 6.0f : 3.402823466e38f;
    for (int64_t p = 0; p < pixels; p++)
#pragma omp simd
        for (int c = 0; c < B; c++) {
            float v = row[p * B + c];
            if (k->bias) v += k->bias[c];
            if (k->sum) v += y[p * B + c];
            if (k->act != AFN_NO_ACT) v = v < 0.0f ? 0.0f : v > top ? top : v;
            y[p * B + c] = v;
        }
}

static void output(const afn_kern_tile *k)
{
    float half[OUT * TILE * B], row[OUT * B];
    for (int j = 0; j < TILE; j++)
        times_at(half + j * B, TILE * B, k->t + j * k->stride, TILE * k->stride);
    for (int i = 0; i < OUT && k->y0 + i < k->h; i++) {
        times_at(row, B, half + i * TILE * B, B);
        finish_row(k, k->x + ((k->y0 + i) * k->w + k->x0) * B, row,
                   clamp(k->w - k->x0, 0, OUT));
    }
}

static void weights(float *t, int64_t stride, const float *w, int64_t w_stride,
                    bool rotate)
{
    float half[TILE * TAPS * B];
    const float *first = rotate ? w + 8 * w_stride : w;
    const int64_t step = rotate ? -w_stride : w_stride;
    for (int j = 0; j < TAPS; j++)
        times_g(half + j * B, TAPS * B, first + j * step, TAPS * step);
    for (int i = 0; i < TILE; i++)
        times_g(t + i * TILE * stride, stride, half + i * TAPS * B, B);
}

static void weights_gradient(float *w, int64_t w_stride, const float *t, int64_t stride)
{
    float half[TAPS * TILE * B];
    for (int j = 0; j < TILE; j++)
        times_gt(half + j * B, TILE * B, t + j * stride, TILE * stride);
    for (int i = 0; i < TAPS; i++)
        times_gt(w + i * TAPS * w_stride, w_stride, half + i * TILE * B, B);
}

const afn_kern_winograd AFN_WINOGRAD_TABLE = {
    .input = input,
    .output = output,
    .gradient = gradient,
    .weights = weights,
    .weights_gradient = weights_gradient,
    .multiply = AFN_PRODUCT,
};
