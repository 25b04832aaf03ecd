/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution of one channel block, compiled like kern.c.
 *
 * A row of what is written is a sum of taps: each one a row of what is read times one
 * vector of the window.  Eight pixels of it stay in registers while the taps stream by.
 * Forward a pixel's taps lie `step` pixels apart, backward the pixels that share taps
 * do: both are the same sum with other steps. */
#include "engine/cpu/kern.h"

#include "engine/cpu/kern_vec.h"
#include "engine/cpu/unroll.h"

enum { TILE = 8, FLUSH = 128 }; /* pixels summed in float at most, about */

/* a b + c, rounded once where the processor can. */
INLINE vec multiply_add(vec a, vec b, vec c)
{
#if B == 16
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#else
    return a * b + c;
#endif
}

/* Pixel i of a row of `width`, zeros outside. */
INLINE vec pixel(const void *row, int64_t i, int64_t width)
{
    static const value zeros[B];
    const bool inside = row && i >= 0 && i < width;
    return get(inside ? (const value *)row + i * B : zeros, 0);
}

INLINE void tile(const afn_depthwise_row *r, int64_t at, bool inside)
{
    vec sum[TILE];
    const vec start = r->bias ? load_vec(r->bias) : (vec){ 0 };
    EACH (t, TILE) sum[t] = start;
    for (int k = 0; k < r->taps; k++) {
        const afn_depthwise_tap *tap = &r->tap[k];
        const vec w = load_vec(tap->weight);
        const int64_t first = tap->first + at * r->step;
        EACH (t, TILE) {
            const int64_t i = first + t * r->step;
            const vec x =
                inside ? get(tap->from, i * B) : pixel(tap->from, i, r->width);
            sum[t] = multiply_add(x, w, sum[t]);
        }
    }
    EACH (t, TILE)
        if (at + t < r->count) set(r->to, (at + t) * r->to_step * B, sum[t]);
}

static void row(const afn_depthwise_row *r)
{
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (int k = 0; k < r->taps; k++) {
        if (r->tap[k].first < low) low = r->tap[k].first;
        if (r->tap[k].first > high) high = r->tap[k].first;
    }
    for (int64_t at = 0; at < r->count; at += TILE) {
        const int64_t last = high + (at + TILE - 1) * r->step;
        if (r->taps && low + at * r->step >= 0 && last < r->width)
            tile(r, at, true);
        else
            tile(r, at, false);
    }
}

/* Rows of the input under one row of the gradient; NULL = zeros. */
typedef struct window_rows {
    const void *from[4];
    const void *dy;
} window_rows;

/* Adds what pixels [from, to) of the gradient give; inside: all of their taps exist. */
INLINE void weights_span(const afn_depthwise_weights *d, const window_rows *w,
                         int64_t from, int64_t to, bool inside, int rows, int columns,
                         vec *sum)
{
    for (int64_t p = from; p < to; p++) {
        const vec g = get(w->dy, p * B);
        const int64_t at = p * d->stride - d->pad_w;
        EACH (i, rows)
            EACH (j, columns) {
                const vec x = inside ? get(w->from[i], (at + j) * B)
                                     : pixel(w->from[i], at + j, d->in_w);
                sum[i * columns + j] = multiply_add(g, x, sum[i * columns + j]);
            }
    }
}

/* Sums of `rows` x `columns` taps over one row of the gradient. */
INLINE void weights_row(const afn_depthwise_weights *d, int64_t y, int first, int rows,
                        int columns, vec *total)
{
    vec sum[16];
    window_rows w = { .dy = (const value *)d->dy + y * d->out_w * B };
    bool all_rows = true;
    for (int i = 0; i < rows; i++) {
        const int64_t at = y * d->stride + first + i - d->pad_h;
        const bool there = at >= 0 && at < d->in_h;
        w.from[i] = there ? (const value *)d->x + at * d->in_w * B : NULL;
        all_rows = all_rows && there;
    }
    /* Pixels [from, to) have all columns. */
    const int64_t room = d->in_w + d->pad_w - columns;
    const int64_t to = room < 0 ? 0 : least(room / d->stride + 1, d->out_w);
    const int64_t from = least((d->pad_w + d->stride - 1) / d->stride, to);
    EACH (k, rows * columns) sum[k] = total[k];
    if (all_rows) {
        weights_span(d, &w, 0, from, false, rows, columns, sum);
        weights_span(d, &w, from, to, true, rows, columns, sum);
        weights_span(d, &w, to, d->out_w, false, rows, columns, sum);
    } else {
        weights_span(d, &w, 0, d->out_w, false, rows, columns, sum);
    }
    EACH (k, rows * columns) total[k] = sum[k];
}

/* Some rows of the window over the whole plane, in float for few rows at a time. */
INLINE void weights_as(const afn_depthwise_weights *d, int first, int rows, int columns)
{
    const int64_t together = 1 + FLUSH / d->out_w;
    for (int64_t y = 0; y < d->out_h; y += together) {
        vec sum[16] = { { 0 } };
        for (int64_t i = y; i < y + together && i < d->out_h; i++)
            weights_row(d, i, first, rows, columns, sum);
        EACH (k, rows * columns) add_sums(d->dw + (first * columns + k) * B, sum[k]);
    }
}

static void weights(const afn_depthwise_weights *d)
{
    if (d->k == 3) {
        weights_as(d, 0, 3, 3);
        return;
    }
    for (int i = 0; i < d->k; i++) {
        if (d->k == 5)
            weights_as(d, i, 1, 5);
        else
            weights_as(d, i, 1, 7);
    }
}

const afn_kern_depthwise AFN_DEPTHWISE_TABLE = { .row = row, .weights = weights };
