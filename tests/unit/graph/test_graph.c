/* SPDX-License-Identifier: Apache-2.0 */
/* Storage of a graph: scopes, the first error, failing memory. */
#include "afn_test.h"
#include "graph/graph.h"

static void an_input_of_no_size_is_refused(void **state)
{
    (void)state;
    afn_graph *g = (afn_graph *)&g;
    assert_fails(AFN_EINVAL, "0 channels", afn_graph_new(&g, 0, 8, 8));
    assert_null(g);
    assert_fails(AFN_EINVAL, "3 channels, -1x8", afn_graph_new(&g, 3, -1, 8));
    afn_graph_free(NULL);
}

static void scopes_join_with_dots_and_end_where_left(void **state)
{
    (void)state;
    afn_graph *g;
    assert_ok(afn_graph_new(&g, 3, 8, 8));
    afn_value x = afn_input(g);
    afn_enter(g, "layer%d.%d", 1, 0);
    afn_enter(g, "inner");
    const afn_value deep = afn_batch_norm(g, x, "bn", (afn_bn){ 0 });
    afn_leave(g);
    const afn_value middle = afn_batch_norm(g, x, "bn", (afn_bn){ 0 });
    afn_leave(g);
    const afn_value top = afn_batch_norm(g, x, "bn", (afn_bn){ 0 });
    assert_string_equal(afn_graph_node(g, deep)->name, "layer1.0.inner.bn");
    assert_string_equal(afn_graph_node(g, middle)->name, "layer1.0.bn");
    assert_string_equal(afn_graph_node(g, top)->name, "bn");
    assert_string_equal(afn_graph_node(g, x)->name, "");
    afn_graph_free(g);
}

static void scopes_too_deep_or_too_long_are_errors(void **state)
{
    (void)state;
    afn_graph *g;
    assert_ok(afn_graph_new(&g, 3, 8, 8));
    afn_value x = afn_input(g);
    for (int i = 0; i < 17; i++) afn_enter(g, "s");
    for (int i = 0; i < 17; i++) afn_leave(g);
    assert_fails(AFN_EINVAL, "too deep", afn_graph_finish(g, x));
    afn_graph_free(g);

    assert_ok(afn_graph_new(&g, 3, 8, 8));
    x = afn_input(g);
    afn_enter(g, "%0300d", 0);
    afn_leave(g);
    assert_fails(AFN_EINVAL, "too long", afn_graph_finish(g, x));
    afn_graph_free(g);
}

static void the_first_error_is_kept_and_later_builders_do_nothing(void **state)
{
    (void)state;
    afn_graph *g;
    assert_ok(afn_graph_new(&g, 3, 8, 8));
    afn_value x = afn_input(g);
    x = afn_conv2d(g, x, "first", (afn_conv){ .oc = 4, .k = 99 });
    assert_int_equal(x, AFN_NO_VALUE);
    const int nodes = afn_graph_n_nodes(g);
    x = afn_conv2d(g, x, "second", (afn_conv){ .oc = 0, .k = 0 });
    x = afn_mean_hw(g, x);
    x = afn_linear(g, x, "third", 5);
    assert_int_equal(x, AFN_NO_VALUE);
    assert_int_equal(afn_graph_n_nodes(g), nodes);
    assert_int_equal(afn_graph_n_params(g), 0);
    afn_graph_fail(g, AFN_EINVAL, "fourth");
    assert_fails(AFN_ESHAPE, "first: ", afn_graph_finish(g, x));
    afn_graph_free(g);
}

static void an_output_that_is_no_value_is_refused(void **state)
{
    (void)state;
    afn_graph *g;
    assert_ok(afn_graph_new(&g, 3, 8, 8));
    assert_fails(AFN_EINVAL, "output", afn_graph_finish(g, 0));
    afn_graph_free(g);
}

/* Enough layers for every array to grow. */
static afn_status build_chain(afn_graph **out)
{
    afn_status st = AFN_OK;
    afn_graph *g = NULL;
    *out = NULL;
    AFN_TRY(afn_graph_new(&g, 3, 8, 8));
    afn_value x = afn_input(g);
    for (int i = 0; i < 70; i++) {
        afn_enter(g, "layer%d", i);
        x = afn_batch_norm(g, x, "bn", (afn_bn){ 0 });
        x = afn_relu(g, x);
        afn_leave(g);
    }
    AFN_TRY(afn_graph_finish(g, x));
    *out = g;
    g = NULL;
done:
    afn_graph_free(g);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    afn_graph *g;
    const int64_t before = afn_alloc_count();
    assert_ok(build_chain(&g));
    const int64_t needed = afn_alloc_count() - before;
    afn_graph_free(g);
    for (int64_t k = 1; k <= needed; k++) {
        afn_alloc_fail_at(k);
        assert_fails(AFN_ENOMEM, "out of memory", build_chain(&g));
        assert_null(g);
    }
    afn_alloc_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_input_of_no_size_is_refused),
        cmocka_unit_test(scopes_join_with_dots_and_end_where_left),
        cmocka_unit_test(scopes_too_deep_or_too_long_are_errors),
        cmocka_unit_test(the_first_error_is_kept_and_later_builders_do_nothing),
        cmocka_unit_test(an_output_that_is_no_value_is_refused),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
