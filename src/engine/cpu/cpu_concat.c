/* SPDX-License-Identifier: Apache-2.0 */
/* Concatenation along channels: whole blocks are copied where an input begins on a
 * block boundary, single channels elsewhere. */
#include <string.h>

#include "engine/cpu/cpu.h"

typedef struct concat {
    cpu_device *device;
    const afn_kern *kern;
    const afn_step *step;
} concat;

typedef struct concat_call {
    const concat *s;
    cpu_blocks in, out;
    int64_t first; /* channel of the output where this input begins */
    void *to;
    const void *from;
    bool back, add;
} concat_call;

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    concat *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->device = p->device;
    s->step = p->step;
    s->kern = cpu_kern(&p->in[0], s->device);
    k->any_n = true;
    return cpu_layout(&k->out, &p->step->out_shape, cpu_format_of(&p->in[0]));
}

/* One channel of one sample. */
static void move_channel(const concat_call *c, int64_t n, int64_t ch)
{
    const afn_kern *k = c->s->kern;
    const int64_t oc = c->first + ch, w = c->in.width;
    const int64_t in = (n * c->in.blocks + ch / w) * c->in.size + ch % w;
    const int64_t out = (n * c->out.blocks + oc / w) * c->out.size + oc % w;
    (c->add ? k->move_add : k->move)(cpu_at(k, c->to, c->back ? in : out), w,
                                     cpu_get(k, c->from, c->back ? out : in), w,
                                     c->in.pixels);
}

static void move_block(const concat_call *c, int64_t n, int64_t block)
{
    const afn_kern *k = c->s->kern;
    const int64_t in = (n * c->in.blocks + block) * c->in.size;
    const int64_t out =
        (n * c->out.blocks + c->first / c->in.width + block) * c->out.size;
    void *to = cpu_at(k, c->to, c->back ? in : out);
    const void *from = cpu_get(k, c->from, c->back ? out : in);
    if (c->add)
        k->accumulate(to, from, c->in.size);
    else
        memcpy(to, from, (size_t)c->in.size * k->bytes);
}

/* One unit of work is one (sample, channel block of the input). */
static void move_range(void *user, int64_t from, int64_t to)
{
    const concat_call *c = user;
    const int64_t w = c->in.width;
    for (int64_t u = from; u < to; u++) {
        const int64_t n = u / c->in.blocks, block = u % c->in.blocks;
        const bool whole = (block + 1) * w <= c->in.channels;
        if (c->first % w == 0 && whole) {
            move_block(c, n, block);
            continue;
        }
        for (int64_t ch = block * w; ch < c->in.channels && ch < (block + 1) * w; ch++)
            move_channel(c, n, ch);
    }
}

static void run(const concat *s, const afn_args *a, bool back)
{
    concat_call c = { .s = s,
                      .out = cpu_blocks_of(s->device, &s->step->out_shape, a->n),
                      .back = back };
    for (int i = 0; i < s->step->n_inputs; i++) {
        c.in = cpu_blocks_of(s->device, &s->step->in_shape[i], a->n);
        c.to = back ? a->din[i] : a->out;
        c.from = back ? a->dout : a->in[i];
        c.add = back && a->accumulate[i];
        if (c.to) cpu_parallel(c.in.n * c.in.blocks, move_range, &c);
        if (c.to && back && !c.add) cpu_clear_padding(s->kern, c.to, &c.in);
        c.first += c.in.channels;
    }
    if (!back) cpu_clear_padding(s->kern, a->out, &c.out);
}

static afn_status forward(void *state, const afn_args *a)
{
    run(state, a, false);
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    run(state, a, true);
    return AFN_OK;
}

const afn_kernel_ops cpu_concat_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
