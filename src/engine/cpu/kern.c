/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of kern.h, in plain C that compilers vectorise: meson.build compiles this
 * file once per instruction set with AFN_KERN_TABLE, the name of the table, and B, the
 * block width; AFN_WINOGRAD_TABLE is that of kern_winograd.c.  With AFN_KERN_BF16
 * values are bf16, the upper half of a float; its only trace are get() and set().  Sums
 * run in float over short runs and are then added in double: as exact as needed, at the
 * speed of float. */
#include "engine/cpu/kern.h"

#include <string.h>

#include "engine/backend.h"

#define INLINE static inline __attribute__((always_inline))

/* Values as floats, and back: rounded to the nearest, ties to even. */
#ifdef AFN_KERN_BF16
typedef uint16_t value;
typedef uint16_t halves __attribute__((vector_size(B * 2)));
typedef uint32_t words __attribute__((vector_size(B * 4)));
typedef float floats __attribute__((vector_size(B * 4)));

INLINE void get(float *to, const void *v, int64_t i) /* B of them */
{
    halves h;
    memcpy(&h, (const value *)v + i, sizeof h);
    const words w = __builtin_convertvector(h, words) << 16;
    memcpy(to, &w, sizeof w);
}

INLINE void set(void *v, int64_t i, const float *from)
{
    floats x;
    words w;
    memcpy(&x, from, sizeof x);
    memcpy(&w, from, sizeof w);
    const words is_nan = (words)(x != x); /* its payload must not carry */
    const words nearest = w + 0x7fffu + ((w >> 16) & 1u), quiet = w | 0x400000u;
    const halves h =
        __builtin_convertvector(((is_nan & quiet) | (~is_nan & nearest)) >> 16, halves);
    memcpy((value *)v + i, &h, sizeof h);
}
#else
typedef float value;

INLINE void get(float *to, const void *v, int64_t i)
{
    memcpy(to, (const value *)v + i, B * sizeof *to);
}

INLINE void set(void *v, int64_t i, const float *from)
{
    memcpy((value *)v + i, from, B * sizeof *from);
}
#endif

/* The same with the first n of them. */
INLINE void get_some(float *to, const void *v, int64_t i, int64_t n)
{
    value all[B] = { 0 };
    if (n == B) {
        get(to, v, i);
        return;
    }
    for (int64_t c = 0; c < n; c++) all[c] = ((const value *)v)[i + c];
    get(to, all, 0);
}

INLINE void set_some(void *v, int64_t i, const float *from, int64_t n)
{
    value all[B];
    if (n == B) {
        set(v, i, from);
        return;
    }
    set(all, 0, from);
    for (int64_t c = 0; c < n; c++) ((value *)v)[i + c] = all[c];
}

INLINE int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

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

static void norm_sums(const void *x, int64_t pixels, const float *shift, double *s1,
                      double *s2)
{
    for (int64_t from = 0; from < pixels; from += RUN) {
        const int64_t to = least(from + RUN, pixels);
        float a[B] = { 0 }, b[B] = { 0 };
        for (int64_t p = from; p < to; p++) {
            float v[B];
            get(v, x, p * B);
#pragma omp simd
            for (int c = 0; c < B; c++) {
                const float d = v[c] - shift[c];
                a[c] += d;
                b[c] += d * d;
            }
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

INLINE void apply_as(void *y, const void *x, const void *add, const float *mean,
                     const float *scale, const float *bias, int64_t pixels, int act)
{
    for (int64_t p = 0; p < pixels; p++) {
        float v[B], more[B];
        get(v, x, p * B);
        if (add) get(more, add, p * B);
#pragma omp simd
        for (int c = 0; c < B; c++) {
            v[c] = normal(v[c], mean, scale, bias, c);
            if (add) v[c] += more[c];
            v[c] = clip(v[c], act);
        }
        set(y, p * B, v);
    }
}

static void norm_apply(void *y, const void *x, const void *add, const float *mean,
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

/* What is read of one pixel: the gradient of y, masked by the activation, and x. */
typedef struct norm_pixel {
    float g[B], x[B];
} norm_pixel;

INLINE void read_pixel(norm_pixel *to, const afn_norm_block *n, int64_t p,
                       norm_variant v)
{
    float second[B], y[B];
    get(to->g, n->dy, p * B);
    get(to->x, n->x, p * B);
    if (v.two) get(second, n->dy2, p * B);
    if (v.act != AFN_NO_ACT && !v.from_x) get(y, n->y, p * B);
#pragma omp simd
    for (int c = 0; c < B; c++) {
        const float g = v.two ? to->g[c] + second[c] : to->g[c];
        const float at = v.act == AFN_NO_ACT ? 1.0f
                         : v.from_x ? normal(to->x[c], n->mean, n->scale, n->bias, c)
                                    : y[c];
        to->g[c] = v.act == AFN_NO_ACT ? g : pass(g, at, v.act);
    }
}

INLINE void backward_sums_as(const afn_norm_block *n, double *s1, double *s2,
                             norm_variant v, bool store)
{
    for (int64_t from = 0; from < n->pixels; from += RUN) {
        const int64_t to = least(from + RUN, n->pixels);
        float a[B] = { 0 }, b[B] = { 0 };
        for (int64_t p = from; p < to; p++) {
            norm_pixel at;
            read_pixel(&at, n, p, v);
            if (store) set(n->dy, p * B, at.g);
#pragma omp simd
            for (int c = 0; c < B; c++) {
                a[c] += at.g[c];
                b[c] += at.g[c] * (at.x[c] - n->mean[c]);
            }
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

/* to = from, or to += from, for pixel p. */
INLINE void put(void *to, int64_t p, const float *from, bool accumulate)
{
    float v[B];
    if (!accumulate) {
        set(to, p * B, from);
        return;
    }
    get(v, to, p * B);
#pragma omp simd
    for (int c = 0; c < B; c++) v[c] += from[c];
    set(to, p * B, v);
}

INLINE void backward_as(const afn_norm_block *n, norm_variant v, bool add_dx)
{
    void *dadd = n->dadd == n->dy && n->store ? NULL : n->dadd; /* it is there */
    for (int64_t p = 0; p < n->pixels; p++) {
        norm_pixel at;
        float dx[B];
        read_pixel(&at, n, p, v);
#pragma omp simd
        for (int c = 0; c < B; c++) {
            dx[c] = n->a[c] * at.g[c];
            if (n->k) dx[c] = dx[c] - n->k[c] * (at.x[c] - n->mean[c]) - n->d[c];
        }
        if (n->dx) put(n->dx, p, dx, add_dx);
        if (dadd) put(dadd, p, at.g, n->add_dadd);
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

static void add(void *y, const void *a, const void *b, int64_t n)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        float u[B], v[B];
        get_some(u, a, i, some);
        get_some(v, b, i, some);
#pragma omp simd
        for (int c = 0; c < B; c++) v[c] += u[c];
        set_some(y, i, v, some);
    }
}

static void accumulate(void *y, const void *x, int64_t n)
{
    add(y, y, x, n);
}

static void act_forward(void *y, const void *x, int64_t n, int act)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        float v[B];
        get_some(v, x, i, some);
#pragma omp simd
        for (int c = 0; c < B; c++) v[c] = clip(v[c], act);
        set_some(y, i, v, some);
    }
}

static void mask(void *dx, const void *dy, const void *y, int64_t n, int act)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        float g[B], v[B];
        get_some(g, dy, i, some);
        get_some(v, y, i, some);
#pragma omp simd
        for (int c = 0; c < B; c++) g[c] = pass(g[c], v[c], act);
        set_some(dx, i, g, some);
    }
}

static void times(void *y, const void *x, const float *factor, int64_t n, bool add_to)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        float v[B], old[B] = { 0 };
        get_some(v, x, i, some);
        if (add_to) get_some(old, y, i, some);
        for (int c = 0; c < some; c++) v[c] = old[c] + v[c] * factor[i + c];
        set_some(y, i, v, some);
    }
}

static void move(void *to, int64_t to_step, const void *from, int64_t from_step,
                 int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        ((value *)to)[i * to_step] = ((const value *)from)[i * from_step];
}

static void move_add(void *to, int64_t to_step, const void *from, int64_t from_step,
                     int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float old[B], v[B];
        get_some(old, to, i * to_step, 1);
        get_some(v, from, i * from_step, 1);
        old[0] += v[0];
        set_some(to, i * to_step, old, 1);
    }
}

static void load(float *to, const void *from, int64_t n)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        float v[B];
        get_some(v, from, i, some);
        memcpy(to + i, v, (size_t)some * sizeof *v);
    }
}

static void store(void *to, const float *from, int64_t n)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        float v[B] = { 0 };
        memcpy(v, from + i, (size_t)some * sizeof *v);
        set_some(to, i, v, some);
    }
}

static void mean(float *y, const void *x, int64_t pixels)
{
    double sum[B] = { 0 };
    for (int64_t from = 0; from < pixels; from += RUN) {
        const int64_t to = least(from + RUN, pixels);
        float part[B] = { 0 };
        for (int64_t p = from; p < to; p++) {
            float v[B];
            get(v, x, p * B);
#pragma omp simd
            for (int c = 0; c < B; c++) part[c] += v[c];
        }
        add_sums(sum, part);
    }
    for (int c = 0; c < B; c++) y[c] = (float)(sum[c] / (double)pixels);
}

static void mean_backward(void *dx, const float *dy, int64_t pixels, bool add_to)
{
    float g[B];
    for (int c = 0; c < B; c++) g[c] = dy[c] / (float)pixels;
    for (int64_t p = 0; p < pixels; p++) put(dx, p, g, add_to);
}

static void window(float *y, const void *x, const afn_kern_window *w)
{
    float sum[B] = { 0 };
    for (int64_t h = w->h0; h < w->h1; h++)
        for (int64_t i = w->w0; i < w->w1; i++) {
            float v[B];
            get(v, x, (h * w->row + i) * B);
#pragma omp simd
            for (int c = 0; c < B; c++) sum[c] += v[c];
        }
    for (int c = 0; c < B; c++) y[c] = sum[c] * w->weight;
}

static void window_backward(void *dx, const float *dy, const afn_kern_window *w)
{
    float g[B];
    for (int c = 0; c < B; c++) g[c] = dy[c] * w->weight;
    for (int64_t h = w->h0; h < w->h1; h++)
        for (int64_t i = w->w0; i < w->w1; i++) put(dx, h * w->row + i, g, true);
}

const afn_kern AFN_KERN_TABLE = {
    .block = B,
    .bytes = sizeof(value),
#ifndef AFN_KERN_BF16
    .winograd = &AFN_WINOGRAD_TABLE,
#endif
    .norm_sums = norm_sums,
    .norm_apply = norm_apply,
    .norm_backward_sums = norm_backward_sums,
    .norm_backward = norm_backward,
    .add = add,
    .accumulate = accumulate,
    .act = act_forward,
    .mask = mask,
    .times = times,
    .move = move,
    .move_add = move_add,
    .load = load,
    .store = store,
    .mean = mean,
    .mean_backward = mean_backward,
    .window = window,
    .window_backward = window_backward,
};
