/* SPDX-License-Identifier: Apache-2.0 */
/* The narrow view of oneDNN, which promises the same on each of its versions. */
#include "afn_test.h"
#include "engine/cpu/dnn.h"

static dnn_device *device;

static int open_device(void **state)
{
    (void)state;
    return dnn_device_open(&device) == AFN_OK ? 0 : -1;
}

static int close_device(void **state)
{
    (void)state;
    dnn_device_close(device);
    return 0;
}

/* Runs op on src, weights, dst with scratch memory of its own. */
static void run(dnn_op *op, void *src, void *weights, void *dst)
{
    const dnn_md *need = dnn_op_md(op, DNN_SCRATCH);
    void *scratch = need ? afn_alloc_aligned(dnn_md_bytes(need)) : NULL;
    void *buffer[DNN_N_SLOTS] = { [DNN_SRC] = src,
                                  [DNN_WEIGHTS] = weights,
                                  [DNN_DST] = dst,
                                  [DNN_SCRATCH] = scratch };
    assert_ok(dnn_run(device, op, buffer));
    afn_free(scratch);
}

static void version_is_one_we_know(void **state)
{
    (void)state;
    const char *v = dnn_version();
    assert_true((v[0] == '2' || v[0] == '3') && v[1] == '.');
}

static void channels_are_padded_to_whole_blocks(void **state)
{
    (void)state;
    const int64_t dim[] = { 2, 20, 3, 3 };
    const struct {
        dnn_order order;
        dnn_type type;
        size_t bytes;
    } row[] = {
        { DNN_PLAIN, DNN_F32, 2 * 20 * 9 * 4 },
        { DNN_BLOCKED8, DNN_F32, 2 * 24 * 9 * 4 },
        { DNN_BLOCKED16, DNN_F32, 2 * 32 * 9 * 4 },
        { DNN_BLOCKED16, DNN_BF16, 2 * 32 * 9 * 2 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        dnn_md *md;
        assert_ok(dnn_md_new(&md, 4, dim, row[i].order, row[i].type));
        assert_int_equal(dnn_md_bytes(md), row[i].bytes);
        dnn_md_free(md);
    }
}

static void a_copy_outlives_its_original(void **state)
{
    (void)state;
    const int64_t dim[] = { 2, 20, 3, 3 };
    dnn_md *first, *copy, *plain, *same;
    assert_ok(dnn_md_new(&first, 4, dim, DNN_BLOCKED16, DNN_F32));
    assert_ok(dnn_md_copy(&copy, first));
    assert_true(dnn_md_equal(first, copy));
    dnn_md_free(first);
    assert_ok(dnn_md_plain(&plain, copy));
    assert_ok(dnn_md_new(&same, 4, dim, DNN_PLAIN, DNN_F32));
    assert_true(dnn_md_equal(plain, same));
    assert_false(dnn_md_equal(plain, copy));
    dnn_md_free(copy);
    dnn_md_free(plain);
    dnn_md_free(same);
}

/* ---- linear layers ---- */

enum { M = 5, K = 7, N = 4 };

/* Small whole numbers: exact in bf16 and in sums of floats. */
static void fill(float *x, int n, int step)
{
    for (int i = 0; i < n; i++) x[i] = (float)(i * step % 11 - 5);
}

static void expect_product(const float *x, const float *w, const float *y)
{
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) {
            float sum = 0.0f;
            for (int k = 0; k < K; k++) sum += x[m * K + k] * w[n * K + k];
            assert_true(y[m * N + n] == sum);
        }
}

/* x as md describes it, n floats; the result is the caller's. */
static void *converted(float *x, const dnn_md *md)
{
    dnn_md *plain;
    dnn_op *op;
    void *y = afn_alloc_aligned(dnn_md_bytes(md));
    assert_non_null(y);
    assert_ok(dnn_md_plain(&plain, md));
    assert_ok(dnn_reorder_new(&op, device, plain, md));
    run(op, x, NULL, y);
    dnn_op_free(op);
    dnn_md_free(plain);
    return y;
}

static void check_linear(dnn_type type)
{
    static const int64_t x_dim[] = { M, K }, w_dim[] = { N, K }, y_dim[] = { M, N };
    float x[M * K], w[N * K], y[M * N];
    dnn_md *src, *weights, *dst;
    dnn_op *op;
    fill(x, M * K, 3);
    fill(w, N * K, 7);
    assert_ok(dnn_md_new(&src, 2, x_dim, DNN_PLAIN, type));
    assert_ok(dnn_md_new(&weights, 2, w_dim, DNN_PLAIN, type));
    assert_ok(dnn_md_new(&dst, 2, y_dim, DNN_PLAIN, DNN_F32));
    assert_ok(dnn_product_new(
        &op, device, DNN_INFER,
        &(dnn_product){
            .src = src, .weights = weights, .dst = dst, .act = AFN_NO_ACT }));
    void *from = converted(x, src), *by = converted(w, weights);
    run(op, from, by, y);
    expect_product(x, w, y);
    afn_free(from);
    afn_free(by);
    dnn_op_free(op);
    dnn_md_free(src);
    dnn_md_free(weights);
    dnn_md_free(dst);
}

static void a_linear_layer_is_exact(void **state)
{
    (void)state;
    check_linear(DNN_F32);
}

static void a_linear_layer_in_bf16_sums_in_float(void **state)
{
    (void)state;
    if (!dnn_has_bf16()) skip();
    check_linear(DNN_BF16);
}

/* ---- convolutions ---- */

/* A convolution that Winograd can do: (2, 64, 28, 28), 3x3. */
static afn_status make_convolution(dnn_op **out, dnn_pass pass, dnn_algo algo)
{
    const int64_t value[] = { 2, 64, 28, 28 }, weight[] = { 64, 64, 3, 3 };
    const afn_conv_attr conv = { .oc = 64,
                                 .kh = 3,
                                 .kw = 3,
                                 .sh = 1,
                                 .sw = 1,
                                 .ph = 1,
                                 .pw = 1,
                                 .dh = 1,
                                 .dw = 1,
                                 .groups = 1 };
    const dnn_order order =
        dnn_best_isa() == DNN_ISA_AVX512 ? DNN_BLOCKED16 : DNN_BLOCKED8;
    dnn_md *x, *w;
    assert_ok(dnn_md_new(&x, 4, value, order, DNN_F32));
    assert_ok(dnn_md_new(&w, 4, weight, DNN_ANY, DNN_F32));
    const afn_status st = dnn_product_new(out, device, pass,
                                          &(dnn_product){ .src = x,
                                                          .weights = w,
                                                          .dst = x,
                                                          .conv = &conv,
                                                          .algo = algo,
                                                          .act = AFN_NO_ACT });
    dnn_md_free(x);
    dnn_md_free(w);
    return st;
}

static const dnn_pass passes[] = { DNN_INFER, DNN_FORWARD, DNN_BACKWARD_DATA,
                                   DNN_BACKWARD_WEIGHTS };

static void blocked_convolutions_are_direct_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(passes); i++) {
        dnn_op *op;
        assert_ok(make_convolution(&op, passes[i], DNN_DIRECT));
        if (dnn_best_isa() != DNN_ISA_BASE)
            assert_non_null(strstr(dnn_op_impl(op), "jit")); /* not gemm, not ref */
        dnn_op_free(op);
    }
}

static void winograd_is_made_where_it_exists_and_else_refused(void **state)
{
    (void)state;
    const bool exists = dnn_version()[0] == '2' && dnn_best_isa() == DNN_ISA_AVX512;
    for (size_t i = 0; i < AFN_COUNT(passes); i++) {
        dnn_op *op;
        if (exists) {
            assert_ok(make_convolution(&op, passes[i], DNN_WINOGRAD));
            assert_non_null(strstr(dnn_op_impl(op), "wino"));
            dnn_op_free(op);
        } else {
            assert_fails(AFN_EUNSUPPORTED, "oneDNN has no convolution like this",
                         make_convolution(&op, passes[i], DNN_WINOGRAD));
            assert_null(op);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_is_one_we_know),
        cmocka_unit_test(channels_are_padded_to_whole_blocks),
        cmocka_unit_test(a_copy_outlives_its_original),
        cmocka_unit_test(a_linear_layer_is_exact),
        cmocka_unit_test(a_linear_layer_in_bf16_sums_in_float),
        cmocka_unit_test(blocked_convolutions_are_direct_code),
        cmocka_unit_test(winograd_is_made_where_it_exists_and_else_refused),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
