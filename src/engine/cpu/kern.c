/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of kern.h, on vectors of one block: meson.build compiles this file once
 * per instruction set with AFN_KERN_TABLE, the name of the table, and B, the block
 * width; AFN_WINOGRAD_TABLE is that of kern_winograd.c, AFN_PAIRS_TABLE that of
 * kern_pairs.c, AFN_F2_TABLE that of kern_winograd_f2.c.  With AFN_KERN_BF16 values are
 * bf16.  Sums run in float over short runs and are then added in double: as exact as
 * needed, at the speed of float. */
#include "engine/cpu/kern.h"

#include "engine/cpu/kern_act.h"

/* Two sums over a run of pixels, even and odd ones apart: an addition need not wait for
 * the one before. */
typedef struct run_sums {
    vec a[2], b[2];
} run_sums;

INLINE void add_run(double *s1, double *s2, const run_sums *r)
{
    add_sums(s1, r->a[0] + r->a[1]);
    add_sums(s2, r->b[0] + r->b[1]);
}

static void norm_sums(const void *x, int64_t pixels, const float *shift, double *s1,
                      double *s2)
{
    const vec at = load_vec(shift);
    for (int64_t from = 0; from < pixels; from += RUN) {
        const int64_t to = least(from + RUN, pixels);
        vec a = { 0 }, b = { 0 };
        for (int64_t p = from; p < to; p++) {
            const vec d = get(x, p * B) - at;
            a += d;
            b += d * d;
        }
        add_sums(s1, a);
        add_sums(s2, b);
    }
}

/* Normalised value. */
INLINE vec normal(vec x, vec mean, vec scale, vec bias)
{
    return (x - mean) * scale + bias;
}

INLINE void apply_as(void *y, const void *x, const void *add, const afn_norm_vectors *n,
                     int64_t pixels, int act)
{
    const vec mean = load_vec(n->mean), scale = load_vec(n->scale);
    const vec bias = load_vec(n->bias);
    for (int64_t p = 0; p < pixels; p++) {
        vec v = normal(get(x, p * B), mean, scale, bias);
        if (add) v += get(add, p * B);
        set(y, p * B, act_value(v, act));
    }
}

static void norm_apply(void *y, const void *x, const void *add,
                       const afn_norm_vectors *n, int64_t pixels, int act)
{
    if (add)
        FOR_EACH_KINK(act, apply_as, y, x, add, n, pixels);
    else
        FOR_EACH_ACT(act, apply_as, y, x, NULL, n, pixels);
}

/* Where the mask of the activation is found; constants of each variant below. */
typedef enum norm_mask { FROM_Y, FROM_X } norm_mask;

/* The gradient of y at pixel p, masked by the activation; x is the value there. */
INLINE vec gradient_at(const afn_norm_block *n, int64_t p, vec x, bool two,
                       norm_mask mask, int act)
{
    vec g = get(n->dy, p * B);
    if (two) g += get(n->dy2, p * B);
    if (act == AFN_NO_ACT) return g;
    if (mask == FROM_Y) return pass(g, get(n->y, p * B), act);
    const afn_norm_vectors *v = &n->v;
    return pass(g, normal(x, load_vec(v->mean), load_vec(v->scale), load_vec(v->bias)),
                act);
}

INLINE void sum_pixel(const afn_norm_block *n, run_sums *r, int64_t p, int k, bool two,
                      bool store, norm_mask mask, int act)
{
    const vec x = get(n->x, p * B), g = gradient_at(n, p, x, two, mask, act);
    if (store) set(n->dy, p * B, g);
    r->a[k] += g;
    r->b[k] += g * (x - load_vec(n->v.mean));
}

INLINE void sums_as(const afn_norm_block *n, double *s1, double *s2, bool two,
                    bool store, norm_mask mask, int act)
{
    for (int64_t from = 0; from < n->pixels; from += RUN) {
        const int64_t to = least(from + RUN, n->pixels);
        run_sums r = { 0 };
        int64_t p = from;
        for (; p + 2 <= to; p += 2)
            for (int k = 0; k < 2; k++)
                sum_pixel(n, &r, p + k, k, two, store, mask, act);
        for (; p < to; p++) sum_pixel(n, &r, p, 0, two, store, mask, act);
        add_run(s1, s2, &r);
    }
}

/* The variants that networks have; the last one of each kind serves all others. */
static void norm_backward_sums(const afn_norm_block *n, double *s1, double *s2)
{
    const bool two = n->dy2 != NULL, store = n->store;
    if (n->y && two && store)
        FOR_EACH_KINK(n->act, sums_as, n, s1, s2, true, true, FROM_Y);
    else if (n->y)
        FOR_EACH_KINK(n->act, sums_as, n, s1, s2, two, store, FROM_Y);
    else if (!two && !store)
        FOR_EACH_KINK(n->act, sums_as, n, s1, s2, false, false, FROM_X);
    else if (!two)
        FOR_EACH_ACT(n->act, sums_as, n, s1, s2, false, true, FROM_X);
    else
        FOR_EACH_ACT(n->act, sums_as, n, s1, s2, two, store, FROM_X);
}

INLINE void backward_as(const afn_norm_block *n, bool two, bool add_dx, norm_mask mask,
                        int act)
{
    const vec mean = load_vec(n->v.mean), a = load_vec(n->a);
    const vec k = n->k ? load_vec(n->k) : (vec){ 0 };
    const vec d = n->k ? load_vec(n->d) : (vec){ 0 };
    void *dadd = n->dadd == n->dy && n->store ? NULL : n->dadd; /* it is there */
    for (int64_t p = 0; p < n->pixels; p++) {
        const vec x = get(n->x, p * B), g = gradient_at(n, p, x, two, mask, act);
        if (n->dx) put(n->dx, p, a * g - k * (x - mean) - d, add_dx);
        if (dadd) put(dadd, p, g, n->add_dadd);
    }
}

/* Where statistics are fixed and x is not kept. */
INLINE void scale_as(const afn_norm_block *n, bool two, norm_mask mask, int act)
{
    const vec a = load_vec(n->a);
    for (int64_t p = 0; p < n->pixels; p++) {
        const vec x =
            mask == FROM_X && act != AFN_NO_ACT ? get(n->x, p * B) : (vec){ 0 };
        const vec g = gradient_at(n, p, x, two, mask, act);
        if (n->dx) put(n->dx, p, a * g, n->add_dx);
        if (n->dadd) put(n->dadd, p, g, n->add_dadd);
    }
}

static void norm_backward(const afn_norm_block *n)
{
    const int act = n->store ? AFN_NO_ACT : n->act; /* stored gradients are complete */
    const bool two = n->dy2 && !n->store;
    if (!n->k && n->y)
        FOR_EACH_KINK(act, scale_as, n, two, FROM_Y);
    else if (!n->k)
        FOR_EACH_ACT(act, scale_as, n, two, FROM_X);
    else if (n->y)
        FOR_EACH_KINK(act, backward_as, n, two, n->add_dx, FROM_Y);
    else if (!two && !n->add_dx)
        FOR_EACH_KINK(act, backward_as, n, false, false, FROM_X);
    else
        FOR_EACH_KINK(act, backward_as, n, two, n->add_dx, FROM_X);
}

static void add(void *y, const void *a, const void *b, int64_t n)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        set_some(y, i, get_some(a, i, some) + get_some(b, i, some), some);
    }
}

static void accumulate(void *y, const void *x, int64_t n)
{
    add(y, y, x, n);
}

INLINE void act_as(void *y, const void *x, int64_t n, int act)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        set_some(y, i, act_value(get_some(x, i, some), act), some);
    }
}

static void act_forward(void *y, const void *x, int64_t n, int act)
{
    FOR_EACH_ACT(act, act_as, y, x, n);
}

INLINE void mask_as(void *dx, const void *dy, const void *y, int64_t n, int act)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        set_some(dx, i, pass(get_some(dy, i, some), get_some(y, i, some), act), some);
    }
}

static void mask(void *dx, const void *dy, const void *y, int64_t n, int act)
{
    FOR_EACH_ACT(act, mask_as, dx, dy, y, n);
}

static void times(void *y, const void *x, const float *factor, int64_t n, bool add_to)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        float f[B] = { 0 };
        memcpy(f, factor + i, (size_t)some * sizeof *f);
        vec v = get_some(x, i, some) * load_vec(f);
        if (add_to) v += get_some(y, i, some);
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
        const vec sum = get_some(to, i * to_step, 1) + get_some(from, i * from_step, 1);
        set_some(to, i * to_step, sum, 1);
    }
}

static void load(float *to, const void *from, int64_t n)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        const vec v = get_some(from, i, some);
        memcpy(to + i, &v, (size_t)some * sizeof *to);
    }
}

static void store(void *to, const float *from, int64_t n)
{
    for (int64_t i = 0; i < n; i += B) {
        const int64_t some = least(n - i, B);
        vec v = { 0 };
        memcpy(&v, from + i, (size_t)some * sizeof *from);
        set_some(to, i, v, some);
    }
}

static void mean(float *y, const void *x, int64_t pixels)
{
    double sum[B] = { 0 };
    for (int64_t from = 0; from < pixels; from += RUN) {
        const int64_t to = least(from + RUN, pixels);
        vec part = { 0 };
        for (int64_t p = from; p < to; p++) part += get(x, p * B);
        add_sums(sum, part);
    }
    for (int c = 0; c < B; c++) y[c] = (float)(sum[c] / (double)pixels);
}

static void mean_backward(void *dx, const float *dy, int64_t pixels, bool add_to)
{
    const vec g = load_vec(dy) / (float)pixels;
    for (int64_t p = 0; p < pixels; p++) put(dx, p, g, add_to);
}

static void window(float *y, const void *x, const afn_kern_window *w)
{
    vec sum = { 0 };
    for (int64_t h = w->h0; h < w->h1; h++)
        for (int64_t i = w->w0; i < w->w1; i++) sum += get(x, (h * w->row + i) * B);
    store_vec(y, sum * w->weight);
}

static void window_backward(void *dx, const float *dy, const afn_kern_window *w)
{
    const vec g = load_vec(dy) * w->weight;
    for (int64_t h = w->h0; h < w->h1; h++)
        for (int64_t i = w->w0; i < w->w1; i++) put(dx, h * w->row + i, g, true);
}

const afn_kern AFN_KERN_TABLE = {
    .block = B,
    .bytes = sizeof(value),
    .channels = &AFN_CHANNELS_TABLE,
    .layer_norm = &AFN_LAYER_NORM_TABLE,
    .depthwise = &AFN_DEPTHWISE_TABLE,
#ifdef AFN_KERN_BF16
    .pairs = &AFN_PAIRS_TABLE,
    .f2 = &AFN_F2_TABLE,
#else
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
