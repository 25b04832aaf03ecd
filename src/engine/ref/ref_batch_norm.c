/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norm of one channel over its m = n*h*w values:
 *     z = (x - mean) / sqrt(var + eps)        y = gamma * z + beta
 * With the batch's statistics, mean and var are those of x, var with divisor m, and
 * the running ones follow with the unbiased variance, divisor m-1:
 *     running = (1 - momentum) * running + momentum * batch
 * and since mean and var depend on x,
 *     dx = gamma / sqrt(var + eps) * (dy - sum(dy)/m - z * sum(dy*z)/m).
 * With the running statistics they are constants:
 *     dx = gamma / sqrt(var + eps) * dy.
 * Both ways dgamma = sum(dy*z), dbeta = sum(dy).
 *
 * Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167; the unbiased running
 * variance is PyTorch's. */
#include "engine/ref/ref.h"

/* What normalises one channel. */
typedef struct stats {
    float mean, scale; /* scale = 1 / sqrt(var + eps) */
} stats;

static float scale_of(const afn_step *s, double var)
{
    return (float)(1.0 / sqrt(var + (double)s->node->attr.bn.eps));
}

/* Mean and sum of squared deviations of channel c of x (n,c,h,w). */
static void moments(const float *x, int64_t n_samples, afn_ref_dims d, int64_t c,
                    double *mean, double *squares)
{
    double sum = 0, sq = 0;
    for (int64_t n = 0; n < n_samples; n++)
        for (int64_t i = 0; i < d.plane; i++) sum += x[(n * d.c + c) * d.plane + i];
    *mean = sum / (double)(n_samples * d.plane);
    for (int64_t n = 0; n < n_samples; n++)
        for (int64_t i = 0; i < d.plane; i++) {
            const double e = x[(n * d.c + c) * d.plane + i] - *mean;
            sq += e * e;
        }
    *squares = sq;
}

/* Statistics of channel c of this batch; the running ones follow. */
static stats batch_stats(const afn_step *s, const afn_args *a, int64_t c)
{
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const double m = (double)(a->n * d.plane);
    const double momentum = (double)s->node->attr.bn.momentum;
    float *running_mean = afn_ref__param(s, a, AFN_RUNNING_MEAN);
    float *running_var = afn_ref__param(s, a, AFN_RUNNING_VAR);
    double mean, squares;
    moments(a->in[0], a->n, d, c, &mean, &squares);
    running_mean[c] = (float)((1 - momentum) * running_mean[c] + momentum * mean);
    running_var[c] =
        (float)((1 - momentum) * running_var[c] + momentum * squares / (m - 1));
    return (stats){ (float)mean, scale_of(s, squares / m) };
}

static stats running_stats(const afn_step *s, const afn_args *a, int64_t c)
{
    const float mean = afn_ref__param(s, a, AFN_RUNNING_MEAN)[c];
    const float var = afn_ref__param(s, a, AFN_RUNNING_VAR)[c];
    return (stats){ mean, scale_of(s, (double)var) };
}

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const float *gamma = afn_ref__param(s, a, AFN_WEIGHT);     /* (c) */
    const float *beta = afn_ref__param(s, a, AFN_BIAS);        /* (c) */
    const float *x = a->in[0];                                 /* (n, c, h, w) */
    float *y = a->out;                                         /* (n, c, h, w) */
    stats *keep = s->train && s->batch_stats ? a->keep : NULL; /* (c) */

#pragma omp parallel for
    for (int64_t c = 0; c < d.c; c++) {
        const stats t = s->batch_stats ? batch_stats(s, a, c) : running_stats(s, a, c);
        if (keep) keep[c] = t;
        for (int64_t n = 0; n < a->n; n++) {
            const int64_t at = (n * d.c + c) * d.plane;
#pragma omp simd
            for (int64_t i = at; i < at + d.plane; i++)
                y[i] = (x[i] - t.mean) * t.scale * gamma[c] + beta[c];
        }
    }
    return AFN_OK;
}

/* sum(dy) over channel c */
static double sum_gradient(const afn_args *a, afn_ref_dims d, int64_t c)
{
    const float *dy = a->dout;
    double sum = 0;
    for (int64_t n = 0; n < a->n; n++)
        for (int64_t i = 0; i < d.plane; i++) sum += dy[(n * d.c + c) * d.plane + i];
    return sum;
}

/* sum(dy*z) over channel c */
static double sum_product(const afn_args *a, afn_ref_dims d, int64_t c, stats t)
{
    const float *x = a->in[0], *dy = a->dout;
    double sum = 0;
    for (int64_t n = 0; n < a->n; n++) {
        const int64_t at = (n * d.c + c) * d.plane;
        for (int64_t i = at; i < at + d.plane; i++)
            sum += (double)dy[i] * (x[i] - t.mean) * t.scale;
    }
    return sum;
}

/* dx += factor * (dy - a0 - z * a1) over channel c, where z = (x - mean) * scale */
static void add_batch_gradient(const afn_args *a, afn_ref_dims d, int64_t c, stats t,
                               const float factor[3], float *restrict dx)
{
    const float *x = a->in[0], *dy = a->dout;
    for (int64_t n = 0; n < a->n; n++) {
        const int64_t at = (n * d.c + c) * d.plane;
#pragma omp simd
        for (int64_t i = at; i < at + d.plane; i++) {
            const float z = (x[i] - t.mean) * t.scale;
            dx[i] += factor[0] * (dy[i] - factor[1] - z * factor[2]);
        }
    }
}

/* dx += factor * dy over channel c */
static void add_scaled(const afn_args *a, afn_ref_dims d, int64_t c, float factor,
                       float *restrict dx)
{
    const float *dy = a->dout;
    for (int64_t n = 0; n < a->n; n++) {
        const int64_t at = (n * d.c + c) * d.plane;
#pragma omp simd
        for (int64_t i = at; i < at + d.plane; i++) dx[i] += factor * dy[i];
    }
}

/* Does backward read x? */
static bool needs_input(const afn_step *s)
{
    return s->batch_stats || s->grad_param[AFN_WEIGHT];
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const double m = (double)(a->n * d.plane);
    const float *gamma = afn_ref__param(s, a, AFN_WEIGHT);
    float *dgamma = afn_ref__dparam(s, a, AFN_WEIGHT);
    float *dbeta = afn_ref__dparam(s, a, AFN_BIAS);
    float *dx = afn_ref__din(s, a, 0);
    const stats *keep = a->keep;

#pragma omp parallel for
    for (int64_t c = 0; c < d.c; c++) {
        const stats t = s->batch_stats ? keep[c] : running_stats(s, a, c);
        const float factor = gamma[c] * t.scale;
        const double sum_dy = sum_gradient(a, d, c);
        const double sum_dyz = needs_input(s) ? sum_product(a, d, c, t) : 0;
        if (dx && s->batch_stats)
            add_batch_gradient(
                a, d, c, t,
                (float[]){ factor, (float)(sum_dy / m), (float)(sum_dyz / m) }, dx);
        else if (dx)
            add_scaled(a, d, c, factor, dx);
        if (dgamma) dgamma[c] = (float)sum_dyz;
        if (dbeta) dbeta[c] = (float)sum_dy;
    }
    return AFN_OK;
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    const afn_step *s = p->step;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    if (s->batch_stats && p->n * d.plane == 1)
        return afn_fail(AFN_ESHAPE,
                        "one value per channel has no variance: train with a larger "
                        "batch or frozen statistics");
    k->keep_input = s->train && needs_input(s);
    k->keep_bytes = s->train && s->batch_stats ? (size_t)d.c * sizeof(stats) : 0;
    return afn_ref__prepare(p, k);
}

const afn_kernel_ops afn_ref__batch_norm = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
