/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of kern.h, in plain C that compilers vectorise: meson.build compiles this
 * file once per instruction set with AFN_KERN_TABLE, the name of the table, and B, the
 * block width.  Sums run in float over short runs and are then added in double: as
 * exact as needed, at the speed of float. */
#include "engine/cpu/kern.h"

#include "engine/backend.h"

enum { RUN = 32 }; /* pixels summed in float before they join the double sum */

static inline float clip(float x, int act)
{
    if (act == AFN_NO_ACT) return x;
    const float positive = x < 0.0f ? 0.0f : x; /* NaN stays NaN */
    return act == AFN_ACT_RELU6 && positive > 6.0f ? 6.0f : positive;
}

static inline float pass(float dy, float y, int act)
{
    const float top = act == AFN_ACT_RELU6 ? 6.0f : 3.402823466e38f;
    return y > 0.0f && y < top ? dy : 0.0f;
}

static void add_sums(double *s, const float *part)
{
    for (int c = 0; c < B; c++) s[c] += (double)part[c];
}

static void norm_sums(const float *x, int64_t pixels, const float *shift, double *s1,
                      double *s2)
{
    for (int64_t from = 0; from < pixels; from += RUN) {
        const int64_t to = from + RUN < pixels ? from + RUN : pixels;
        float a[B] = { 0 }, b[B] = { 0 };
        for (int64_t p = from; p < to; p++)
#pragma omp simd
            for (int c = 0; c < B; c++) {
                const float v = x[p * B + c] - shift[c];
                a[c] += v;
                b[c] += v * v;
            }
        add_sums(s1, a);
        add_sums(s2, b);
    }
}

static void norm_apply(float *restrict y, const float *restrict x, const float *add,
                       const float *mean, const float *scale, const float *bias,
                       int64_t pixels, int act)
{
    for (int64_t p = 0; p < pixels; p++)
#pragma omp simd
        for (int c = 0; c < B; c++) {
            float v = (x[p * B + c] - mean[c]) * scale[c] + bias[c];
            if (add) v += add[p * B + c];
            y[p * B + c] = clip(v, act);
        }
}

static void norm_backward_sums(const afn_norm_block *n, double *s1, double *s2)
{
    const float *restrict x = n->x, *restrict y = n->y;
    float *restrict dy = n->dy;
    for (int64_t from = 0; from < n->pixels; from += RUN) {
        const int64_t to = from + RUN < n->pixels ? from + RUN : n->pixels;
        float a[B] = { 0 }, b[B] = { 0 };
        for (int64_t p = from; p < to; p++)
#pragma omp simd
            for (int c = 0; c < B; c++) {
                float g = dy[p * B + c];
                if (n->act != AFN_NO_ACT) {
                    g = pass(g, y[p * B + c], n->act);
                    dy[p * B + c] = g;
                }
                a[c] += g;
                b[c] += g * (x[p * B + c] - n->mean[c]);
            }
        add_sums(s1, a);
        add_sums(s2, b);
    }
}

static void store(float *to, const float *from, bool accumulate, int64_t n)
{
    if (accumulate)
        for (int64_t i = 0; i < n; i++) to[i] += from[i];
    else
        for (int64_t i = 0; i < n; i++) to[i] = from[i];
}

static void norm_backward(const afn_norm_block *n)
{
    for (int64_t p = 0; p < n->pixels; p++) {
        const float *dy = n->dy + p * B, *x = n->x + p * B;
        if (n->dx) {
            float g[B];
#pragma omp simd
            for (int c = 0; c < B; c++)
                g[c] = n->a[c] * dy[c] - n->k[c] * (x[c] - n->mean[c]) - n->d[c];
            store(n->dx + p * B, g, n->add_dx, B);
        }
        if (n->dadd) store(n->dadd + p * B, dy, n->add_dadd, B);
    }
}

static void add(float *y, const float *a, const float *b, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

static void accumulate(float *y, const float *x, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] += x[i];
}

static void act_forward(float *y, const float *x, int64_t n, int act)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = clip(x[i], act);
}

static void mask(float *dx, const float *dy, const float *y, int64_t n, int act)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = pass(dy[i], y[i], act);
}

static void mean(float *y, const float *x, int64_t pixels)
{
    double sum[B] = { 0 };
    for (int64_t from = 0; from < pixels; from += RUN) {
        const int64_t to = from + RUN < pixels ? from + RUN : pixels;
        float part[B] = { 0 };
        for (int64_t p = from; p < to; p++)
#pragma omp simd
            for (int c = 0; c < B; c++) part[c] += x[p * B + c];
        add_sums(sum, part);
    }
    for (int c = 0; c < B; c++) y[c] = (float)(sum[c] / (double)pixels);
}

static void mean_backward(float *dx, const float *dy, int64_t pixels, bool add_to)
{
    float g[B];
    for (int c = 0; c < B; c++) g[c] = dy[c] / (float)pixels;
    for (int64_t p = 0; p < pixels; p++) store(dx + p * B, g, add_to, B);
}

const afn_kern AFN_KERN_TABLE = {
    .block = B,
    .norm_sums = norm_sums,
    .norm_apply = norm_apply,
    .norm_backward_sums = norm_backward_sums,
    .norm_backward = norm_backward,
    .add = add,
    .accumulate = accumulate,
    .act = act_forward,
    .mask = mask,
    .mean = mean,
    .mean_backward = mean_backward,
};
