/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the parameters: storage, and the distribution of every rule. */
#include <math.h>

#include "afn_test.h"
#include "graph/graph.h"

typedef struct summary {
    double mean, std, min, max;
} summary;

static summary summarise(const float *v, int64_t n)
{
    summary s = { 0, 0, INFINITY, -INFINITY };
    double squares = 0;
    for (int64_t i = 0; i < n; i++) {
        s.mean += v[i] / (double)n;
        squares += (double)v[i] * v[i] / (double)n;
        s.min = fmin(s.min, v[i]);
        s.max = fmax(s.max, v[i]);
    }
    s.std = sqrt(squares - s.mean * s.mean);
    return s;
}

/* Sample of a grouped convolution, (64, 16, 5, 5) with bias, made by this rule. */
static summary convolution_by(afn_init init, summary *bias)
{
    afn_graph *g;
    afn_params *p;
    assert_ok(afn_graph_new(&g, 32, 8, 8));
    afn_value x = afn_input(g);
    x = afn_conv2d(
        g, x, "c",
        (afn_conv){ .oc = 64, .k = 5, .groups = 2, .bias = true, .init = &init });
    assert_ok(afn_graph_finish(g, x));
    assert_ok(afn_params_new(&p, g));
    afn_params_init_all(p, g, 1);
    assert_int_equal(afn_params_size(p, 0), 64 * 16 * 25);
    const summary s = summarise(afn_params_f32(p, 0), afn_params_size(p, 0));
    *bias = summarise(afn_params_f32(p, 1), afn_params_size(p, 1));
    afn_params_free(p);
    afn_graph_free(g);
    return s;
}

static void assert_near(double got, double want, double relative)
{
    if (fabs(got - want) > relative * fabs(want))
        fail_msg("%g, expected %g within %g of it", got, want, relative);
}

static void assert_uniform(summary s, double bound, double tolerance)
{
    assert_near(s.std, bound / sqrt(3.0), tolerance);
    assert_near(s.min, -bound, tolerance);
    assert_near(s.max, bound, tolerance);
    assert_true(s.min >= -bound && s.max <= bound);
    assert_true(fabs(s.mean) < bound * tolerance);
}

static void assert_normal(summary s, double std)
{
    assert_near(s.std, std, 0.02);
    assert_true(fabs(s.mean) < 0.03 * std);
    assert_true(s.min < -3.5 * std && s.max > 3.5 * std); /* it has tails */
}

static void assert_zero(summary s)
{
    assert_true(s.min == 0 && s.max == 0);
}

static void the_default_rule_is_torchs(void **state)
{
    (void)state;
    summary bias;
    const summary w = convolution_by((afn_init){ .rule = AFN_INIT_DEFAULT }, &bias);
    assert_uniform(w, 1 / sqrt(16.0 * 25), 0.02);
    assert_uniform(bias, 1 / sqrt(16.0 * 25), 0.2); /* 64 values only */
}

static void the_normal_rule_has_its_deviation(void **state)
{
    (void)state;
    summary bias;
    const summary w =
        convolution_by((afn_init){ .rule = AFN_INIT_NORMAL, .std = 0.01f }, &bias);
    assert_normal(w, 0.01);
    assert_zero(bias);
}

static void kaiming_rules_read_the_fans_of_a_grouped_convolution(void **state)
{
    (void)state;
    summary bias;
    const summary normal =
        convolution_by((afn_init){ .rule = AFN_INIT_KAIMING_NORMAL }, &bias);
    assert_normal(normal, sqrt(2.0 / (64 * 25)));
    assert_zero(bias);
    const summary uniform =
        convolution_by((afn_init){ .rule = AFN_INIT_KAIMING_UNIFORM }, &bias);
    assert_uniform(uniform, sqrt(6.0 / (16 * 25)), 0.02);
    assert_zero(bias);
}

static void batch_norm_starts_as_the_identity(void **state)
{
    (void)state;
    static const float want[] = { 1, 0, 0, 1 };
    afn_graph *g;
    afn_params *p;
    assert_ok(afn_graph_new(&g, 7, 8, 8));
    afn_value x = afn_input(g);
    x = afn_batch_norm(g, x, "bn", (afn_bn){ 0 });
    assert_ok(afn_graph_finish(g, x));
    assert_ok(afn_params_new(&p, g));
    assert_int_equal(afn_params_count(p), 5);
    *afn_params_i64(p, 4) = 99;
    afn_params_init_all(p, g, 1);
    for (int i = 0; i < 4; i++) {
        assert_null(afn_params_i64(p, i));
        assert_int_equal(afn_params_size(p, i), 7);
        for (int c = 0; c < 7; c++) assert_true(afn_params_f32(p, i)[c] == want[i]);
    }
    assert_null(afn_params_f32(p, 4));
    assert_int_equal(*afn_params_i64(p, 4), 0);
    afn_params_free(p);
    afn_graph_free(g);
}

/* Two equal layers, so that only seed and index can tell their values apart. */
static afn_graph *twins(void)
{
    afn_graph *g;
    assert_ok(afn_graph_new(&g, 4, 8, 8));
    afn_value x = afn_input(g);
    x = afn_conv2d(g, x, "a", (afn_conv){ .oc = 4, .k = 3 });
    x = afn_conv2d(g, x, "b", (afn_conv){ .oc = 4, .k = 3 });
    assert_ok(afn_graph_finish(g, x));
    return g;
}

static void values_depend_on_seed_and_index_only(void **state)
{
    (void)state;
    afn_graph *g = twins();
    afn_params *p, *q;
    const size_t bytes = 4 * 4 * 9 * sizeof(float);
    assert_ok(afn_params_new(&p, g));
    assert_ok(afn_params_new(&q, g));
    afn_params_init_all(p, g, 5);
    afn_params_init(q, g, 1, 5);
    assert_memory_equal(afn_params_f32(p, 1), afn_params_f32(q, 1), bytes);
    assert_memory_not_equal(afn_params_f32(p, 0), afn_params_f32(p, 1), bytes);
    afn_params_init(q, g, 1, 6);
    assert_memory_not_equal(afn_params_f32(p, 1), afn_params_f32(q, 1), bytes);
    assert_true(afn_params_f32(q, 0)[0] == 0); /* untouched ones are zero */
    afn_params_free(p);
    afn_params_free(q);
    afn_graph_free(g);
}

static void floats_lie_on_64_byte_boundaries(void **state)
{
    (void)state;
    afn_graph *g;
    afn_params *p;
    assert_ok(afn_graph_new(&g, 3, 8, 8));
    afn_value x = afn_input(g);
    x = afn_conv2d(g, x, "a", (afn_conv){ .oc = 5, .k = 3, .bias = true });
    x = afn_batch_norm(g, x, "b", (afn_bn){ 0 });
    assert_ok(afn_graph_finish(g, x));
    assert_ok(afn_params_new(&p, g));
    for (int i = 0; i < afn_params_count(p); i++)
        assert_int_equal((uintptr_t)afn_params_f32(p, i) % 64, 0);
    afn_params_free(p);
    afn_graph_free(g);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    afn_graph *g = twins();
    afn_params *p;
    const int64_t before = afn_alloc_count();
    assert_ok(afn_params_new(&p, g));
    const int64_t needed = afn_alloc_count() - before;
    afn_params_free(p);
    for (int64_t k = 1; k <= needed; k++) {
        afn_alloc_fail_at(k);
        assert_fails(AFN_ENOMEM, "out of memory", afn_params_new(&p, g));
        assert_null(p);
    }
    afn_alloc_fail_at(0);
    afn_params_free(NULL);
    afn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_rule_is_torchs),
        cmocka_unit_test(the_normal_rule_has_its_deviation),
        cmocka_unit_test(kaiming_rules_read_the_fans_of_a_grouped_convolution),
        cmocka_unit_test(batch_norm_starts_as_the_identity),
        cmocka_unit_test(values_depend_on_seed_and_index_only),
        cmocka_unit_test(floats_lie_on_64_byte_boundaries),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
