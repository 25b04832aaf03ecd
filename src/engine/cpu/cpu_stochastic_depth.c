/* SPDX-License-Identifier: Apache-2.0 */
/* Stochastic depth: every sample times 0 or 1/(1-p), whatever its layout.  Which one is
 * a function of (seed, node, call, sample of the batch), as ref_stochastic_depth.c
 * says. */
#include <string.h>

#include "engine/cpu/cpu.h"

enum { PIECE = 4096 }; /* values scaled at a time */

typedef struct depth {
    const afn_kern *kern;
    const afn_step *step;
    int64_t count; /* values of a sample */
} depth;

typedef struct depth_call {
    const depth *s;
    const afn_args *a;
    void *to;
    const void *from;
    bool add;
} depth_call;

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    depth *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->kern = cpu_kern(&p->in[0], p->device);
    s->step = p->step;
    s->count = cpu_count(&p->in[0]);
    k->out = p->in[0];
    k->any_n = true;
    k->alias = 0;
    k->cheap = true;
    k->hands_on_gradient = true;
    return AFN_OK;
}

static float factor(const depth_call *c, int64_t n)
{
    const float p = c->s->step->node->attr.p;
    uint32_t word[4];
    const uint64_t stream = afn_rng_stream(
        AFN_RNG_DROPOUT, (uint32_t)c->s->step->output, (uint32_t)c->a->call);
    if (!c->s->step->random) return 1;
    afn_rng_block(word, c->a->seed, stream, (uint64_t)(c->a->first + n));
    return (float)(word[0] >> 8) * 0x1p-24f >= p ? 1 / (1 - p) : 0;
}

/* Values [from, to) of one sample. */
static void scale(const depth_call *c, int64_t from, int64_t to, float f)
{
    const afn_kern *k = c->s->kern;
    float factors[AFN_KERN_MAX_BLOCK];
    for (int i = 0; i < k->block; i++) factors[i] = f;
    const int64_t whole = (to - from) / k->block;
    k->channels->scale(cpu_at(k, c->to, from), cpu_get(k, c->from, from), factors,
                       whole, c->add);
    from += whole * k->block;
    k->times(cpu_at(k, c->to, from), cpu_get(k, c->from, from), factors, to - from,
             c->add);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* One unit of work is one piece of one sample. */
static void run_range(void *user, int64_t from, int64_t to)
{
    const depth_call *c = user;
    const int64_t pieces = (c->s->count + PIECE - 1) / PIECE;
    for (int64_t u = from; u < to; u++) {
        const int64_t n = u / pieces, at = u % pieces * PIECE;
        const int64_t end = least(at + PIECE, c->s->count), start = n * c->s->count;
        const float f = factor(c, n);
        if (f != 0)
            scale(c, start + at, start + end, f);
        else if (!c->add)
            memset(cpu_at(c->s->kern, c->to, start + at), 0,
                   (size_t)(end - at) * c->s->kern->bytes);
    }
}

static afn_status run(const depth *s, depth_call c)
{
    c.s = s;
    cpu_parallel(c.a->n * ((s->count + PIECE - 1) / PIECE), run_range, &c);
    return AFN_OK;
}

static afn_status forward(void *state, const afn_args *a)
{
    return run(state, (depth_call){ .a = a, .to = a->out, .from = a->in[0] });
}

static afn_status backward(void *state, const afn_args *a)
{
    return run(state,
               (depth_call){
                   .a = a, .to = a->din[0], .from = a->dout, .add = a->accumulate[0] });
}

const afn_kernel_ops cpu_stochastic_depth_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
