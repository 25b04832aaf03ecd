/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of kern.h, in plain C that compilers vectorise: meson.build compiles this
 * file once per instruction set with AFN_KERN_TABLE, the name of the table, and B, the
 * block width; AFN_WINOGRAD_TABLE is that of kern_winograd.c.  Sums run in float over
 * short runs and are then added in double: as exact as needed, at the speed of float.
 */
#include "engine/cpu/kern.h"

#include "engine/backend.h"

#define INLINE static inline __attribute__((always_inline))

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

/* Normalised value of channel lane c. */
INLINE float normal(float x, const float *mean, const float *scale, const float *bias,
                    int c)
{
    return (x - mean[c]) * scale[c] + bias[c];
}

INLINE void apply_as(float *y, const float *x, const float *add, const float *mean,
                     const float *scale, const float *bias, int64_t pixels, int act)
{
    for (int64_t p = 0; p < pixels; p++)
#pragma omp simd
        for (int c = 0; c < B; c++) {
            float v = normal(x[p * B + c], mean, scale, bias, c);
            if (add) v += add[p * B + c];
            y[p * B + c] = clip(v, act);
        }
}

static void norm_apply(float *y, const float *x, const float *add, const float *mean,
                       const float *scale, const float *bias, int64_t pixels, int act)
{
    if (act == AFN_ACT_RELU && add)
        apply_as(y, x, add, mean, scale, bias, pixels, AFN_ACT_RELU);
    else if (act == AFN_ACT_RELU)
        apply_as(y, x, NULL, mean, scale, bias, pixels, AFN_ACT_RELU);
    else if (act == AFN_NO_ACT && !add)
        apply_as(y, x, NULL, mean, scale, bias, pixels, AFN_NO_ACT);
    else
        apply_as(y, x, add, mean, scale, bias, pixels, act);
}

/* What a pass over a block's gradient does; constants of each variant below. */
typedef struct norm_variant {
    int act;
    bool from_x; /* the mask is found from x */
    bool two;    /* dy2 is there */
} norm_variant;

/* Gradient of y at lane c of pixel p, masked by the activation. */
INLINE float gradient(const afn_norm_block *n, int64_t p, int c, norm_variant v)
{
    float g = n->dy[p * B + c];
    if (v.two) g += n->dy2[p * B + c];
    if (v.act == AFN_NO_ACT) return g;
    const float y = v.from_x ? normal(n->x[p * B + c], n->mean, n->scale, n->bias, c)
                             : n->y[p * B + c];
    return pass(g, y, v.act);
}

INLINE void backward_sums_as(const afn_norm_block *n, double *s1, double *s2,
                             norm_variant v, bool store)
{
    for (int64_t from = 0; from < n->pixels; from += RUN) {
        const int64_t to = from + RUN < n->pixels ? from + RUN : n->pixels;
        float a[B] = { 0 }, b[B] = { 0 };
        for (int64_t p = from; p < to; p++)
#pragma omp simd
            for (int c = 0; c < B; c++) {
                const float g = gradient(n, p, c, v);
                if (store) n->dy[p * B + c] = g;
                a[c] += g;
                b[c] += g * (n->x[p * B + c] - n->mean[c]);
            }
        add_sums(s1, a);
        add_sums(s2, b);
    }
}

static void norm_backward_sums(const afn_norm_block *n, double *s1, double *s2)
{
    const norm_variant v = { n->act, !n->y, n->dy2 != NULL };
    if (v.act == AFN_ACT_RELU && v.from_x && !v.two && !n->store)
        backward_sums_as(n, s1, s2, (norm_variant){ AFN_ACT_RELU, true, false }, false);
    else if (v.act == AFN_ACT_RELU && !v.from_x && v.two && n->store)
        backward_sums_as(n, s1, s2, (norm_variant){ AFN_ACT_RELU, false, true }, true);
    else if (v.act == AFN_NO_ACT && !v.two && !n->store)
        backward_sums_as(n, s1, s2, (norm_variant){ AFN_NO_ACT, true, false }, false);
    else
        backward_sums_as(n, s1, s2, v, n->store);
}

/* to = from, or to += from, for one pixel. */
INLINE void put(float *to, const float *from, bool accumulate)
{
#pragma omp simd
    for (int c = 0; c < B; c++) to[c] = accumulate ? to[c] + from[c] : from[c];
}

/* Gradient of x from that of y at lane c of pixel p. */
INLINE float input_gradient(const afn_norm_block *n, int64_t p, int c, float g)
{
    if (!n->k) return n->a[c] * g;
    return n->a[c] * g - n->k[c] * (n->x[p * B + c] - n->mean[c]) - n->d[c];
}

INLINE void backward_as(const afn_norm_block *n, norm_variant v, bool add_dx)
{
    float *dadd = n->dadd == n->dy && n->store ? NULL : n->dadd; /* it is there */
    for (int64_t p = 0; p < n->pixels; p++) {
        float g[B], dx[B];
#pragma omp simd
        for (int c = 0; c < B; c++) {
            g[c] = gradient(n, p, c, v);
            dx[c] = input_gradient(n, p, c, g[c]);
        }
        if (n->dx) put(n->dx + p * B, dx, add_dx);
        if (dadd) put(dadd + p * B, g, n->add_dadd);
    }
}

static void norm_backward(const afn_norm_block *n)
{
    const norm_variant ready = { AFN_NO_ACT, false, false };
    const norm_variant v =
        n->store ? ready : (norm_variant){ n->act, !n->y, n->dy2 != NULL };
    if (v.act == AFN_NO_ACT && !v.two && !n->add_dx)
        backward_as(n, ready, false);
    else if (v.act == AFN_ACT_RELU && v.from_x && !v.two && !n->add_dx)
        backward_as(n, (norm_variant){ AFN_ACT_RELU, true, false }, false);
    else
        backward_as(n, v, n->add_dx);
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
    for (int64_t p = 0; p < pixels; p++) put(dx + p * B, g, add_to);
}

const afn_kern AFN_KERN_TABLE = {
    .block = B,
    .winograd = &AFN_WINOGRAD_TABLE,
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
