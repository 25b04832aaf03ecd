/* SPDX-License-Identifier: Apache-2.0 */
/* Layer norm over the channels of each pixel, in the blocked layout as it is; a (C)
 * value is one pixel.  A unit of work is a run of pixels of one sample, short enough
 * that its channels stay in the cache.
 *
 * Gradients of weight and bias are summed per unit and added in order, so results do
 * not depend on the number of threads, nor on how many samples a call has. */
#include <string.h>

#include "engine/cpu/cpu.h"

typedef struct layer_norm {
    cpu_device *device;
    const afn_kern *kern;
    const afn_step *step;
    bool plain;             /* a (C) value */
    int64_t pixels, runs;   /* of a sample */
    int64_t padded, blocks; /* channels */
} layer_norm;

typedef struct layer_norm_call {
    const layer_norm *s;
    const afn_args *a;
} layer_norm_call;

/* For backward and recomputing: mean and r of each pixel. */
static size_t kept_bytes(const layer_norm *s, int64_t n)
{
    return (size_t)(n * s->pixels) * 2 * sizeof(float);
}

static bool wants_sums(const afn_step *step)
{
    return step->grad_param[AFN_WEIGHT] || step->grad_param[AFN_BIAS];
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    const afn_shape *shape = &p->step->out_shape;
    layer_norm *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->device = p->device;
    s->step = p->step;
    s->kern = cpu_kern(&p->in[0], s->device);
    s->plain = shape->rank == 1;
    s->pixels = s->plain ? 1 : shape->dim[1] * shape->dim[2];
    s->runs = (s->pixels + AFN_LAYER_NORM_PIXELS - 1) / AFN_LAYER_NORM_PIXELS;
    s->padded = cpu_padded(s->device, shape->dim[0]);
    s->blocks = s->padded / s->kern->block;
    cpu_use_vector(p, p->step->node, AFN_WEIGHT);
    cpu_use_vector(p, p->step->node, AFN_BIAS);
    k->out = p->in[0];
    k->any_n = true;
    k->cheap = true;
    k->keep_input = p->step->train;
    k->keep_bytes = p->step->train ? kept_bytes(s, p->n) : 0;
    k->hands_on_gradient = true;
    k->held_bytes[AFN_TASK_BACKWARD] =
        (size_t)(p->batch * s->runs * 2 * s->padded) * sizeof(double);
    return AFN_OK;
}

/* What the kernels take, of unit u; statistics lie in `own` where they are not kept. */
static afn_norm_pixels unit_at(const layer_norm_call *c, int64_t u, float *own)
{
    const layer_norm *s = c->s;
    const afn_node *node = s->step->node;
    const int64_t n = u / s->runs, first = u % s->runs * AFN_LAYER_NORM_PIXELS;
    const int64_t left = s->pixels - first, channels = s->step->out_shape.dim[0];
    float *kept =
        s->step->train ? (float *)c->a->keep + 2 * (n * s->pixels + first) : own;
    afn_norm_pixels l = {
        .padded = !s->plain,
        .step = s->pixels * s->kern->block,
        .channels = channels,
        .pixels = left < AFN_LAYER_NORM_PIXELS ? left : AFN_LAYER_NORM_PIXELS,
        .weight = c->a->blob[node->param[AFN_WEIGHT]].value,
        .bias = c->a->blob[node->param[AFN_BIAS]].value,
        .eps = node->attr.eps,
        .mean = kept,
    };
    l.r = kept + l.pixels;
    return l;
}

/* Where unit u begins in a value; NULL of NULL. */
static const void *of_unit(const layer_norm_call *c, const void *v, int64_t u)
{
    const layer_norm *s = c->s;
    const int64_t n = u / s->runs, first = u % s->runs * AFN_LAYER_NORM_PIXELS;
    const int64_t sample = s->plain ? s->step->out_shape.dim[0] : s->padded * s->pixels;
    return v ? cpu_get(s->kern, v, n * sample + first * s->kern->block) : NULL;
}

static void apply_units(const layer_norm_call *c, int64_t from, int64_t to,
                        bool measure)
{
    float own[2 * AFN_LAYER_NORM_PIXELS];
    for (int64_t u = from; u < to; u++) {
        afn_norm_pixels l = unit_at(c, u, own);
        l.x = of_unit(c, c->a->in[0], u);
        l.y = (void *)of_unit(c, c->a->out, u);
        if (measure) c->s->kern->layer_norm->statistics(&l);
        c->s->kern->layer_norm->apply(&l);
    }
}

static void forward_range(void *user, int64_t from, int64_t to)
{
    apply_units(user, from, to, true);
}

static void recompute_range(void *user, int64_t from, int64_t to)
{
    apply_units(user, from, to, false);
}

static afn_status forward(void *state, const afn_args *a)
{
    layer_norm_call c = { state, a };
    cpu_parallel(a->n * c.s->runs, forward_range, &c);
    return AFN_OK;
}

static afn_status recompute(void *state, const afn_args *a)
{
    layer_norm_call c = { state, a };
    cpu_parallel(a->n * c.s->runs, recompute_range, &c);
    return AFN_OK;
}

static void backward_range(void *user, int64_t from, int64_t to)
{
    const layer_norm_call *c = user;
    const layer_norm *s = c->s;
    for (int64_t u = from; u < to; u++) {
        double *sums =
            (double *)c->a->held + (c->a->first * s->runs + u) * 2 * s->padded;
        afn_norm_pixels l = unit_at(c, u, NULL);
        l.x = of_unit(c, c->a->in[0], u);
        l.dy = of_unit(c, c->a->dout, u);
        l.dx = (void *)of_unit(c, c->a->din[0], u);
        l.add = c->a->accumulate[0];
        l.dweight = sums;
        l.dbias = sums + s->padded;
        memset(sums, 0, 2 * (size_t)s->padded * sizeof *sums);
        s->kern->layer_norm->backward(&l);
    }
}

/* Gradients of the channels of some blocks, from the sums of the whole batch. */
static void reduce_range(void *user, int64_t from, int64_t to)
{
    const layer_norm_call *c = user;
    const afn_node *node = c->s->step->node;
    const int64_t channels = c->s->step->out_shape.dim[0], width = c->s->kern->block;
    const int64_t padded = c->s->padded, units = c->a->batch * c->s->runs;
    const double *sums = c->a->held;
    for (int slot = AFN_WEIGHT; slot <= AFN_BIAS; slot++) {
        float *grad = c->a->blob[node->param[slot]].grad;
        if (!c->s->step->grad_param[slot]) continue;
        for (int64_t ch = from * width; ch < to * width && ch < channels; ch++) {
            double sum = 0;
            for (int64_t u = 0; u < units; u++)
                sum += sums[(2 * u + (slot == AFN_BIAS)) * padded + ch];
            grad[ch] = (float)sum;
        }
    }
}

static afn_status backward(void *state, const afn_args *a)
{
    layer_norm_call c = { state, a };
    cpu_parallel(a->n * c.s->runs, backward_range, &c);
    if (afn_is_last(a) && wants_sums(c.s->step))
        cpu_parallel(c.s->blocks, reduce_range, &c);
    return AFN_OK;
}

const afn_kernel_ops cpu_layer_norm_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .recompute = recompute,
    .free = afn_free,
};
