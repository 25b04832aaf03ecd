/* SPDX-License-Identifier: Apache-2.0 */
/* Average pooling over windows, and to a fixed size.  Both visit windows of a blocked
 * plane; they differ in how a window is found and in its divisor, PyTorch's rules
 * (aten/src/ATen/native/AveragePool2d.cpp, AdaptiveAveragePooling.cpp). */
#include <string.h>

#include "engine/cpu/cpu.h"

typedef struct avg_pool {
    cpu_device *device;
    const afn_kern *in_kern, *out_kern; /* the output may be in fp32 alone */
    const afn_step *step;
} avg_pool;

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

static afn_kern_window sliding_window(const afn_step *s, int64_t oh, int64_t ow)
{
    const afn_pool_attr *p = &s->node->attr.pool;
    const int64_t ih = s->in_shape[0].dim[1], iw = s->in_shape[0].dim[2];
    const int64_t h0 = oh * p->sh - p->ph, w0 = ow * p->sw - p->pw;
    const int64_t h1 = least(h0 + p->kh, ih + p->ph),
                  w1 = least(w0 + p->kw, iw + p->pw);
    afn_kern_window w = {
        most(h0, 0), least(h1, ih), most(w0, 0), least(w1, iw), iw, 0
    };
    const int64_t padded = (h1 - h0) * (w1 - w0);
    const int64_t inside = (w.h1 - w.h0) * (w.w1 - w.w0);
    w.weight = 1.0f / (float)(p->include_pad ? padded : inside);
    return w;
}

static afn_kern_window adaptive_window(const afn_step *s, int64_t oh, int64_t ow)
{
    const int64_t ih = s->in_shape[0].dim[1], iw = s->in_shape[0].dim[2];
    const int64_t nh = s->out_shape.dim[1], nw = s->out_shape.dim[2];
    afn_kern_window w = { oh * ih / nh, ((oh + 1) * ih + nh - 1) / nh,
                          ow * iw / nw, ((ow + 1) * iw + nw - 1) / nw,
                          iw,           0 };
    w.weight = 1.0f / (float)((w.h1 - w.h0) * (w.w1 - w.w0));
    return w;
}

static afn_kern_window window_at(const afn_step *s, int64_t oh, int64_t ow)
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
    const afn_status st =
        cpu_layout(&k->out, &p->step->out_shape,
                   (cpu_format){ cpu_order(s->device, &p->step->out_shape),
                                 cpu_output_type(s->device, p->step) });
    k->any_n = true;
    s->in_kern = cpu_kern(&p->in[0], s->device);
    s->out_kern = cpu_kern(&k->out, s->device);
    return st;
}

static avg_call begin(const avg_pool *s, const afn_args *a)
{
    return (avg_call){ s, a, cpu_blocks_of(s->device, &s->step->in_shape[0], a->n),
                       cpu_blocks_of(s->device, &s->step->out_shape, a->n) };
}

static void forward_range(void *user, int64_t from, int64_t to)
{
    const avg_call *c = user;
    const afn_step *s = c->s->step;
    const afn_kern *in = c->s->in_kern, *out = c->s->out_kern;
    const int64_t ow = s->out_shape.dim[2];
    float y[AFN_KERN_MAX_BLOCK];
    for (int64_t u = from; u < to; u++) {
        const void *x = cpu_get(in, c->a->in[0], u * c->in.size);
        for (int64_t i = 0; i < c->out.pixels; i++) {
            const afn_kern_window w = window_at(s, i / ow, i % ow);
            if (is_global(s))
                in->mean(y, x, c->in.pixels);
            else
                in->window(y, x, &w);
            out->store(cpu_at(out, c->a->out, u * c->out.size + i * c->out.width), y,
                       c->out.width);
        }
    }
}

static void backward_range(void *user, int64_t from, int64_t to)
{
    const avg_call *c = user;
    const afn_step *s = c->s->step;
    const afn_kern *in = c->s->in_kern, *out = c->s->out_kern;
    const int64_t ow = s->out_shape.dim[2];
    const bool add = c->a->accumulate[0];
    float dy[AFN_KERN_MAX_BLOCK];
    for (int64_t u = from; u < to; u++) {
        void *dx = cpu_at(in, c->a->din[0], u * c->in.size);
        if (!add && !is_global(s)) memset(dx, 0, (size_t)c->in.size * in->bytes);
        for (int64_t i = 0; i < c->out.pixels; i++) {
            const afn_kern_window w = window_at(s, i / ow, i % ow);
            out->load(dy, cpu_get(out, c->a->dout, u * c->out.size + i * c->out.width),
                      c->out.width);
            if (is_global(s))
                in->mean_backward(dx, dy, c->in.pixels, add);
            else
                in->window_backward(dx, dy, &w);
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
