/* SPDX-License-Identifier: Apache-2.0 */
/* Flatten: from blocked (C,H,W) to PyTorch's row-major C*H*W, and back. */
#include "engine/cpu/cpu.h"

typedef struct flatten {
    cpu_device *device;
    const afn_kern *kern;
    const afn_step *step;
    bool same; /* the input is row-major already */
} flatten;

typedef struct flatten_call {
    const flatten *s;
    cpu_blocks b;
    void *to;
    const void *from;
    bool back, add;
} flatten_call;

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    flatten *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->device = p->device;
    s->step = p->step;
    s->kern = cpu_kern(&p->in[0], s->device);
    const cpu_format in = cpu_format_of(&p->in[0]);
    s->same = in.order == DNN_PLAIN;
    return cpu_layout(&k->out, &p->step->out_shape, (cpu_format){ DNN_PLAIN, in.type });
}

/* One unit of work is one (sample, channel). */
static void move_range(void *user, int64_t from, int64_t to)
{
    const flatten_call *c = user;
    const cpu_blocks *b = &c->b;
    const afn_kern *k = c->s->kern;
    for (int64_t u = from; u < to; u++) {
        const int64_t n = u / b->channels, ch = u % b->channels;
        const int64_t flat = u * b->pixels;
        const int64_t blocked =
            (n * b->blocks + ch / b->width) * b->size + ch % b->width;
        if (c->back)
            (c->add ? k->move_add : k->move)(cpu_at(k, c->to, blocked), b->width,
                                             cpu_get(k, c->from, flat), 1, b->pixels);
        else
            k->move(cpu_at(k, c->to, flat), 1, cpu_get(k, c->from, blocked), b->width,
                    b->pixels);
    }
}

static afn_status forward(void *state, const afn_args *a)
{
    const flatten *s = state;
    if (s->same) {
        cpu_copy(a->out, a->in[0],
                 (size_t)(a->n * s->step->out_shape.dim[0]) * s->kern->bytes);
        return AFN_OK;
    }
    flatten_call c = { .s = s,
                       .b = cpu_blocks_of(s->device, &s->step->in_shape[0], a->n),
                       .to = a->out,
                       .from = a->in[0] };
    cpu_parallel(c.b.n * c.b.channels, move_range, &c);
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const flatten *s = state;
    const int64_t count = a->n * s->step->out_shape.dim[0];
    if (s->same && a->accumulate[0]) {
        cpu_accumulate(s->kern, a->din[0], a->dout, count);
        return AFN_OK;
    }
    if (s->same) {
        cpu_copy(a->din[0], a->dout, (size_t)count * s->kern->bytes);
        return AFN_OK;
    }
    flatten_call c = { .s = s,
                       .b = cpu_blocks_of(s->device, &s->step->in_shape[0], a->n),
                       .to = a->din[0],
                       .from = a->dout,
                       .back = true,
                       .add = a->accumulate[0] };
    cpu_parallel(c.b.n * c.b.channels, move_range, &c);
    if (!c.add) cpu_clear_padding(s->kern, c.to, &c.b);
    return AFN_OK;
}

const afn_kernel_ops cpu_flatten_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
