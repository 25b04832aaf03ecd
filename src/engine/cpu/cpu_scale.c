/* SPDX-License-Identifier: Apache-2.0 */
/* Channels times a factor: one that is a value, (C,1,1) of the same sample, at the end
 * of squeeze-excitation; or a parameter, in layer scale.
 *
 * The gradient of a parameter is summed per (sample, block) and added in sample order,
 * so results do not depend on the number of threads, nor on how many samples a call
 * has. */
#include <string.h>

#include "engine/cpu/cpu.h"

typedef struct scale {
    cpu_device *device;
    const afn_kern *kern;
    const afn_step *step;
} scale;

typedef struct scale_call {
    const scale *s;
    const afn_args *a;
    cpu_blocks b;
} scale_call;

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    scale *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->device = p->device;
    s->step = p->step;
    s->kern = cpu_kern(&p->in[0], s->device);
    k->out = p->in[0];
    k->any_n = true;
    k->cheap = true;
    k->hands_on_gradient = true;
    return AFN_OK;
}

static afn_status prepare_scale(const afn_prepare *p, afn_kernel *k)
{
    k->keep_input = p->step->grad_input[1];
    k->keep_second = p->step->grad_input[0];
    return prepare(p, k);
}

static afn_status prepare_layer_scale(const afn_prepare *p, afn_kernel *k)
{
    const int64_t padded = cpu_padded(p->device, p->step->out_shape.dim[0]);
    k->keep_input = p->step->grad_param[AFN_WEIGHT];
    cpu_use_vector(p, p->step->node, AFN_WEIGHT);
    k->held_bytes[AFN_TASK_BACKWARD] = (size_t)(p->batch * padded) * sizeof(double);
    return prepare(p, k);
}

static scale_call begin(const scale *s, const afn_args *a)
{
    return (scale_call){ s, a, cpu_blocks_of(s->device, &s->step->out_shape, a->n) };
}

static bool is_parameter(const scale_call *c)
{
    return c->s->step->op == AFN_OP_LAYER_SCALE;
}

/* The factors of a unit, that is of one block of one sample; (width). */
static void find_factor(const scale_call *c, int64_t u, float *factor)
{
    const afn_kern *k = c->s->kern;
    const size_t bytes = (size_t)c->b.width * sizeof *factor;
    if (is_parameter(c))
        memcpy(factor,
               c->a->blob[c->s->step->node->param[AFN_WEIGHT]].value +
                   u % c->b.blocks * c->b.width,
               bytes);
    else if (c->a->in[1])
        k->load(factor, cpu_get(k, c->a->in[1], u * c->b.width), c->b.width);
    else
        memset(factor, 0, bytes); /* not kept: nobody wants what it makes */
}

static void forward_range(void *user, int64_t from, int64_t to)
{
    const scale_call *c = user;
    const afn_kern *k = c->s->kern;
    float factor[AFN_KERN_MAX_BLOCK];
    for (int64_t u = from; u < to; u++) {
        find_factor(c, u, factor);
        k->channels->scale(cpu_at(k, c->a->out, u * c->b.size),
                           cpu_get(k, c->a->in[0], u * c->b.size), factor, c->b.pixels,
                           false);
    }
}

static afn_status forward(void *state, const afn_args *a)
{
    scale_call c = begin(state, a);
    cpu_parallel(c.b.n * c.b.blocks, forward_range, &c);
    return AFN_OK;
}

/* The sums of unit u as the gradient of its factors. */
static void put_gradient(const scale_call *c, int64_t u, const double *sums)
{
    const afn_kern *k = c->s->kern;
    float ds[AFN_KERN_MAX_BLOCK], before[AFN_KERN_MAX_BLOCK] = { 0 };
    void *to = cpu_at(k, c->a->din[1], u * c->b.width);
    if (c->a->accumulate[1]) k->load(before, to, c->b.width);
    for (int i = 0; i < c->b.width; i++) ds[i] = before[i] + (float)sums[i];
    k->store(to, ds, c->b.width);
}

static void backward_range(void *user, int64_t from, int64_t to)
{
    const scale_call *c = user;
    const afn_args *a = c->a;
    const afn_kern *k = c->s->kern;
    const bool parameter = is_parameter(c),
               sums = c->s->step->n_inputs > 1 && a->din[1];
    float factor[AFN_KERN_MAX_BLOCK];
    for (int64_t u = from; u < to; u++) {
        double own[AFN_KERN_MAX_BLOCK] = { 0 };
        const void *dy = cpu_get(k, a->dout, u * c->b.size);
        void *dx = a->din[0] ? cpu_at(k, a->din[0], u * c->b.size) : NULL;
        find_factor(c, u, factor);
        if (!sums && !(parameter && c->s->step->grad_param[AFN_WEIGHT])) {
            k->channels->scale(dx, dy, factor, c->b.pixels, a->accumulate[0]);
            continue;
        }
        const afn_scale_block b = { .x = cpu_get(k, a->in[0], u * c->b.size),
                                    .dy = dy,
                                    .dx = dx,
                                    .add = a->accumulate[0],
                                    .factor = factor,
                                    .pixels = c->b.pixels };
        k->channels->scale_backward(&b, own);
        if (sums) put_gradient(c, u, own);
        if (parameter)
            memcpy((double *)a->held + (a->first * c->b.blocks + u) * c->b.width, own,
                   (size_t)c->b.width * sizeof *own);
    }
}

/* Gradients of the parameter, from the sums of the whole batch. */
static void reduce(const scale_call *c)
{
    const cpu_blocks *b = &c->b;
    const int64_t padded = b->blocks * b->width;
    const double *sums = c->a->held;
    float *dw = c->a->blob[c->s->step->node->param[AFN_WEIGHT]].grad;
    for (int64_t ch = 0; ch < b->channels; ch++) {
        double sum = 0;
        for (int64_t n = 0; n < c->a->batch; n++) sum += sums[n * padded + ch];
        dw[ch] = (float)sum;
    }
}

static afn_status backward(void *state, const afn_args *a)
{
    scale_call c = begin(state, a);
    cpu_parallel(c.b.n * c.b.blocks, backward_range, &c);
    if (is_parameter(&c) && c.s->step->grad_param[AFN_WEIGHT] && afn_is_last(a))
        reduce(&c);
    return AFN_OK;
}

const afn_kernel_ops cpu_scale_ops = {
    .prepare = prepare_scale,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};

const afn_kernel_ops cpu_layer_scale_ops = {
    .prepare = prepare_layer_scale,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
