/* SPDX-License-Identifier: Apache-2.0 */
/* One pass of a convolution in bf16, for tests of algorithms. */
#ifndef PASS_JOB_H
#define PASS_JOB_H

#include <math.h>
#include <string.h>

#include "afn_test.h"
#include "engine/cpu/cpu_pass.h"

/* Of a convolution. */
typedef struct shape {
    const char *name;
    int n, ic, h, w, oc;
    int kh, kw, stride, pad, dilation;
} shape;

/* A convolution in bf16, blocked, and its numbers; gradients have the same names. */
typedef struct job {
    cpu_device *device;
    afn_conv_attr conv;
    int64_t oh, ow;
    dnn_md *src, *dst, *weights, *bias; /* weights: any layout, fp32 */
    cpu_pass *pass;
    float *x, *dy, *dw, *db; /* row-major; the first two filled with numbers */
} job;

static inline int64_t dim_of(const dnn_md *md)
{
    return dnn_md_dim(md, 0) * dnn_md_dim(md, 1) * dnn_md_dim(md, 2) *
           dnn_md_dim(md, 3);
}

/* Small whole numbers, exact in bf16 and in every sum. */
static inline float *small(int64_t n, unsigned seed)
{
    float *v = test_malloc((size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        v[i] = (float)(seed >> 29) - 3.0f;
    }
    return v;
}

static inline void open_job(job *j, const shape *s, int threads)
{
    void *device;
    assert_ok(afn_backend_cpu.open(&device, threads, AFN_PRECISION_BF16));
    j->device = device;
    j->conv = (afn_conv_attr){ .oc = s->oc,
                               .kh = s->kh,
                               .kw = s->kw,
                               .sh = s->stride,
                               .sw = s->stride,
                               .ph = s->pad,
                               .pw = s->pad,
                               .dh = s->dilation,
                               .dw = s->dilation,
                               .groups = 1 };
    j->oh = (s->h + 2 * s->pad - s->dilation * (s->kh - 1) - 1) / s->stride + 1;
    j->ow = (s->w + 2 * s->pad - s->dilation * (s->kw - 1) - 1) / s->stride + 1;
    const int64_t src[] = { s->n, s->ic, s->h, s->w };
    const int64_t dst[] = { s->n, s->oc, j->oh, j->ow };
    const int64_t weights[] = { s->oc, s->ic, s->kh, s->kw }, bias[] = { s->oc };
    assert_ok(dnn_md_new(&j->src, 4, src, DNN_BLOCKED16, DNN_BF16));
    assert_ok(dnn_md_new(&j->dst, 4, dst, DNN_BLOCKED16, DNN_BF16));
    assert_ok(dnn_md_new(&j->weights, 4, weights, DNN_ANY, DNN_F32));
    assert_ok(dnn_md_new(&j->bias, 1, bias, DNN_PLAIN, DNN_F32));
    j->x = small(dim_of(j->src), 1);
    j->dy = small(dim_of(j->dst), 2);
}

static inline void close_job(job *j)
{
    cpu_pass_free(j->pass);
    dnn_md_free(j->src);
    dnn_md_free(j->dst);
    dnn_md_free(j->weights);
    dnn_md_free(j->bias);
    test_free(j->x);
    test_free(j->dy);
    test_free(j->dw);
    test_free(j->db);
    afn_backend_cpu.close(j->device);
}

static inline dnn_product product_of(const job *j)
{
    return (dnn_product){ .src = j->src,
                          .dst = j->dst,
                          .weights = j->weights,
                          .bias = j->bias,
                          .conv = &j->conv,
                          .act = AFN_NO_ACT };
}

static inline void reorder(const job *j, const dnn_md *from, const dnn_md *to, void *in,
                           void *out)
{
    dnn_op *op;
    assert_ok(dnn_reorder_new(&op, j->device->dnn, from, to));
    const dnn_md *md = dnn_op_md(op, DNN_SCRATCH);
    void *scratch = afn_alloc_aligned(md ? dnn_md_bytes(md) : 0);
    assert_ok(dnn_run(j->device->dnn, op,
                      (void *[DNN_N_SLOTS]){
                          [DNN_SRC] = in, [DNN_DST] = out, [DNN_SCRATCH] = scratch }));
    afn_free(scratch);
    dnn_op_free(op);
}

/* A new buffer of md with these numbers. */
static inline void *blocked(const job *j, const dnn_md *md, float *rows)
{
    dnn_md *plain;
    void *v = afn_alloc_aligned(dnn_md_bytes(md));
    assert_ok(dnn_md_plain(&plain, md));
    reorder(j, plain, md, rows, v);
    dnn_md_free(plain);
    return v;
}

#endif
