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
 * on the number of threads, nor on how many samples a call has.
 *
 * A smooth activation is at the end of no addition; its slope is found from x.
 *
 * Where nothing is added, the mask of the activation is found from x, so backward does
 * not need the output; recompute() writes it again for those that do. */
#include <math.h>
#include <string.h>

#include "engine/cpu/cpu.h"

typedef struct norm {
    cpu_device *device;
    const afn_kern *kern;
    const afn_step *step;
    int64_t padded;   /* channels */
    bool uses_output; /* backward takes the mask from it */
} norm;

/* What is known of each channel, (padded) each: kept from one task to the next.  Where
 * there is only one it is in scratch memory, made in every call. */
typedef struct channels {
    float *mean, *r, *scale; /* scale = gamma r */
    float *a, *k, *d;        /* dx = a g - k (x - mean) - d */
} channels;

enum { N_VECTORS = 6 };

/* What the threads share during one call. */
typedef struct norm_call {
    const norm *s;
    const afn_args *a;
    cpu_blocks b;
    channels v;
    double *sums; /* (batch, blocks, 2, width), held over the calls of a task */
} norm_call;

static bool is_kept(const afn_step *step)
{
    return step->train || step->batch_stats;
}

static void set_sizes(const norm *s, const afn_prepare *p, afn_kernel *k)
{
    const size_t vectors = N_VECTORS * (size_t)s->padded * sizeof(float);
    const size_t sums = (size_t)(p->batch * s->padded) * 2 * sizeof(double);
    k->keep_whole = true;
    k->keep_bytes = vectors;
    k->scratch_bytes = is_kept(s->step) ? 0 : vectors;
    k->held_bytes[AFN_TASK_FORWARD_SUMS] = k->forward_sums ? sums : 0;
    k->held_bytes[AFN_TASK_BACKWARD_SUMS] = k->backward_sums ? sums : 0;
}

/* Does anything need the sums of the gradient? */
static bool wants_sums(const afn_step *step)
{
    return step->batch_stats || step->grad_param[AFN_WEIGHT] ||
           step->grad_param[AFN_BIAS];
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    const afn_step *step = p->step;
    const int64_t pixels = step->out_shape.dim[1] * step->out_shape.dim[2];
    norm *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    if (step->batch_stats && p->batch * pixels < 2)
        return afn_fail(AFN_ESHAPE, "expected more than 1 value per channel when "
                                    "training, got a batch of 1 with 1 pixel");
    s->device = p->device;
    s->kern = cpu_kern(&p->in[0], s->device);
    s->step = step;
    s->padded = cpu_padded(s->device, step->out_shape.dim[0]);
    for (int slot = AFN_WEIGHT; slot <= AFN_RUNNING_VAR; slot++)
        cpu_use_vector(p, step->node, slot);
    k->out = p->in[0];
    k->any_n = true;
    k->forward_sums = step->batch_stats;
    k->backward_sums = step->train && wants_sums(step);
    const bool smooth = step->act != AFN_NO_ACT && afn_act_is_smooth(step->act);
    k->keep_input = step->batch_stats || step->grad_param[AFN_WEIGHT] || smooth;
    s->uses_output = step->act != AFN_NO_ACT && (step->add || !k->keep_input);
    k->keep_output = s->uses_output;
    k->two_gradients = true;
    k->hands_on_gradient = true;
    k->cheap = true;
    k->alias = step->add ? step->n_inputs - 1 : -1;
    set_sizes(s, p, k);
    return AFN_OK;
}

static const float *param(const norm_call *c, int slot)
{
    return c->a->blob[c->s->step->node->param[slot]].value;
}

static norm_call begin(const norm *s, const afn_args *a)
{
    float *v = is_kept(s->step) ? a->keep : a->scratch;
    const int64_t n = s->padded;
    return (norm_call){ .s = s,
                        .a = a,
                        .b = cpu_blocks_of(s->device, &s->step->out_shape, a->n),
                        .v = { v, v + n, v + 2 * n, v + 3 * n, v + 4 * n, v + 5 * n },
                        .sums = a->held };
}

/* ---- work over a value ---- */

/* Over each unit = (sample, channel block), or over each channel block. */
typedef void (*work)(const norm_call *c, int64_t i);

typedef struct work_call {
    const norm_call *c;
    work w;
} work_call;

static void work_range(void *user, int64_t from, int64_t to)
{
    const work_call *w = user;
    for (int64_t i = from; i < to; i++) w->w(w->c, i);
}

static void for_units(const norm_call *c, work w)
{
    cpu_parallel(c->b.n * c->b.blocks, work_range, &(work_call){ c, w });
}

static void for_blocks(const norm_call *c, work w)
{
    cpu_parallel(c->b.blocks, work_range, &(work_call){ c, w });
}

/* Total of sum `which` (0 or 1) of channel ch over the batch. */
static double total(const norm_call *c, int64_t ch, int which)
{
    const cpu_blocks *b = &c->b;
    const int64_t block = ch / b->width, lane = ch % b->width;
    double sum = 0;
    for (int64_t n = 0; n < c->a->batch; n++)
        sum += c->sums[((n * b->blocks + block) * 2 + which) * b->width + lane];
    return sum;
}

/* The sums of a unit of this call, set to 0. */
static double *clear_sums(const norm_call *c, int64_t unit)
{
    const cpu_blocks *b = &c->b;
    double *s = c->sums + (c->a->first * b->blocks + unit) * 2 * b->width;
    memset(s, 0, 2 * (size_t)b->width * sizeof *s);
    return s;
}

/* Channels of a block that exist. */
static int64_t end_of_block(const norm_call *c, int64_t block)
{
    const int64_t end = (block + 1) * c->b.width;
    return end < c->b.channels ? end : c->b.channels;
}

/* Unit u of a value; NULL of NULL. */
static void *unit_at(const norm_call *c, void *v, int64_t u)
{
    return v ? cpu_at(c->s->kern, v, u * c->b.size) : NULL;
}

static const void *unit_of(const norm_call *c, const void *v, int64_t u)
{
    return v ? cpu_get(c->s->kern, v, u * c->b.size) : NULL;
}

/* ---- forward ---- */

/* About the running mean: near the true mean, so that the variance does not cancel. */
static void sum_unit(const norm_call *c, int64_t u)
{
    const float *shift = param(c, AFN_RUNNING_MEAN);
    double *s = clear_sums(c, u);
    c->s->kern->norm_sums(unit_of(c, c->a->in[0], u), c->b.pixels,
                          shift + u % c->b.blocks * c->b.width, s, s + c->b.width);
}

static void set_scale(const norm_call *c, int64_t block)
{
    const float *gamma = param(c, AFN_WEIGHT);
    const int64_t from = block * c->b.width, to = from + c->b.width;
    for (int64_t ch = from; ch < to; ch++)
        c->v.scale[ch] = ch < c->b.channels ? gamma[ch] * c->v.r[ch] : 0.0f;
    for (int64_t ch = end_of_block(c, block); ch < to; ch++) c->v.mean[ch] = 0.0f;
}

/* Mean and r of the batch; running statistics follow with the unbiased variance. */
static void batch_statistics(const norm_call *c, int64_t block)
{
    const afn_node *node = c->s->step->node;
    const double count = (double)(c->a->batch * c->b.pixels),
                 m = node->attr.bn.momentum;
    float *mean = c->a->blob[node->param[AFN_RUNNING_MEAN]].value;
    float *var = c->a->blob[node->param[AFN_RUNNING_VAR]].value;
    for (int64_t ch = block * c->b.width; ch < end_of_block(c, block); ch++) {
        const double off = total(c, ch, 0) / count;
        const double square = total(c, ch, 1) / count - off * off;
        const double v = square > 0 ? square : 0, mu = mean[ch] + off;
        c->v.mean[ch] = (float)mu;
        c->v.r[ch] = (float)(1.0 / sqrt(v + node->attr.bn.eps));
        mean[ch] = (float)((1 - m) * mean[ch] + m * mu);
        var[ch] = (float)((1 - m) * var[ch] + m * v * count / (count - 1));
    }
    set_scale(c, block);
}

static void fixed_statistics(const norm_call *c, int64_t block)
{
    const float *mean = param(c, AFN_RUNNING_MEAN), *var = param(c, AFN_RUNNING_VAR);
    const float eps = c->s->step->node->attr.bn.eps;
    for (int64_t ch = block * c->b.width; ch < end_of_block(c, block); ch++) {
        c->v.mean[ch] = mean[ch];
        c->v.r[ch] = 1.0f / sqrtf(var[ch] + eps);
    }
    set_scale(c, block);
}

static afn_norm_vectors vectors_at(const norm_call *c, int64_t u)
{
    const int64_t ch = u % c->b.blocks * c->b.width;
    return (afn_norm_vectors){ c->v.mean + ch, c->v.scale + ch,
                               param(c, AFN_BIAS) + ch };
}

static void apply_unit(const norm_call *c, int64_t u)
{
    const afn_step *step = c->s->step;
    const void *add = step->add ? c->a->in[step->n_inputs - 1] : NULL;
    const afn_norm_vectors v = vectors_at(c, u);
    c->s->kern->norm_apply(unit_at(c, c->a->out, u), unit_of(c, c->a->in[0], u),
                           unit_of(c, add, u), &v, c->b.pixels, step->act);
}

static afn_status forward_sums(void *state, const afn_args *a)
{
    const norm_call c = begin(state, a);
    for_units(&c, sum_unit);
    if (afn_is_last(a)) for_blocks(&c, batch_statistics);
    return AFN_OK;
}

static afn_status forward(void *state, const afn_args *a)
{
    const norm_call c = begin(state, a);
    if (!c.s->step->batch_stats) for_blocks(&c, fixed_statistics);
    for_units(&c, apply_unit);
    return AFN_OK;
}

static afn_status recompute(void *state, const afn_args *a)
{
    const norm_call c = begin(state, a);
    for_units(&c, apply_unit);
    return AFN_OK;
}

/* ---- backward ---- */

/* Arguments of the kernels for one unit. */
static afn_norm_block block_at(const norm_call *c, int64_t u)
{
    const afn_step *step = c->s->step;
    const afn_args *a = c->a;
    const int64_t ch = u % c->b.blocks * c->b.width;
    const int last = step->n_inputs - 1;
    return (afn_norm_block){
        .x = unit_of(c, a->in[0], u),
        .y = c->s->uses_output ? unit_of(c, a->out, u) : NULL,
        .dy = unit_at(c, a->dout, u),
        .dy2 = unit_of(c, a->dout2, u),
        .dx = unit_at(c, a->din[0], u),
        .dadd = step->add ? unit_at(c, a->din[last], u) : NULL,
        .add_dx = a->accumulate[0],
        .add_dadd = a->accumulate[last],
        .store = wants_sums(step) &&
                 (a->dout2 || c->s->uses_output || afn_act_is_smooth(step->act)),
        .v = vectors_at(c, u),
        .a = c->v.a + ch,
        .k = step->batch_stats ? c->v.k + ch : NULL,
        .d = c->v.d + ch,
        .pixels = c->b.pixels,
        .act = step->act,
    };
}

static void backward_sum_unit(const norm_call *c, int64_t u)
{
    double *s = clear_sums(c, u);
    const afn_norm_block b = block_at(c, u);
    c->s->kern->norm_backward_sums(&b, s, s + c->b.width);
}

static void backward_unit(const norm_call *c, int64_t u)
{
    const afn_norm_block b = block_at(c, u);
    c->s->kern->norm_backward(&b);
}

/* The factors of dx where statistics are fixed. */
static void set_factors(const norm_call *c, int64_t block)
{
    const int64_t from = block * c->b.width;
    const size_t bytes = (size_t)c->b.width * sizeof(float);
    memcpy(c->v.a + from, c->v.scale + from, bytes);
    memset(c->v.k + from, 0, bytes);
    memset(c->v.d + from, 0, bytes);
}

/* Gradients of gamma and beta, and the factors of dx. */
static void reduce(const norm_call *c, int64_t block)
{
    const afn_step *step = c->s->step;
    const double count = (double)(c->a->batch * c->b.pixels);
    const float *gamma = param(c, AFN_WEIGHT);
    float *dgamma = c->a->blob[step->node->param[AFN_WEIGHT]].grad;
    float *dbeta = c->a->blob[step->node->param[AFN_BIAS]].grad;
    set_factors(c, block);
    for (int64_t ch = block * c->b.width; ch < end_of_block(c, block); ch++) {
        const double g = total(c, ch, 0), gx = total(c, ch, 1), r = c->v.r[ch];
        const double a = gamma[ch] * r;
        if (step->grad_param[AFN_WEIGHT]) dgamma[ch] = (float)(gx * r);
        if (step->grad_param[AFN_BIAS]) dbeta[ch] = (float)g;
        if (!step->batch_stats) continue;
        c->v.k[ch] = (float)(a * r * r * gx / count);
        c->v.d[ch] = (float)(a * g / count);
    }
}

static afn_status backward_sums(void *state, const afn_args *a)
{
    const norm_call c = begin(state, a);
    for_units(&c, backward_sum_unit);
    if (afn_is_last(a)) for_blocks(&c, reduce);
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const norm_call c = begin(state, a);
    if (!wants_sums(c.s->step)) for_blocks(&c, set_factors);
    for_units(&c, backward_unit);
    return AFN_OK;
}

const afn_kernel_ops cpu_batch_norm_ops = {
    .prepare = prepare,
    .forward_sums = forward_sums,
    .forward = forward,
    .backward_sums = backward_sums,
    .backward = backward,
    .recompute = recompute,
    .free = afn_free,
};
