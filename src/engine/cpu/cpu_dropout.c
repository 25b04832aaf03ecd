/* SPDX-License-Identifier: Apache-2.0 */
/* Dropout.  Whether an element lives is a function of (seed, node, call, its index in
 * row-major (n,c,h,w) order), so the mask is the same in every layout and for any
 * number of threads; backward computes it again instead of keeping it. */
#include "engine/cpu/cpu.h"

typedef struct dropout {
    cpu_device *device;
    const afn_step *step;
    bool blocked;
} dropout;

typedef struct dropout_call {
    const dropout *s;
    const afn_args *a;
    const float *from;
    float *to;
    bool add;
    uint64_t stream;
    float scale;
} dropout_call;

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    dropout *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->device = p->device;
    s->step = p->step;
    s->blocked = p->in[0].format != DNN_PLAIN;
    k->out = p->in[0];
    return AFN_OK;
}

static float factor(const dropout_call *c, int64_t logical)
{
    uint32_t word[4];
    afn_rng_block(word, c->a->seed, c->stream, (uint64_t)logical / 4);
    const float u = (float)(word[logical % 4] >> 8) * 0x1p-24f;
    return u >= c->s->step->node->attr.p ? c->scale : 0.0f;
}

static void put(const dropout_call *c, int64_t at, float value)
{
    c->to[at] = c->add ? c->to[at] + value : value;
}

/* Row-major: a unit of work is four elements, one block of random numbers. */
static void plain_range(void *user, int64_t from, int64_t to)
{
    const dropout_call *c = user;
    const int64_t count = c->a->n * afn_shape_count(&c->s->step->out_shape);
    for (int64_t u = from; u < to; u++) {
        uint32_t word[4];
        afn_rng_block(word, c->a->seed, c->stream, (uint64_t)u);
        for (int64_t i = 0; i < 4 && u * 4 + i < count; i++) {
            const float x = (float)(word[i] >> 8) * 0x1p-24f;
            const float f = x >= c->s->step->node->attr.p ? c->scale : 0.0f;
            put(c, u * 4 + i, c->from[u * 4 + i] * f);
        }
    }
}

/* Blocked: a unit of work is one (sample, channel block). */
static void blocked_range(void *user, int64_t from, int64_t to)
{
    const dropout_call *c = user;
    const cpu_blocks b = cpu_blocks_of(c->s->device, &c->s->step->out_shape, c->a->n);
    for (int64_t u = from; u < to; u++) {
        const int64_t n = u / b.blocks, c0 = u % b.blocks * b.width;
        for (int64_t i = 0; i < b.pixels; i++)
            for (int64_t k = 0; k < b.width; k++) {
                const int64_t at = u * b.floats + i * b.width + k, ch = c0 + k;
                const int64_t logical = (n * b.channels + ch) * b.pixels + i;
                put(c, at, ch < b.channels ? c->from[at] * factor(c, logical) : 0.0f);
            }
    }
}

static afn_status run(const dropout *s, const afn_args *a, dropout_call c)
{
    const float p = s->step->node->attr.p;
    c.s = s;
    c.a = a;
    c.stream =
        afn_rng_stream(AFN_RNG_DROPOUT, (uint32_t)(s->step->output), (uint32_t)a->call);
    c.scale = p < 1.0f ? 1.0f / (1.0f - p) : 0.0f;
    const int64_t count = a->n * afn_shape_count(&s->step->out_shape);
    if (s->blocked) {
        const cpu_blocks b = cpu_blocks_of(s->device, &s->step->out_shape, a->n);
        cpu_parallel(b.n * b.blocks, blocked_range, &c);
    } else {
        cpu_parallel((count + 3) / 4, plain_range, &c);
    }
    return AFN_OK;
}

static afn_status forward(void *state, const afn_args *a)
{
    return run(state, a, (dropout_call){ .from = a->in[0], .to = a->out });
}

static afn_status backward(void *state, const afn_args *a)
{
    return run(
        state, a,
        (dropout_call){ .from = a->dout, .to = a->din[0], .add = a->accumulate[0] });
}

const afn_kernel_ops cpu_dropout_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
