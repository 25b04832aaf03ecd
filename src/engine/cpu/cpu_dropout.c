/* SPDX-License-Identifier: Apache-2.0 */
/* Dropout.  Whether an element lives is a function of (seed, node, call, its index in
 * row-major (n,c,h,w) order), so the mask is the same in every layout and for any
 * number of threads; backward computes it again instead of keeping it. */
#include "engine/cpu/cpu.h"

typedef struct dropout {
    cpu_device *device;
    const afn_kern *kern;
    const afn_step *step;
    bool blocked;
} dropout;

typedef struct dropout_call {
    const dropout *s;
    const afn_args *a;
    const void *from;
    void *to;
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
    s->kern = cpu_kern(&p->in[0], s->device);
    s->blocked = cpu_format_of(&p->in[0]).order != DNN_PLAIN;
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

/* to = from factor for n values from `at` on. */
static void put(const dropout_call *c, int64_t at, const float *f, int64_t n)
{
    const afn_kern *k = c->s->kern;
    k->times(cpu_at(k, c->to, at), cpu_get(k, c->from, at), f, n, c->add);
}

/* Row-major: a unit of work is four elements, one block of random numbers. */
static void plain_range(void *user, int64_t from, int64_t to)
{
    const dropout_call *c = user;
    const int64_t count = c->a->n * afn_shape_count(&c->s->step->out_shape);
    for (int64_t u = from; u < to; u++) {
        uint32_t word[4];
        float f[4];
        afn_rng_block(word, c->a->seed, c->stream, (uint64_t)u);
        for (int i = 0; i < 4; i++) {
            const float x = (float)(word[i] >> 8) * 0x1p-24f;
            f[i] = x >= c->s->step->node->attr.p ? c->scale : 0.0f;
        }
        put(c, u * 4, f, count - u * 4 < 4 ? count - u * 4 : 4);
    }
}

/* Blocked: a unit of work is one (sample, channel block). */
static void blocked_range(void *user, int64_t from, int64_t to)
{
    const dropout_call *c = user;
    const cpu_blocks b = cpu_blocks_of(c->s->device, &c->s->step->out_shape, c->a->n);
    float f[AFN_KERN_MAX_BLOCK];
    for (int64_t u = from; u < to; u++) {
        const int64_t n = u / b.blocks, c0 = u % b.blocks * b.width;
        for (int64_t i = 0; i < b.pixels; i++) {
            for (int64_t k = 0; k < b.width; k++) {
                const int64_t ch = c0 + k;
                const int64_t logical = (n * b.channels + ch) * b.pixels + i;
                f[k] = ch < b.channels ? factor(c, logical) : 0.0f;
            }
            put(c, u * b.size + i * b.width, f, b.width);
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
    .whole = true, /* the mask is a function of the place in the whole batch */
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
