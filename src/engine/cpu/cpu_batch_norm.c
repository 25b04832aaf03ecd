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
 * A channel block is summed and then used by the same thread while it is still in the
 * cache, where there are blocks enough for all threads.  Sums are made per (sample,
 * block) and added in sample order, so results do not depend on the number of threads.
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

/* What the passes share during one call. */
typedef struct norm_call {
    const norm *s;
    const afn_args *a;
    cpu_blocks b;
    float *mean, *r; /* (padded) */
    float *scale;    /* (padded) gamma r */
    double *sums;    /* (n, blocks, 2, width) */
    float *vec;      /* (3, padded): a, k, d of afn_norm_block */
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
    s->kern = cpu_kern(&p->in[0], s->device);
    s->step = step;
    s->padded = cpu_padded(s->device, step->out_shape.dim[0]);
    for (int slot = AFN_WEIGHT; slot <= AFN_RUNNING_VAR; slot++)
        cpu_use_vector(p, step->node, slot);
    const size_t vector = (size_t)s->padded * sizeof(float);
    k->out = p->in[0];
    k->keep_bytes = 2 * vector;
    k->keep_input = step->batch_stats || step->grad_param[AFN_WEIGHT];
    s->uses_output = step->act != AFN_NO_ACT && (step->add || !k->keep_input);
    k->keep_output = s->uses_output;
    k->two_gradients = true;
    k->hands_on_gradient = true;
    k->cheap = true;
    k->alias = step->add ? step->n_inputs - 1 : -1;
    k->scratch_bytes = sums_bytes(s, p->n) + 6 * vector;
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
    c.scale = (float *)((char *)a->scratch + sums_bytes(s, a->n));
    c.vec = c.scale + s->padded;
    c.mean = s->step->train ? a->keep : c.vec + 3 * s->padded;
    c.r = c.mean + s->padded;
    return c;
}

/* ---- passes ---- */

/* Work on a value: over each unit = (sample, channel block), then on each block's
 * vectors, then over each unit again.  NULL = nothing to do. */
typedef struct passes {
    void (*first)(const norm_call *c, int64_t unit);
    void (*between)(const norm_call *c, int64_t block);
    void (*second)(const norm_call *c, int64_t unit);
} passes;

typedef struct pass_call {
    const norm_call *c;
    const passes *p;
} pass_call;

static void whole_blocks(void *user, int64_t from, int64_t to)
{
    const pass_call *w = user;
    const int64_t samples = w->c->b.n, blocks = w->c->b.blocks;
    for (int64_t k = from; k < to; k++) {
        for (int64_t n = 0; w->p->first && n < samples; n++)
            w->p->first(w->c, n * blocks + k);
        w->p->between(w->c, k);
        for (int64_t n = samples - 1; n >= 0; n--) /* what was read last comes first */
            w->p->second(w->c, n * blocks + k);
    }
}

static void first_units(void *user, int64_t from, int64_t to)
{
    const pass_call *w = user;
    for (int64_t u = from; u < to; u++) w->p->first(w->c, u);
}

static void between_blocks(void *user, int64_t from, int64_t to)
{
    const pass_call *w = user;
    for (int64_t k = from; k < to; k++) w->p->between(w->c, k);
}

static void second_units(void *user, int64_t from, int64_t to)
{
    const pass_call *w = user;
    for (int64_t u = from; u < to; u++) w->p->second(w->c, u);
}

static void run(const norm_call *c, const passes *p)
{
    const int64_t blocks = c->b.blocks, units = c->b.n * blocks;
    const int threads = c->s->device->threads;
    pass_call w = { c, p };
    if (blocks % threads == 0 || blocks >= 8 * (int64_t)threads) {
        cpu_parallel(blocks, whole_blocks, &w);
        return;
    }
    if (p->first) cpu_parallel(units, first_units, &w);
    cpu_parallel(blocks, between_blocks, &w);
    cpu_parallel(units, second_units, &w);
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

static double *clear_sums(const norm_call *c, int64_t unit)
{
    double *s = c->sums + unit * 2 * c->b.width;
    memset(s, 0, 2 * (size_t)c->b.width * sizeof *s);
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
        c->scale[ch] = ch < c->b.channels ? gamma[ch] * c->r[ch] : 0.0f;
    for (int64_t ch = end_of_block(c, block); ch < to; ch++) c->mean[ch] = 0.0f;
}

/* Mean and r of the batch; running statistics follow with the unbiased variance. */
static void batch_statistics(const norm_call *c, int64_t block)
{
    const afn_node *node = c->s->step->node;
    const double count = (double)(c->b.n * c->b.pixels), m = node->attr.bn.momentum;
    float *mean = c->a->blob[node->param[AFN_RUNNING_MEAN]].value;
    float *var = c->a->blob[node->param[AFN_RUNNING_VAR]].value;
    for (int64_t ch = block * c->b.width; ch < end_of_block(c, block); ch++) {
        const double off = total(c, ch, 0) / count;
        const double square = total(c, ch, 1) / count - off * off;
        const double v = square > 0 ? square : 0, mu = mean[ch] + off;
        c->mean[ch] = (float)mu;
        c->r[ch] = (float)(1.0 / sqrt(v + node->attr.bn.eps));
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
        c->mean[ch] = mean[ch];
        c->r[ch] = 1.0f / sqrtf(var[ch] + eps);
    }
    set_scale(c, block);
}

static afn_norm_vectors vectors_at(const norm_call *c, int64_t u)
{
    const int64_t ch = u % c->b.blocks * c->b.width;
    return (afn_norm_vectors){ c->mean + ch, c->scale + ch, param(c, AFN_BIAS) + ch };
}

static void apply_unit(const norm_call *c, int64_t u)
{
    const afn_step *step = c->s->step;
    const void *add = step->add ? c->a->in[step->n_inputs - 1] : NULL;
    const afn_norm_vectors v = vectors_at(c, u);
    c->s->kern->norm_apply(unit_at(c, c->a->out, u), unit_of(c, c->a->in[0], u),
                           unit_of(c, add, u), &v, c->b.pixels, step->act);
}

static afn_status forward(void *state, const afn_args *a)
{
    const norm_call c = begin(state, a);
    static const passes batch = { sum_unit, batch_statistics, apply_unit };
    static const passes fixed = { NULL, fixed_statistics, apply_unit };
    run(&c, c.s->step->batch_stats ? &batch : &fixed);
    return AFN_OK;
}

static afn_status recompute(void *state, const afn_args *a)
{
    const norm_call c = begin(state, a);
    static const passes again = { NULL, set_scale, apply_unit };
    run(&c, &again);
    return AFN_OK;
}

/* ---- backward ---- */

/* Does anything need the sums of the gradient? */
static bool wants_sums(const afn_step *step)
{
    return step->batch_stats || step->grad_param[AFN_WEIGHT] ||
           step->grad_param[AFN_BIAS];
}

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
        .store = wants_sums(step) && (a->dout2 || c->s->uses_output),
        .v = vectors_at(c, u),
        .a = c->vec + ch,
        .k = step->batch_stats ? c->vec + c->s->padded + ch : NULL,
        .d = c->vec + 2 * c->s->padded + ch,
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
    const int64_t from = block * c->b.width, padded = c->s->padded;
    for (int k = 0; k < 3; k++)
        memset(c->vec + k * padded + from, 0, (size_t)c->b.width * sizeof(float));
    for (int64_t ch = from; ch < end_of_block(c, block); ch++)
        c->vec[ch] = c->scale[ch];
}

/* Gradients of gamma and beta, and the factors of dx. */
static void reduce(const norm_call *c, int64_t block)
{
    const afn_step *step = c->s->step;
    const int64_t padded = c->s->padded;
    const double count = (double)(c->b.n * c->b.pixels);
    const float *gamma = param(c, AFN_WEIGHT);
    float *dgamma = c->a->blob[step->node->param[AFN_WEIGHT]].grad;
    float *dbeta = c->a->blob[step->node->param[AFN_BIAS]].grad;
    set_factors(c, block);
    for (int64_t ch = block * c->b.width; ch < end_of_block(c, block); ch++) {
        const double g = total(c, ch, 0), gx = total(c, ch, 1), r = c->r[ch];
        const double a = gamma[ch] * r;
        if (step->grad_param[AFN_WEIGHT]) dgamma[ch] = (float)(gx * r);
        if (step->grad_param[AFN_BIAS]) dbeta[ch] = (float)g;
        if (!step->batch_stats) continue;
        c->vec[padded + ch] = (float)(a * r * r * gx / count);
        c->vec[2 * padded + ch] = (float)(a * g / count);
    }
}

static afn_status backward(void *state, const afn_args *a)
{
    const norm_call c = begin(state, a);
    static const passes with_sums = { backward_sum_unit, reduce, backward_unit };
    static const passes without = { NULL, set_factors, backward_unit };
    for (int64_t k = 0; k < c.b.blocks; k++) set_scale(&c, k);
    run(&c, wants_sums(c.s->step) ? &with_sums : &without);
    return AFN_OK;
}

const afn_kernel_ops cpu_batch_norm_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .recompute = recompute,
    .free = afn_free,
};
