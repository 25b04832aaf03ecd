/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution, as PyTorch's conv2d (which is a cross-correlation):
 *     y[n,o,i,j] = b[o] + sum over c,u,v of w[o,c,u,v] * x[n,c, i*sh+u*dh-ph,
 *                                                           j*sw+v*dw-pw]
 * where x outside the image is 0, and in a grouped convolution c runs over the input
 * channels of o's group only.
 *
 * All three passes are sums over the taps (u,v) of a window; for one tap and one pair
 * of channels each is a plain operation on two planes:
 *     forward            y  += w * x
 *     input's gradient   dx += w * dy
 *     weight's gradient  dw  = sum of dy * x. */
#include "engine/ref/ref.h"

/* Convolution of one sample.  ic and oc count the channels of one group. */
typedef struct geometry {
    int64_t groups, ic, oc;
    afn_ref_dims in, out;
    const afn_conv_attr *attr;
} geometry;

static geometry geometry_of(const afn_step *s)
{
    const afn_conv_attr *attr = &s->node->attr.conv;
    const afn_ref_dims in = afn_ref__dims(&s->in_shape[0]);
    return (geometry){ .groups = attr->groups,
                       .ic = in.c / attr->groups,
                       .oc = attr->oc / attr->groups,
                       .in = in,
                       .out = afn_ref__dims(&s->out_shape),
                       .attr = attr };
}

/* One tap: pairs of an output row and the input row that it meets.  Output (i,j) meets
 * input (i*sh + row, j*sw + col); i runs over [top,end), j over [left, left+width):
 * those whose input lies inside the image. */
typedef struct tap {
    int64_t top, end, left, width;
    int64_t row, col;
} tap;

static int64_t first_inside(int64_t stride, int64_t offset)
{
    return offset < 0 ? (-offset + stride - 1) / stride : 0;
}

static int64_t end_inside(int64_t out, int64_t in, int64_t stride, int64_t offset)
{
    const int64_t end = in > offset ? (in - 1 - offset) / stride + 1 : 0;
    return end < out ? end : out;
}

static tap tap_of(const geometry *g, int64_t u, int64_t v)
{
    const afn_conv_attr *t = g->attr;
    const int64_t row = u * t->dh - t->ph, col = v * t->dw - t->pw;
    const int64_t left = first_inside(t->sw, col);
    const int64_t right = end_inside(g->out.w, g->in.w, t->sw, col);
    return (tap){ .top = first_inside(t->sh, row),
                  .end = end_inside(g->out.h, g->in.h, t->sh, row),
                  .left = left,
                  .width = right > left ? right - left : 0,
                  .row = row,
                  .col = col };
}

/* Offsets into the two planes of the first pair in output row i. */
static int64_t in_offset(const geometry *g, const tap *t, int64_t i)
{
    return (i * g->attr->sh + t->row) * g->in.w + t->left * g->attr->sw + t->col;
}

static int64_t out_offset(const geometry *g, const tap *t, int64_t i)
{
    return i * g->out.w + t->left;
}

/* y += w * x */
static void add_forward(const geometry *g, const tap *t, float w,
                        const float *restrict x, float *restrict y)
{
    const int64_t sw = g->attr->sw;
    for (int64_t i = t->top; i < t->end; i++) {
        const float *xi = x + in_offset(g, t, i);
        float *yi = y + out_offset(g, t, i);
        if (sw == 1) {
#pragma omp simd
            for (int64_t j = 0; j < t->width; j++) yi[j] += w * xi[j];
        } else {
            for (int64_t j = 0; j < t->width; j++) yi[j] += w * xi[j * sw];
        }
    }
}

/* dx += w * dy */
static void add_backward(const geometry *g, const tap *t, float w,
                         const float *restrict dy, float *restrict dx)
{
    const int64_t sw = g->attr->sw;
    for (int64_t i = t->top; i < t->end; i++) {
        float *xi = dx + in_offset(g, t, i);
        const float *yi = dy + out_offset(g, t, i);
        if (sw == 1) {
#pragma omp simd
            for (int64_t j = 0; j < t->width; j++) xi[j] += w * yi[j];
        } else {
            for (int64_t j = 0; j < t->width; j++) xi[j * sw] += w * yi[j];
        }
    }
}

/* sum of dy * x; rows in float, their sum in double */
static double product(const geometry *g, const tap *t, const float *restrict x,
                      const float *restrict dy)
{
    const int64_t sw = g->attr->sw;
    double sum = 0;
    for (int64_t i = t->top; i < t->end; i++) {
        const float *xi = x + in_offset(g, t, i);
        const float *yi = dy + out_offset(g, t, i);
        float row = 0;
        if (sw == 1) {
#pragma omp simd reduction(+ : row)
            for (int64_t j = 0; j < t->width; j++) row += yi[j] * xi[j];
        } else {
            for (int64_t j = 0; j < t->width; j++) row += yi[j] * xi[j * sw];
        }
        sum += row;
    }
    return sum;
}

static void fill(float *y, int64_t count, float value)
{
    for (int64_t i = 0; i < count; i++) y[i] = value;
}

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const geometry g = geometry_of(s);
    const int kh = g.attr->kh, kw = g.attr->kw;
    const float *w = afn_ref__param(s, a, AFN_WEIGHT); /* (groups*oc, ic, kh, kw) */
    const float *b = afn_ref__param(s, a, AFN_BIAS);   /* (groups*oc) */
    const float *x = a->in[0];                         /* (n, groups*ic, h, w) */
    float *y = a->out;                                 /* (n, groups*oc, oh, ow) */

#pragma omp parallel for collapse(2)
    for (int64_t n = 0; n < a->n; n++)
        for (int64_t o = 0; o < g.groups * g.oc; o++) {
            const float *xg = x + n * g.in.count + o / g.oc * g.ic * g.in.plane;
            const float *wo = w + o * g.ic * kh * kw;
            float *yo = y + n * g.out.count + o * g.out.plane;
            fill(yo, g.out.plane, b ? b[o] : 0);
            for (int64_t c = 0; c < g.ic; c++)
                for (int64_t u = 0; u < kh; u++)
                    for (int64_t v = 0; v < kw; v++) {
                        const tap t = tap_of(&g, u, v);
                        add_forward(&g, &t, wo[(c * kh + u) * kw + v],
                                    xg + c * g.in.plane, yo);
                    }
        }
    return AFN_OK;
}

/* dx[n,c] = sum over the outputs o of c's group, and the taps, of w[o,c,u,v] * dy[n,o]
 */
static void backward_input(const afn_step *s, const afn_args *a, float *dx)
{
    const geometry g = geometry_of(s);
    const int kh = g.attr->kh, kw = g.attr->kw;
    const float *w = afn_ref__param(s, a, AFN_WEIGHT);
    const float *dy = a->dout;

#pragma omp parallel for collapse(2)
    for (int64_t n = 0; n < a->n; n++)
        for (int64_t i = 0; i < g.groups * g.ic; i++) {
            const int64_t c = i % g.ic, first = i / g.ic * g.oc;
            float *dxi = dx + n * g.in.count + i * g.in.plane;
            for (int64_t o = first; o < first + g.oc; o++)
                for (int64_t u = 0; u < kh; u++)
                    for (int64_t v = 0; v < kw; v++) {
                        const tap t = tap_of(&g, u, v);
                        add_backward(&g, &t, w[((o * g.ic + c) * kh + u) * kw + v],
                                     dy + n * g.out.count + o * g.out.plane, dxi);
                    }
        }
}

/* dw[o,c,u,v] = sum over n of the sum of dy[n,o] * x[n,c] at this tap */
static void backward_weight(const afn_step *s, const afn_args *a, float *dw)
{
    const geometry g = geometry_of(s);
    const int kh = g.attr->kh, kw = g.attr->kw;
    const float *x = a->in[0], *dy = a->dout;

#pragma omp parallel for collapse(2)
    for (int64_t o = 0; o < g.groups * g.oc; o++)
        for (int64_t c = 0; c < g.ic; c++)
            for (int64_t u = 0; u < kh; u++)
                for (int64_t v = 0; v < kw; v++) {
                    const tap t = tap_of(&g, u, v);
                    const float *xc = x + (o / g.oc * g.ic + c) * g.in.plane;
                    const float *dyo = dy + o * g.out.plane;
                    double sum = 0;
                    for (int64_t n = 0; n < a->n; n++)
                        sum +=
                            product(&g, &t, xc + n * g.in.count, dyo + n * g.out.count);
                    dw[((o * g.ic + c) * kh + u) * kw + v] = (float)sum;
                }
}

/* db[o] = sum of dy[n,o] */
static void backward_bias(const afn_step *s, const afn_args *a, float *db)
{
    const afn_ref_dims out = afn_ref__dims(&s->out_shape);
    const float *dy = a->dout;

#pragma omp parallel for
    for (int64_t o = 0; o < out.c; o++) {
        double sum = 0;
        for (int64_t n = 0; n < a->n; n++)
            for (int64_t i = 0; i < out.plane; i++)
                sum += dy[n * out.count + o * out.plane + i];
        db[o] = (float)sum;
    }
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    float *dx = afn_ref__din(s, a, 0);
    float *dw = afn_ref__dparam(s, a, AFN_WEIGHT);
    float *db = afn_ref__dparam(s, a, AFN_BIAS);
    if (dx) backward_input(s, a, dx);
    if (dw) backward_weight(s, a, dw);
    if (db) backward_bias(s, a, db);
    return AFN_OK;
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    k->keep_input = p->step->train && p->step->grad_param[AFN_WEIGHT];
    return afn_ref__prepare(p, k);
}

const afn_kernel_ops afn_ref__conv2d = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
