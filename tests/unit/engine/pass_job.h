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

/* Runs the gradient of weights; scratch and results are full of what must not be read.
 */
static inline void run_gradient(job *j, const cpu_algo *algo)
{
    const dnn_product d = product_of(j);
    dnn_md *plain;
    afn_backend_cpu.enter(j->device);
    assert_ok(cpu_pass_new(&j->pass, algo, j->device, DNN_BACKWARD_WEIGHTS, &d));
    const size_t bytes = dnn_md_bytes(j->pass->weights);
    const int64_t padded = cpu_padded(j->device, j->conv.oc);
    void *x = blocked(j, j->src, j->x), *dy = blocked(j, j->dst, j->dy);
    float *made = afn_alloc_aligned(bytes);
    void *scratch = afn_alloc_aligned(j->pass->scratch_bytes);
    j->db = test_malloc((size_t)padded * sizeof *j->db);
    memset(made, 0xff, bytes);
    memset(j->db, 0xff, (size_t)padded * sizeof *j->db);
    memset(scratch, 0xff, j->pass->scratch_bytes);
    void *buffer[DNN_N_SLOTS] = { [DNN_SRC] = x,
                                  [DNN_DIFF_DST] = dy,
                                  [DNN_DIFF_WEIGHTS] = made,
                                  [DNN_DIFF_BIAS] = j->db };
    assert_ok(cpu_pass_run(j->pass, &(cpu_run){ .buffer = buffer,
                                                .scratch = scratch,
                                                .first = true,
                                                .last = true }));
    assert_ok(dnn_md_plain(&plain, j->pass->weights));
    j->dw = test_malloc(dnn_md_bytes(plain));
    reorder(j, j->pass->weights, plain, made, j->dw);
    dnn_md_free(plain);
    afn_free(x);
    afn_free(dy);
    afn_free(made);
    afn_free(scratch);
}

static inline double expected_dw(const job *j, const shape *s, int o, int i, int ky,
                                 int kx)
{
    double sum = 0;
    for (int n = 0; n < s->n; n++)
        for (int64_t y = 0; y < j->oh; y++)
            for (int64_t x = 0; x < j->ow; x++) {
                const int64_t iy = y * s->stride + ky * s->dilation - s->pad;
                const int64_t ix = x * s->stride + kx * s->dilation - s->pad;
                if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w) continue;
                sum += (double)j->x[((n * s->ic + i) * s->h + iy) * s->w + ix] *
                       (double)j->dy[((n * s->oc + o) * j->oh + y) * j->ow + x];
            }
    return sum;
}

static inline void check_dw(const job *j, const shape *s)
{
    const float *dw = j->dw;
    for (int o = 0; o < s->oc; o++)
        for (int i = 0; i < s->ic; i++)
            for (int ky = 0; ky < s->kh; ky++)
                for (int kx = 0; kx < s->kw; kx++, dw++)
                    if ((double)*dw != expected_dw(j, s, o, i, ky, kx))
                        fail_msg("%s: dw[%d][%d][%d][%d] is %g", s->name, o, i, ky, kx,
                                 (double)*dw);
}

static inline void check_db(const job *j, const shape *s)
{
    const int64_t pixels = j->oh * j->ow;
    for (int64_t o = 0; o < s->oc; o++) {
        double sum = 0;
        for (int64_t n = 0; n < s->n; n++)
            for (int64_t p = 0; p < pixels; p++)
                sum += (double)j->dy[(n * s->oc + o) * pixels + p];
        if ((double)j->db[o] != sum)
            fail_msg("%s: db[%d] is %g", s->name, (int)o, (double)j->db[o]);
    }
}

/* Are the bits the same from any number of threads? */
static inline void check_threads(const cpu_algo *algo)
{
    static const shape s = { "threads", 3, 40, 25, 41, 150, 3, 3, 1, 1, 1 };
    job one = { 0 };
    open_job(&one, &s, 1);
    for (int64_t i = 0; i < dim_of(one.src); i++) one.x[i] *= 0.371f;
    run_gradient(&one, algo);
    for (int threads = 2; threads <= 7; threads++) {
        job j = { 0 };
        open_job(&j, &s, threads);
        memcpy(j.x, one.x, (size_t)dim_of(j.src) * sizeof *j.x);
        run_gradient(&j, algo);
        assert_memory_equal(j.dw, one.dw,
                            (size_t)(s.oc * s.ic * s.kh * s.kw) * sizeof *j.dw);
        assert_memory_equal(j.db, one.db, (size_t)s.oc * sizeof *j.db);
        close_job(&j);
    }
    close_job(&one);
}

#endif
