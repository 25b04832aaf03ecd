/* SPDX-License-Identifier: Apache-2.0 */
/* Layer norm over the channels of each pixel, as torch.nn.functional.layer_norm:
 *     h = (x - mean) r,  y = weight h + bias,  r = 1/sqrt(var + eps), var biased
 *     dweight = sum of dy h   dbias = sum of dy   over samples and pixels
 *     dx = r (g - mean of g - h mean of g h),  g = weight dy. */
#include "engine/ref/ref.h"

typedef struct pixel {
    double mean, r;
} pixel;

/* Statistics of the channels of one pixel; x points at its first channel. */
static pixel measure(const afn_step *s, const float *x, afn_ref_dims d)
{
    double sum = 0, square = 0;
    for (int64_t c = 0; c < d.c; c++) sum += x[c * d.plane];
    const double mean = sum / (double)d.c;
    for (int64_t c = 0; c < d.c; c++) {
        const double e = x[c * d.plane] - mean;
        square += e * e;
    }
    const double var = square / (double)d.c;
    return (pixel){ mean, 1 / sqrt(var + (double)s->node->attr.eps) };
}

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const float *weight = afn_ref__param(s, a, AFN_WEIGHT);
    const float *bias = afn_ref__param(s, a, AFN_BIAS);
#pragma omp parallel for
    for (int64_t u = 0; u < a->n * d.plane; u++) {
        const int64_t at = u / d.plane * d.count + u % d.plane;
        const float *x = (const float *)a->in[0] + at;
        float *y = (float *)a->out + at;
        const pixel p = measure(s, x, d);
        for (int64_t c = 0; c < d.c; c++)
            y[c * d.plane] =
                (float)(((double)x[c * d.plane] - p.mean) * p.r * (double)weight[c] +
                        (double)bias[c]);
    }
    return AFN_OK;
}

static void input_gradient(const afn_step *s, const afn_args *a, float *din)
{
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const float *weight = afn_ref__param(s, a, AFN_WEIGHT);
#pragma omp parallel for
    for (int64_t u = 0; u < a->n * d.plane; u++) {
        const int64_t at = u / d.plane * d.count + u % d.plane;
        const float *x = (const float *)a->in[0] + at;
        const float *dy = (const float *)a->dout + at;
        const pixel p = measure(s, x, d);
        double g = 0, gh = 0;
        for (int64_t c = 0; c < d.c; c++) {
            const double h = ((double)x[c * d.plane] - p.mean) * p.r;
            const double gc = (double)weight[c] * (double)dy[c * d.plane];
            g += gc;
            gh += gc * h;
        }
        g /= (double)d.c;
        gh /= (double)d.c;
        for (int64_t c = 0; c < d.c; c++) {
            const double h = ((double)x[c * d.plane] - p.mean) * p.r;
            const double gc = (double)weight[c] * (double)dy[c * d.plane];
            din[at + c * d.plane] += (float)(p.r * (gc - g - h * gh));
        }
    }
}

static void param_gradients(const afn_step *s, const afn_args *a, float *dweight,
                            float *dbias)
{
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    const int64_t pixels = a->n * d.plane;
    const float *in = a->in[0], *dout = a->dout;
#pragma omp parallel for
    for (int64_t c = 0; c < d.c; c++) {
        double dw = 0, db = 0;
        for (int64_t u = 0; u < pixels; u++) {
            const int64_t at = u / d.plane * d.count + u % d.plane;
            const pixel p = measure(s, in + at, d);
            const double dy = dout[at + c * d.plane];
            dw += dy * ((double)in[at + c * d.plane] - p.mean) * p.r;
            db += dy;
        }
        if (dweight) dweight[c] = (float)dw;
        if (dbias) dbias[c] = (float)db;
    }
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    float *dweight = afn_ref__dparam(s, a, AFN_WEIGHT);
    float *dbias = afn_ref__dparam(s, a, AFN_BIAS);
    float *din = afn_ref__din(s, a, 0);
    if (dweight || dbias) param_gradients(s, a, dweight, dbias);
    if (din) input_gradient(s, a, din);
    return AFN_OK;
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    k->keep_input = p->step->train;
    return afn_ref__prepare(p, k);
}

const afn_kernel_ops afn_ref__layer_norm = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
