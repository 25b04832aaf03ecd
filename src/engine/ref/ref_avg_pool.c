/* SPDX-License-Identifier: Apache-2.0 */
/* Average pooling, as PyTorch's avg_pool2d and adaptive_avg_pool2d: every output is the
 * sum of the pixels in its window over a divisor.
 *
 *   avg_pool   window i spans [i*s - p, i*s - p + k), cut to the padded image; the
 *              divisor counts the padding in it, or with exclude_pad only its pixels.
 *              What ceil mode lets hang over the padding never counts.
 *   adaptive   window i of o over length l spans [floor(i*l/o), ceil((i+1)*l/o)) */
#include "engine/ref/ref.h"

/* A window along one side: pixels [start,end), and its length for the divisor. */
typedef struct window {
    int64_t start, end, length;
} window;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static window fixed_window(int64_t i, int64_t size, int k, int stride, int pad,
                           bool include_pad)
{
    const int64_t start = i * stride - pad;
    const int64_t end = smaller(start + k, size + pad);
    window w = { .start = start < 0 ? 0 : start, .end = smaller(end, size) };
    w.length = include_pad ? end - start : w.end - w.start;
    return w;
}

static window adaptive_window(int64_t i, int64_t size, int64_t out)
{
    window w = { .start = i * size / out, .end = ((i + 1) * size + out - 1) / out };
    w.length = w.end - w.start;
    return w;
}

static window row_window(const afn_step *s, int64_t i)
{
    const afn_pool_attr *p = &s->node->attr.pool;
    const int64_t size = s->in_shape[0].dim[1];
    return s->op == AFN_OP_AVG_POOL
               ? fixed_window(i, size, p->kh, p->sh, p->ph, p->include_pad)
               : adaptive_window(i, size, s->out_shape.dim[1]);
}

static window col_window(const afn_step *s, int64_t j)
{
    const afn_pool_attr *p = &s->node->attr.pool;
    const int64_t size = s->in_shape[0].dim[2];
    return s->op == AFN_OP_AVG_POOL
               ? fixed_window(j, size, p->kw, p->sw, p->pw, p->include_pad)
               : adaptive_window(j, size, s->out_shape.dim[2]);
}

static bool is_empty(window rows, window cols)
{
    return rows.start >= rows.end || cols.start >= cols.end;
}

/* Mean over one window of a plane with rows of w pixels; 0 where it holds none. */
static float mean(const float *x, int64_t w, window rows, window cols)
{
    double sum = 0;
    if (is_empty(rows, cols)) return 0;
    for (int64_t i = rows.start; i < rows.end; i++)
        for (int64_t j = cols.start; j < cols.end; j++) sum += x[i * w + j];
    return (float)(sum / (double)(rows.length * cols.length));
}

/* Its gradient: every pixel gets the same share. */
static void share(float *dx, int64_t w, window rows, window cols, float dy)
{
    if (is_empty(rows, cols)) return;
    const float part = dy / (float)(rows.length * cols.length);
    for (int64_t i = rows.start; i < rows.end; i++)
        for (int64_t j = cols.start; j < cols.end; j++) dx[i * w + j] += part;
}

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims in = afn_ref__dims(&s->in_shape[0]);
    const afn_ref_dims out = afn_ref__dims(&s->out_shape);
    const float *x = a->in[0]; /* (n, c, h, w) */
    float *y = a->out;         /* (n, c, oh, ow) */
#pragma omp parallel for
    for (int64_t plane = 0; plane < a->n * in.c; plane++)
        for (int64_t i = 0; i < out.h; i++)
            for (int64_t j = 0; j < out.w; j++)
                y[plane * out.plane + i * out.w + j] = mean(
                    x + plane * in.plane, in.w, row_window(s, i), col_window(s, j));
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims in = afn_ref__dims(&s->in_shape[0]);
    const afn_ref_dims out = afn_ref__dims(&s->out_shape);
    const float *dy = a->dout;
    float *dx = afn_ref__din(s, a, 0);
    if (!dx) return AFN_OK;
#pragma omp parallel for
    for (int64_t plane = 0; plane < a->n * in.c; plane++)
        for (int64_t i = 0; i < out.h; i++)
            for (int64_t j = 0; j < out.w; j++)
                share(dx + plane * in.plane, in.w, row_window(s, i), col_window(s, j),
                      dy[plane * out.plane + i * out.w + j]);
    return AFN_OK;
}

const afn_kernel_ops afn_ref__avg_pool = {
    .prepare = afn_ref__prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};

const afn_kernel_ops afn_ref__adaptive_avg_pool = {
    .prepare = afn_ref__prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
