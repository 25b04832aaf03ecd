/* SPDX-License-Identifier: Apache-2.0 */
/* Activation and addition as steps of their own: they do not care about layout. */
#include "engine/cpu/cpu.h"

typedef struct eltwise {
    cpu_device *device;
    const afn_step *step;
    const afn_kern *kern;
    int64_t count; /* values of a sample */
    size_t bytes;  /* of a sample */
    bool fills;    /* padding must be cleared: the activation of 0 is not 0 */
    bool smooth;   /* backward takes the slope from the input */
} eltwise;

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    eltwise *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->device = p->device;
    s->step = p->step;
    s->kern = cpu_kern(&p->in[0], s->device);
    s->count = cpu_count(&p->in[0]);
    s->bytes = p->in[0].bytes;
    k->out = p->in[0];
    k->any_n = true;
    k->alias = 0;
    k->hands_on_gradient = true;
    k->cheap = true;
    if (p->step->op != AFN_OP_ACTIVATION) return AFN_OK;
    s->smooth = afn_act_is_smooth(p->step->node->attr.act);
    s->fills = afn_act_moves_zero(p->step->node->attr.act) &&
               cpu_format_of(&p->in[0]).order != DNN_PLAIN;
    k->keep_input = s->smooth;
    k->keep_output = !s->smooth;
    k->cheap = s->smooth;
    return AFN_OK;
}

typedef struct eltwise_call {
    const eltwise *s;
    void *out;
    const void *a, *b;
} eltwise_call;

static void act_range(void *user, int64_t from, int64_t to)
{
    const eltwise_call *c = user;
    const afn_kern *k = c->s->kern;
    k->act(cpu_at(k, c->out, from), cpu_get(k, c->a, from), to - from,
           c->s->step->node->attr.act);
}

static afn_status act_forward(void *state, const afn_args *a)
{
    const eltwise *s = state;
    cpu_parallel(a->n * s->count, act_range,
                 &(eltwise_call){ s, a->out, a->in[0], NULL });
    if (s->fills) {
        const cpu_blocks b = cpu_blocks_of(s->device, &s->step->out_shape, a->n);
        cpu_clear_padding(s->kern, a->out, &b);
    }
    return AFN_OK;
}

static void mask_range(void *user, int64_t from, int64_t to)
{
    const eltwise_call *c = user;
    const afn_kern *k = c->s->kern;
    k->mask(cpu_at(k, c->out, from), cpu_get(k, c->a, from), cpu_get(k, c->b, from),
            to - from, c->s->step->node->attr.act);
}

static afn_status act_backward(void *state, const afn_args *a)
{
    const eltwise *s = state;
    const bool add = a->accumulate[0];
    eltwise_call c = { s, add ? a->dout : a->din[0], a->dout,
                       s->smooth ? a->in[0] : a->out };
    cpu_parallel(a->n * s->count, mask_range, &c);
    if (add) cpu_accumulate(s->kern, a->din[0], a->dout, a->n * s->count);
    return AFN_OK;
}

static void add_range(void *user, int64_t from, int64_t to)
{
    const eltwise_call *c = user;
    const afn_kern *k = c->s->kern;
    k->add(cpu_at(k, c->out, from), cpu_get(k, c->a, from), cpu_get(k, c->b, from),
           to - from);
}

static afn_status add_forward(void *state, const afn_args *a)
{
    const eltwise *s = state;
    cpu_parallel(a->n * s->count, add_range,
                 &(eltwise_call){ s, a->out, a->in[0], a->in[1] });
    return AFN_OK;
}

static afn_status add_backward(void *state, const afn_args *a)
{
    const eltwise *s = state;
    for (int i = 0; i < 2; i++) {
        if (!a->din[i]) continue;
        if (a->accumulate[i])
            cpu_accumulate(s->kern, a->din[i], a->dout, a->n * s->count);
        else if (a->din[i] != a->dout)
            cpu_copy(a->din[i], a->dout, (size_t)a->n * s->bytes);
    }
    return AFN_OK;
}

const afn_kernel_ops cpu_activation_ops = {
    .prepare = prepare,
    .forward = act_forward,
    .backward = act_backward,
    .free = afn_free,
};

const afn_kernel_ops cpu_add_ops = {
    .prepare = prepare,
    .forward = add_forward,
    .backward = add_backward,
    .free = afn_free,
};
