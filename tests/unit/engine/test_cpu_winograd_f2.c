/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd F(2,3) in bf16 against plain loops.  The numbers are small whole ones, and
 * weights multiples of 4, so that every transform is exact and results must be, too. */
#include "pass_job.h"

static const shape shapes[] = {
    { "one pixel", 1, 1, 1, 1, 1, 3, 3, 1, 1, 1 },
    { "odd rows", 3, 20, 7, 5, 70, 3, 3, 1, 1, 1 },
    { "even rows", 2, 64, 8, 6, 32, 3, 3, 1, 1, 1 },
    { "no padding", 2, 17, 9, 8, 33, 3, 3, 1, 0, 1 },
    { "much padding", 1, 16, 5, 6, 48, 3, 3, 1, 2, 1 },
    { "several chunks", 3, 30, 41, 40, 20, 3, 3, 1, 1, 1 },
    { "one row", 5, 8, 1, 30, 9, 3, 3, 1, 1, 1 },
};

enum { OLD = 3, BIAS = 5 }; /* seeds */

/* Weights in the order of the pass, packed where it wants that. */
static void *weights_of(job *j, float *rows)
{
    float *w = blocked(j, j->pass->weights, rows);
    if (!j->pass->packed_bytes) return w;
    void *packed = afn_alloc_aligned(j->pass->packed_bytes);
    j->pass->algo->pack(j->pass, w, packed);
    afn_free(w);
    return packed;
}

/* As a value of bf16. */
static float rounded(double x)
{
    const float wide = (float)x;
    uint16_t v;
    float y;
    afn_kern_avx512_bf16.store(&v, &wide, 1);
    afn_kern_avx512_bf16.load(&y, &v, 1);
    return y;
}

static double clipped(double x, int act)
{
    if (act != AFN_NO_ACT && x < 0) return 0;
    return act == AFN_ACT_RELU6 && x > 6 ? 6 : x;
}

static double tap(const float *plane, int64_t h, int64_t w, int64_t y, int64_t x)
{
    return y < 0 || y >= h || x < 0 || x >= w ? 0 : (double)plane[y * w + x];
}

/* Pixel (y, x) of channel o of sample n of the result. */
static double forward_at(const job *j, const shape *s, const float *w, int64_t n,
                         int64_t o, int64_t y, int64_t x)
{
    double sum = 0;
    for (int i = 0; i < s->ic; i++)
        for (int k = 0; k < 9; k++)
            sum += (double)w[(o * s->ic + i) * 9 + k] *
                   tap(j->x + (n * s->ic + i) * s->h * s->w, s->h, s->w,
                       y + k / 3 - s->pad, x + k % 3 - s->pad);
    return sum;
}

/* Pixel (y, x) of channel i of sample n of the gradient of the data. */
static double data_at(const job *j, const shape *s, const float *w, int64_t n,
                      int64_t i, int64_t y, int64_t x)
{
    double sum = 0;
    for (int o = 0; o < s->oc; o++)
        for (int k = 0; k < 9; k++)
            sum += (double)w[(o * s->ic + i) * 9 + k] *
                   tap(j->dy + (n * s->oc + o) * j->oh * j->ow, j->oh, j->ow,
                       y - k / 3 + s->pad, x - k % 3 + s->pad);
    return sum;
}

/* What one pass makes, row-major; scratch is full of what must not be read. */
static float *run_pass(job *j, dnn_pass kind, const dnn_product *d, float *w,
                       float *old)
{
    const bool data = kind == DNN_BACKWARD_DATA;
    const dnn_md *md = data ? j->src : j->dst;
    dnn_md *plain;
    float *bias = small(cpu_padded(j->device, j->conv.oc), BIAS);
    afn_backend_cpu.enter(j->device);
    assert_ok(cpu_pass_new(&j->pass, &cpu_algo_winograd_f2, j->device, kind, d));
    void *in = blocked(j, data ? j->dst : j->src, data ? j->dy : j->x);
    void *out = blocked(j, md, old), *weights = weights_of(j, w);
    void *scratch = afn_alloc_aligned(j->pass->scratch_bytes);
    void *held = afn_alloc_aligned(j->pass->held_bytes);
    memset(scratch, 0xff, j->pass->scratch_bytes);
    void *buffer[DNN_N_SLOTS] = {
        [DNN_WEIGHTS] = weights, [DNN_BIAS] = d->bias ? bias : NULL
    };
    buffer[data ? DNN_DIFF_DST : DNN_SRC] = in;
    buffer[data ? DNN_DIFF_SRC : DNN_DST] = out;
    assert_ok(cpu_pass_run(j->pass, &(cpu_run){ .buffer = buffer,
                                                .scratch = scratch,
                                                .held = held,
                                                .first = true,
                                                .last = true }));
    assert_ok(dnn_md_plain(&plain, md));
    float *rows = test_malloc(dnn_md_bytes(plain));
    reorder(j, md, plain, out, rows);
    dnn_md_free(plain);
    afn_free(in);
    afn_free(out);
    afn_free(weights);
    afn_free(scratch);
    afn_free(held);
    test_free(bias);
    return rows;
}

static float *new_weights(const shape *s)
{
    const int64_t count = (int64_t)s->oc * s->ic * 9;
    float *w = small(count, 7);
    for (int64_t i = 0; i < count; i++) w[i] *= 4;
    return w;
}

static void check(const shape *s, dnn_pass kind, bool bias, bool sum, int act)
{
    job j = { 0 };
    open_job(&j, s, 2);
    const bool data = kind == DNN_BACKWARD_DATA;
    const dnn_md *md = data ? j.src : j.dst;
    const int64_t c = dnn_md_dim(md, 1), h = dnn_md_dim(md, 2), w = dnn_md_dim(md, 3);
    float *weights = new_weights(s), *old = small(dim_of(md), OLD);
    float *b = small(cpu_padded(j.device, s->oc), BIAS);
    dnn_product d = product_of(&j);
    if (!bias) d.bias = NULL;
    d.sum = sum;
    d.act = act;
    float *got = run_pass(&j, kind, &d, weights, old);
    for (int64_t i = 0; i < dim_of(md); i++) {
        const int64_t n = i / (c * h * w), o = i / (h * w) % c, y = i / w % h;
        double e = (data ? data_at : forward_at)(&j, s, weights, n, o, y, i % w);
        if (bias && !data) e += (double)b[o];
        if (sum && !data) e += (double)old[i];
        e = data ? e : clipped(e, act);
        if (got[i] != rounded(e))
            fail_msg("%s, pass %d: value %lld is %g, not %g", s->name, (int)kind,
                     (long long)i, (double)got[i], e);
    }
    test_free(got);
    test_free(weights);
    test_free(old);
    test_free(b);
    close_job(&j);
}

static void results_are_those_of_the_sum(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(shapes); i++) {
        check(&shapes[i], DNN_FORWARD, false, false, AFN_NO_ACT);
        check(&shapes[i], DNN_FORWARD, true, false, AFN_ACT_RELU);
        check(&shapes[i], DNN_INFER, true, true, AFN_ACT_RELU6);
        check(&shapes[i], DNN_BACKWARD_DATA, false, false, AFN_NO_ACT);
    }
}

/* A sample alone gets the bits that it gets beside others, by any number of threads. */
static void company_and_threads_do_not_matter(void **state)
{
    (void)state;
    const shape all = { "all", 5, 40, 11, 13, 90, 3, 3, 1, 1, 1 };
    shape one = all;
    one.n = 1;
    job j = { 0 };
    open_job(&j, &all, 1);
    float *w = small((int64_t)all.oc * all.ic * 9, 7);
    for (int64_t i = 0; i < dim_of(j.src); i++) j.x[i] *= 0.371f;
    const dnn_product d = product_of(&j);
    float *y = run_pass(&j, DNN_INFER, &d, w, j.dy);
    for (int threads = 1; threads <= 4; threads++) {
        job k = { 0 };
        open_job(&k, &one, threads);
        const int64_t in = dim_of(k.src), out = dim_of(k.dst);
        memcpy(k.x, j.x + threads * in, (size_t)in * sizeof *k.x);
        const dnn_product dk = product_of(&k);
        float *yk = run_pass(&k, DNN_INFER, &dk, w, k.dy);
        assert_memory_equal(yk, y + threads * out, (size_t)out * sizeof *yk);
        test_free(yk);
        close_job(&k);
    }
    test_free(y);
    test_free(w);
    close_job(&j);
}

static void other_windows_are_left_to_others(void **state)
{
    (void)state;
    const shape strided = { "strided", 1, 8, 9, 9, 8, 3, 3, 2, 1, 1 };
    cpu_pass *p;
    job j = { 0 };
    open_job(&j, &strided, 2);
    const dnn_product d = product_of(&j);
    assert_fails(AFN_EUNSUPPORTED, "winograd",
                 cpu_pass_new(&p, &cpu_algo_winograd_f2, j.device, DNN_FORWARD, &d));
    close_job(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_those_of_the_sum),
        cmocka_unit_test(company_and_threads_do_not_matter),
        cmocka_unit_test(other_windows_are_left_to_others),
    };
    if (!dnn_has_bf16()) return 77; /* the pass would not run here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
