/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of weights in bf16 against plain loops: windows, strides, several
 * chunks, joined rows; and the same bits from any number of threads. */
#include "pass_job.h"

static const shape shapes[] = {
    { "one pixel", 1, 1, 1, 1, 1, 1, 1, 1, 0, 1 },
    { "odd rows that are joined", 3, 20, 7, 7, 70, 1, 1, 1, 0, 1 },
    { "rows too long to be joined", 1, 3, 2, 1201, 5, 1, 1, 1, 0, 1 },
    { "several chunks of a sample", 2, 17, 61, 50, 33, 1, 1, 1, 0, 1 },
    { "a last chunk of fewer samples", 5, 16, 13, 22, 16, 3, 3, 1, 1, 1 },
    { "window with chunks of rows", 1, 19, 63, 64, 150, 3, 3, 1, 1, 1 },
    { "strided pixel", 2, 40, 15, 13, 24, 1, 1, 2, 0, 1 },
    { "strided window", 2, 33, 29, 31, 17, 3, 3, 2, 1, 1 },
    { "strided window, many rows", 1, 16, 150, 30, 16, 3, 3, 2, 1, 1 },
    { "stride 3, 5 x 2", 1, 5, 17, 14, 6, 5, 2, 3, 2, 1 },
    { "dilated", 2, 8, 12, 11, 9, 3, 3, 1, 2, 2 },
    { "dilated and strided", 1, 8, 19, 20, 9, 3, 3, 2, 3, 3 },
    { "padding without a window", 1, 4, 5, 5, 4, 1, 1, 1, 2, 1 },
};

/* Runs the pass; scratch and results are full of what must not be read. */
static void run_job(job *j)
{
    const dnn_product d = product_of(j);
    dnn_md *plain;
    afn_backend_cpu.enter(j->device);
    assert_ok(
        cpu_pass_new(&j->pass, &cpu_algo_pairs, j->device, DNN_BACKWARD_WEIGHTS, &d));
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

static double expected_dw(const job *j, const shape *s, int o, int i, int ky, int kx)
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

static void check_dw(const job *j, const shape *s)
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

static void check_db(const job *j, const shape *s)
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

static void the_gradient_is_the_sum_over_pixels(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(shapes); i++) {
        job j = { 0 };
        open_job(&j, &shapes[i], 2);
        run_job(&j);
        check_dw(&j, &shapes[i]);
        check_db(&j, &shapes[i]);
        close_job(&j);
    }
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    static const shape s = { "threads", 3, 40, 25, 41, 150, 3, 3, 1, 1, 1 };
    job one = { 0 };
    open_job(&one, &s, 1);
    for (int64_t i = 0; i < dim_of(one.src); i++) one.x[i] *= 0.371f;
    run_job(&one);
    for (int threads = 2; threads <= 7; threads++) {
        job j = { 0 };
        open_job(&j, &s, threads);
        memcpy(j.x, one.x, (size_t)dim_of(j.src) * sizeof *j.x);
        run_job(&j);
        assert_memory_equal(j.dw, one.dw,
                            (size_t)(s.oc * s.ic * s.kh * s.kw) * sizeof *j.dw);
        assert_memory_equal(j.db, one.db, (size_t)s.oc * sizeof *j.db);
        close_job(&j);
    }
    close_job(&one);
}

static void other_passes_and_groups_are_left_to_others(void **state)
{
    (void)state;
    cpu_pass *p;
    job j = { 0 };
    open_job(&j, &shapes[1], 2);
    dnn_product d = product_of(&j);
    assert_fails(AFN_EUNSUPPORTED, "pairs",
                 cpu_pass_new(&p, &cpu_algo_pairs, j.device, DNN_FORWARD, &d));
    j.conv.groups = 2;
    assert_fails(AFN_EUNSUPPORTED, "pairs",
                 cpu_pass_new(&p, &cpu_algo_pairs, j.device, DNN_BACKWARD_WEIGHTS, &d));
    close_job(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_is_the_sum_over_pixels),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(other_passes_and_groups_are_left_to_others),
    };
    if (!dnn_has_bf16()) return 77; /* the pass would not run here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
