/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norm with a residual addition and an activation at its end, on blocked values.
 *
 *   y = act((x - mean) r gamma + beta + add),   r = 1/sqrt(var + eps)
 *
 * Backward, with g the gradient of y where the activation passes it, M = N*H*W:
 *   dadd   = g
 *   dbeta  = sum g,   dgamma = r sum g (x - mean)
 *   batch statistics:  dx = gamma r (g - dbeta/M - (x - mean) r dgamma/M)
 *   fixed statistics:  dx = gamma r g
 *
 * Sums are made per (sample, block) and added in sample order, so results do not depend
 * on the number of threads. */
#include <math.h>
#include <string.h>

#include "engine/cpu/cpu.h"

typedef struct norm {
    cpu_device *device;
    const afn_step *step;
    int64_t padded; /* channels */
} norm;

/* What the range functions share during one call. */
typedef struct norm_call {
    const norm *s;
    const afn_args *a;
    cpu_blocks b;
    float *mean, *r; /* (padded) */
    double *sums;    /* (n, blocks, 2, width) */
    float *vec;      /* (3, padded): scale; or a, k, d of afn_norm_block */
} norm_call;

static size_t sums_bytes(const norm *s, int64_t n)
{
    return cpu_aligned((size_t)(n * s->padded) * 2 * sizeof(double));
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    const afn_step *step = p->step;
    const int64_t pixels = step->out_shape.dim[1] * step->out_shape.dim[2];
    norm *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    if (step->batch_stats && p->n * pixels < 2)
        return afn_fail(AFN_ESHAPE, "expected more than 1 value per channel when "
                                    "training, got a batch of 1 with 1 pixel");
    s->device = p->device;
    s->step = step;
    s->padded = cpu_padded(s->device, step->out_shape.dim[0]);
    for (int slot = AFN_WEIGHT; slot <= AFN_RUNNING_VAR; slot++)
        cpu_use_vector(p, step->node, slot);
    const size_t vector = (size_t)s->padded * sizeof(float);
    k->out = p->in[0];
    k->keep_bytes = 2 * vector;
    k->keep_input = step->grad_input[0] || step->grad_param[AFN_WEIGHT];
    k->keep_output = step->act != AFN_NO_ACT;
    k->scratch_bytes = sums_bytes(s, p->n) + 5 * vector;
    return AFN_OK;
}

static const float *param(const norm_call *c, int slot)
{
    return c->a->blob[c->s->step->node->param[slot]].value;
}

static norm_call begin(const norm *s, const afn_args *a)
{
    norm_call c = { .s = s,
                    .a = a,
                    .b = cpu_blocks_of(s->device, &s->step->out_shape, a->n),
                    .sums = a->scratch };
    c.vec = (float *)((char *)a->scratch + sums_bytes(s, a->n));
    c.mean = s->step->train ? a->keep : c.vec + 3 * s->padded;
    c.r = c.mean + s->padded;
    return c;
}

/* Sums of block u = (sample, channel block) over its pixels, about the running mean:
 * near the true mean, so that the variance does not cancel. */
static void sum_range(void *user, int64_t from, int64_t to)
{
    const norm_call *c = user;
    const float *x = c->a->in[0], *shift = param(c, AFN_RUNNING_MEAN);
    for (int64_t u = from; u < to; u++) {
        double *s = c->sums + u * 2 * c->b.width;
        memset(s, 0, 2 * (size_t)c->b.width * sizeof *s);
        c->s->device->kern->norm_sums(x + u * c->b.floats, c->b.pixels,
                                      shift + u % c->b.blocks * c->b.width, s,
                                      s + c->b.width);
    }
}

/* Total of sum `which` (0 or 1) of channel ch over the samples. */
static double total(const norm_call *c, int64_t ch, int which)
{
    const cpu_blocks *b = &c->b;
    const int64_t block = ch / b->width, lane = ch % b->width;
    double sum = 0;
    for (int64_t n = 0; n < b->n; n++)
        sum += c->sums[((n * b->blocks + block) * 2 + which) * b->width + lane];
    return sum;
}

/* Mean and r of the batch; running statistics follow with the unbiased variance. */
static void batch_statistics(norm_call *c)
{
    const afn_node *node = c->s->step->node;
    const double count = (double)(c->b.n * c->b.pixels), m = node->attr.bn.momentum;
    float *mean = c->a->blob[node->param[AFN_RUNNING_MEAN]].value;
    float *var = c->a->blob[node->param[AFN_RUNNING_VAR]].value;
    cpu_parallel(c->b.n * c->b.blocks, sum_range, c);
    for (int64_t ch = 0; ch < c->b.channels; ch++) {
        const double off = total(c, ch, 0) / count;
        const double square = total(c, ch, 1) / count - off * off;
        const double v = square > 0 ? square : 0, mu = mean[ch] + off;
        c->mean[ch] = (float)mu;
        c->r[ch] = (float)(1.0 / sqrt(v + node->attr.bn.eps));
        mean[ch] = (float)((1 - m) * mean[ch] + m * mu);
        var[ch] = (float)((1 - m) * var[ch] + m * v * count / (count - 1));
    }
}

static void fixed_statistics(norm_call *c)
{
    const float *mean = param(c, AFN_RUNNING_MEAN), *var = param(c, AFN_RUNNING_VAR);
    const float eps = c->s->step->node->attr.bn.eps;
    for (int64_t ch = 0; ch < c->b.channels; ch++) {
        c->mean[ch] = mean[ch];
        c->r[ch] = 1.0f / sqrtf(var[ch] + eps);
    }
}

static void apply_range(void *user, int64_t from, int64_t to)
{
    const norm_call *c = user;
    const afn_step *step = c->s->step;
    const float *x = c->a->in[0];
    const float *add = step->add ? c->a->in[step->n_inputs - 1] : NULL;
    float *y = c->a->out;
    for (int64_t u = from; u < to; u++) {
        const int64_t at = u * c->b.floats, ch = u % c->b.blocks * c->b.width;
        c->s->device->kern->norm_apply(y + at, x + at, add ? add + at : NULL,
                                       c->mean + ch, c->vec + ch,
                                       param(c, AFN_BIAS) + ch, c->b.pixels, step->act);
    }
}

static afn_status forward(void *state, const afn_args *a)
{
    norm_call c = begin(state, a);
    const float *gamma = param(&c, AFN_WEIGHT);
    memset(c.mean, 0, 2 * (size_t)c.s->padded * sizeof(float));
    if (c.s->step->batch_stats)
        batch_statistics(&c);
    else
        fixed_statistics(&c);
    for (int64_t ch = 0; ch < c.s->padded; ch++) c.vec[ch] = gamma[ch] * c.r[ch];
    cpu_parallel(c.b.n * c.b.blocks, apply_range, &c);
    return AFN_OK;
}

/* Arguments of the kernels for block u. */
static afn_norm_block block_at(const norm_call *c, int64_t u)
{
    const afn_step *step = c->s->step;
    const afn_args *a = c->a;
    const int64_t at = u * c->b.floats, ch = u % c->b.blocks * c->b.width;
    const int last = step->n_inputs - 1;
    float *dx = a->din[0], *dadd = step->add ? a->din[last] : NULL;
    return (afn_norm_block){
        .x = (const float *)a->in[0] + at,
        .y = (const float *)a->out + at,
        .dy = (float *)a->dout + at,
        .dx = dx ? dx + at : NULL,
        .dadd = dadd ? dadd + at : NULL,
        .add_dx = a->accumulate[0],
        .add_dadd = a->accumulate[last],
        .mean = c->mean + ch,
        .a = c->vec + ch,
        .k = c->vec + c->s->padded + ch,
        .d = c->vec + 2 * c->s->padded + ch,
        .pixels = c->b.pixels,
        .act = step->act,
    };
}

static void backward_sum_range(void *user, int64_t from, int64_t to)
{
    const norm_call *c = user;
    for (int64_t u = from; u < to; u++) {
        double *s = c->sums + u * 2 * c->b.width;
        const afn_norm_block b = block_at(c, u);
        memset(s, 0, 2 * (size_t)c->b.width * sizeof *s);
        c->s->device->kern->norm_backward_sums(&b, s, s + c->b.width);
    }
}

static void backward_range(void *user, int64_t from, int64_t to)
{
    const norm_call *c = user;
    for (int64_t u = from; u < to; u++) {
        const afn_norm_block b = block_at(c, u);
        c->s->device->kern->norm_backward(&b);
    }
}

/* Gradients of gamma and beta, and the factors of dx. */
static void reduce(norm_call *c)
{
    const afn_step *step = c->s->step;
    const int64_t padded = c->s->padded;
    const double count = (double)(c->b.n * c->b.pixels);
    const float *gamma = param(c, AFN_WEIGHT);
    float *dgamma = c->a->blob[step->node->param[AFN_WEIGHT]].grad;
    float *dbeta = c->a->blob[step->node->param[AFN_BIAS]].grad;
    memset(c->vec, 0, 3 * (size_t)padded * sizeof(float));
    for (int64_t ch = 0; ch < c->b.channels; ch++) {
        const double g = total(c, ch, 0), gx = total(c, ch, 1), r = c->r[ch];
        const double a = gamma[ch] * r;
        if (step->grad_param[AFN_WEIGHT]) dgamma[ch] = (float)(gx * r);
        if (step->grad_param[AFN_BIAS]) dbeta[ch] = (float)g;
        c->vec[ch] = (float)a;
        if (!step->batch_stats) continue;
        c->vec[padded + ch] = (float)(a * r * r * gx / count);
        c->vec[2 * padded + ch] = (float)(a * g / count);
    }
}

static afn_status backward(void *state, const afn_args *a)
{
    norm_call c = begin(state, a);
    const int64_t units = c.b.n * c.b.blocks;
    cpu_parallel(units, backward_sum_range, &c);
    reduce(&c);
    cpu_parallel(units, backward_range, &c);
    return AFN_OK;
}

const afn_kernel_ops cpu_batch_norm_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
