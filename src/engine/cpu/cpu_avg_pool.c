/* SPDX-License-Identifier: Apache-2.0 */
/* Average pooling over windows, and to a fixed size.  Both visit windows of a blocked
 * plane; they differ in how a window is found and in its divisor, PyTorch's rules
 * (aten/src/ATen/native/AveragePool2d.cpp, AdaptiveAveragePooling.cpp). */
#include <string.h>

#include "engine/cpu/cpu.h"

typedef struct avg_pool {
    cpu_device *device;
    const afn_step *step;
} avg_pool;

typedef struct window {
    int64_t h0, h1, w0, w1; /* pixels [h0,h1) x [w0,w1) of the input */
    float weight;           /* 1 / divisor */
} window;

typedef struct avg_call {
    const avg_pool *s;
    const afn_args *a;
    cpu_blocks in, out;
} avg_call;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static window sliding_window(const afn_step *s, int64_t oh, int64_t ow)
{
    const afn_pool_attr *p = &s->node->attr.pool;
    const int64_t ih = s->in_shape[0].dim[1], iw = s->in_shape[0].dim[2];
    const int64_t h0 = oh * p->sh - p->ph, w0 = ow * p->sw - p->pw;
    const int64_t h1 = least(h0 + p->kh, ih + p->ph),
                  w1 = least(w0 + p->kw, iw + p->pw);
    window w = { most(h0, 0), least(h1, ih), most(w0, 0), least(w1, iw), 0 };
    const int64_t padded = (h1 - h0) * (w1 - w0);
    const int64_t inside = (w.h1 - w.h0) * (w.w1 - w.w0);
    w.weight = 1.0f / (float)(p->include_pad ? padded : inside);
    return w;
}

static window adaptive_window(const afn_step *s, int64_t oh, int64_t ow)
{
    const int64_t ih = s->in_shape[0].dim[1], iw = s->in_shape[0].dim[2];
    const int64_t nh = s->out_shape.dim[1], nw = s->out_shape.dim[2];
    window w = { oh * ih / nh, ((oh + 1) * ih + nh - 1) / nh, ow * iw / nw,
                 ((ow + 1) * iw + nw - 1) / nw, 0 };
    w.weight = 1.0f / (float)((w.h1 - w.h0) * (w.w1 - w.w0));
    return w;
}

static window window_at(const afn_step *s, int64_t oh, int64_t ow)
{
    return s->op == AFN_OP_AVG_POOL ? sliding_window(s, oh, ow)
                                    : adaptive_window(s, oh, ow);
}

static bool is_global(const afn_step *s)
{
    return s->op == AFN_OP_ADAPTIVE_AVG_POOL && s->out_shape.dim[1] == 1 &&
           s->out_shape.dim[2] == 1;
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    avg_pool *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->device = p->device;
    s->step = p->step;
    return cpu_layout(&k->out, &p->step->out_shape, p->n,
                      cpu_order(s->device, &p->step->out_shape));
}

static avg_call begin(const avg_pool *s, const afn_args *a)
{
    return (avg_call){ s, a, cpu_blocks_of(s->device, &s->step->in_shape[0], a->n),
                       cpu_blocks_of(s->device, &s->step->out_shape, a->n) };
}

static void average(float *y, const float *x, const window *w, int64_t iw, int width)
{
    memset(y, 0, (size_t)width * sizeof *y);
    for (int64_t h = w->h0; h < w->h1; h++)
        for (int64_t i = w->w0; i < w->w1; i++)
            for (int c = 0; c < width; c++) y[c] += x[(h * iw + i) * width + c];
    for (int c = 0; c < width; c++) y[c] *= w->weight;
}

static void forward_range(void *user, int64_t from, int64_t to)
{
    const avg_call *c = user;
    const afn_step *s = c->s->step;
    const int64_t oh = s->out_shape.dim[1], ow = s->out_shape.dim[2];
    for (int64_t u = from; u < to; u++) {
        const float *x = (const float *)c->a->in[0] + u * c->in.floats;
        float *y = (float *)c->a->out + u * c->out.floats;
        if (is_global(s)) {
            c->s->device->kern->mean(y, x, c->in.pixels);
            continue;
        }
        for (int64_t i = 0; i < oh * ow; i++) {
            const window w = window_at(s, i / ow, i % ow);
            average(y + i * c->out.width, x, &w, s->in_shape[0].dim[2], c->out.width);
        }
    }
}

static void spread(float *dx, const float *dy, const window *w, int64_t iw, int width)
{
    for (int64_t h = w->h0; h < w->h1; h++)
        for (int64_t i = w->w0; i < w->w1; i++)
            for (int c = 0; c < width; c++)
                dx[(h * iw + i) * width + c] += dy[c] * w->weight;
}

static void backward_range(void *user, int64_t from, int64_t to)
{
    const avg_call *c = user;
    const afn_step *s = c->s->step;
    const int64_t oh = s->out_shape.dim[1], ow = s->out_shape.dim[2];
    const bool add = c->a->accumulate[0];
    for (int64_t u = from; u < to; u++) {
        float *dx = (float *)c->a->din[0] + u * c->in.floats;
        const float *dy = (const float *)c->a->dout + u * c->out.floats;
        if (is_global(s)) {
            c->s->device->kern->mean_backward(dx, dy, c->in.pixels, add);
            continue;
        }
        if (!add) memset(dx, 0, (size_t)c->in.floats * sizeof *dx);
        for (int64_t i = 0; i < oh * ow; i++) {
            const window w = window_at(s, i / ow, i % ow);
            spread(dx, dy + i * c->out.width, &w, s->in_shape[0].dim[2], c->out.width);
        }
    }
}

static afn_status forward(void *state, const afn_args *a)
{
    avg_call c = begin(state, a);
    cpu_parallel(c.in.n * c.in.blocks, forward_range, &c);
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    avg_call c = begin(state, a);
    cpu_parallel(c.in.n * c.in.blocks, backward_range, &c);
    return AFN_OK;
}

const afn_kernel_ops cpu_avg_pool_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};

const afn_kernel_ops cpu_adaptive_avg_pool_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
