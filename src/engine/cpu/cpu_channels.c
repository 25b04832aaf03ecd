/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that only put channels elsewhere: concatenation, slice, shuffle.  Each says
 * for a channel of what it writes where that comes from; a block is then gathered from
 * the blocks that its channels lie in, or copied where it is a block already. */
#include <string.h>

#include "engine/cpu/cpu.h"

typedef struct channels {
    cpu_device *device;
    const afn_kern *kern;
    const afn_step *step;
} channels;

/* A channel of a value; value NULL = zeros. */
typedef struct origin {
    const void *value;
    const afn_shape *shape;
    int64_t channel;
} origin;

typedef struct channels_call {
    const channels *s;
    const afn_args *a;
    int input; /* backward: whose gradient is written */
    cpu_blocks to;
    void *dst;
    bool add;
    origin (*of)(const struct channels_call *c, int64_t channel);
} channels_call;

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    channels *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->device = p->device;
    s->step = p->step;
    s->kern = cpu_kern(&p->in[0], s->device);
    k->any_n = true;
    k->cheap = true;
    return cpu_layout(&k->out, &p->step->out_shape, cpu_format_of(&p->in[0]));
}

/* ---- moving ---- */

/* Where the lanes of block `block` of sample n come from; how many exist. */
static int find_lanes(const channels_call *c, int64_t n, int64_t block, afn_lanes *l)
{
    int found = 0;
    const int64_t w = c->to.width;
    *l = (afn_lanes){ 0 };
    for (int i = 0; i < w && block * w + i < c->to.channels; i++) {
        const origin o = c->of(c, block * w + i);
        if (!o.value) continue;
        const cpu_blocks b = cpu_blocks_of(c->s->device, o.shape, 1);
        l->from[i] =
            cpu_get(c->s->kern, o.value, (n * b.blocks + o.channel / w) * b.size);
        l->lane[i] = (int)(o.channel % w);
        found++;
    }
    return found;
}

static bool is_block(const afn_lanes *l, int width)
{
    for (int i = 0; i < width; i++)
        if (l->from[i] != l->from[0] || l->lane[i] != i) return false;
    return l->from[0];
}

/* One unit of work is one (sample, channel block) of what is written. */
static void move_range(void *user, int64_t from, int64_t to)
{
    const channels_call *c = user;
    const afn_kern *k = c->s->kern;
    for (int64_t u = from; u < to; u++) {
        afn_lanes l;
        void *dst = cpu_at(k, c->dst, u * c->to.size);
        const int found = find_lanes(c, u / c->to.blocks, u % c->to.blocks, &l);
        if (!found && c->add) continue;
        if (c->add && is_block(&l, c->to.width))
            k->accumulate(dst, l.from[0], c->to.size);
        else if (is_block(&l, c->to.width))
            memcpy(dst, l.from[0], (size_t)c->to.size * k->bytes);
        else
            k->channels->gather(dst, &l, c->to.pixels, c->add);
    }
}

typedef origin (*origin_fn)(const channels_call *c, int64_t channel);

static afn_status run_forward(void *state, const afn_args *a, origin_fn of)
{
    const channels *s = state;
    channels_call c = { .s = s, .a = a, .dst = a->out, .of = of };
    c.to = cpu_blocks_of(s->device, &s->step->out_shape, a->n);
    cpu_parallel(c.to.n * c.to.blocks, move_range, &c);
    return AFN_OK;
}

static afn_status run_backward(void *state, const afn_args *a, origin_fn of)
{
    const channels *s = state;
    for (int i = 0; i < s->step->n_inputs; i++) {
        channels_call c = { .s = s, .a = a, .input = i, .dst = a->din[i], .of = of };
        if (!c.dst) continue;
        c.add = a->accumulate[i];
        c.to = cpu_blocks_of(s->device, &s->step->in_shape[i], a->n);
        cpu_parallel(c.to.n * c.to.blocks, move_range, &c);
    }
    return AFN_OK;
}

static origin of_output(const channels_call *c, int64_t channel)
{
    return (origin){ c->a->dout, &c->s->step->out_shape, channel };
}

static origin of_input(const channels_call *c, int64_t channel)
{
    return (origin){ c->a->in[0], &c->s->step->in_shape[0], channel };
}

/* ---- concatenation ---- */

static origin concat_origin(const channels_call *c, int64_t channel)
{
    int i = 0;
    const afn_shape *in = c->s->step->in_shape;
    for (; channel >= in[i].dim[0]; i++) channel -= in[i].dim[0];
    return (origin){ c->a->in[i], &in[i], channel };
}

static origin concat_gradient(const channels_call *c, int64_t channel)
{
    for (int i = 0; i < c->input; i++) channel += c->s->step->in_shape[i].dim[0];
    return of_output(c, channel);
}

static afn_status concat_forward(void *state, const afn_args *a)
{
    return run_forward(state, a, concat_origin);
}

static afn_status concat_backward(void *state, const afn_args *a)
{
    return run_backward(state, a, concat_gradient);
}

/* ---- slice ---- */

static origin slice_origin(const channels_call *c, int64_t channel)
{
    return of_input(c, channel + c->s->step->node->attr.slice.first);
}

static origin slice_gradient(const channels_call *c, int64_t channel)
{
    const int64_t at = channel - c->s->step->node->attr.slice.first;
    const bool inside = at >= 0 && at < c->s->step->node->attr.slice.count;
    return inside ? of_output(c, at) : (origin){ 0 };
}

static afn_status slice_forward(void *state, const afn_args *a)
{
    return run_forward(state, a, slice_origin);
}

static afn_status slice_backward(void *state, const afn_args *a)
{
    return run_backward(state, a, slice_gradient);
}

/* ---- shuffle: channel i of g groups of k moves to (i % k) g + i / k ---- */

static origin shuffle_origin(const channels_call *c, int64_t channel)
{
    const int64_t g = c->s->step->node->attr.groups, k = c->to.channels / g;
    return of_input(c, channel % g * k + channel / g);
}

static origin shuffle_gradient(const channels_call *c, int64_t channel)
{
    const int64_t g = c->s->step->node->attr.groups, k = c->to.channels / g;
    return of_output(c, channel % k * g + channel / k);
}

static afn_status shuffle_forward(void *state, const afn_args *a)
{
    return run_forward(state, a, shuffle_origin);
}

static afn_status shuffle_backward(void *state, const afn_args *a)
{
    return run_backward(state, a, shuffle_gradient);
}

const afn_kernel_ops cpu_concat_ops = {
    .prepare = prepare,
    .forward = concat_forward,
    .backward = concat_backward,
    .free = afn_free,
};

const afn_kernel_ops cpu_slice_ops = {
    .prepare = prepare,
    .forward = slice_forward,
    .backward = slice_backward,
    .free = afn_free,
};

const afn_kernel_ops cpu_shuffle_ops = {
    .prepare = prepare,
    .forward = shuffle_forward,
    .backward = shuffle_backward,
    .free = afn_free,
};
