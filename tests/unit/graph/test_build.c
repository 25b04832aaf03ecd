/* SPDX-License-Identifier: Apache-2.0 */
/* Builders: attributes in full, and parameters in the order and shape of PyTorch's. */
#include "afn_test.h"
#include "graph/graph.h"

static afn_graph *new_graph(afn_value *x)
{
    afn_graph *g;
    assert_ok(afn_graph_new(&g, 6, 8, 10));
    *x = afn_input(g);
    return g;
}

static void zero_fields_of_a_convolution_mean_pytorchs_defaults(void **state)
{
    (void)state;
    afn_value x;
    afn_graph *g = new_graph(&x);
    const afn_value v = afn_conv2d(g, x, "c", (afn_conv){ .oc = 4, .k = 3 });
    const afn_conv_attr *a = &afn_graph_node(g, v)->attr.conv;
    assert_true(a->oc == 4 && a->kh == 3 && a->kw == 3 && a->sh == 1 && a->sw == 1);
    assert_true(a->ph == 0 && a->pw == 0 && a->dh == 1 && a->dw == 1);
    assert_int_equal(a->groups, 1);
    assert_int_equal(afn_graph_node(g, v)->param[AFN_BIAS], -1);
    afn_graph_free(g);
}

static void directed_fields_override_the_common_ones(void **state)
{
    (void)state;
    afn_value x;
    afn_graph *g = new_graph(&x);
    const afn_value v = afn_conv2d(
        g, x, "c", (afn_conv){ .oc = 4, .k = 3, .kw = 5, .pad = 1, .pw = 2 });
    const afn_conv_attr *a = &afn_graph_node(g, v)->attr.conv;
    assert_true(a->kh == 3 && a->kw == 5 && a->ph == 1 && a->pw == 2);
    afn_graph_free(g);
}

static void a_pool_strides_by_its_window(void **state)
{
    (void)state;
    afn_value x;
    afn_graph *g = new_graph(&x);
    const afn_value v = afn_avg_pool(g, x, (afn_pool){ .k = 2, .exclude_pad = true });
    const afn_pool_attr *a = &afn_graph_node(g, v)->attr.pool;
    assert_true(a->kh == 2 && a->kw == 2 && a->sh == 2 && a->sw == 2);
    assert_false(a->include_pad);
    afn_graph_free(g);
}

static void batch_norm_has_pytorchs_numbers_unless_told(void **state)
{
    (void)state;
    afn_value x;
    afn_graph *g = new_graph(&x);
    const afn_value plain = afn_batch_norm(g, x, "a", (afn_bn){ 0 });
    const afn_value told =
        afn_batch_norm(g, x, "b", (afn_bn){ .eps = 1e-3f, .momentum = 0.01f });
    assert_true(afn_graph_node(g, plain)->attr.bn.eps == 1e-5f);
    assert_true(afn_graph_node(g, plain)->attr.bn.momentum == 0.1f);
    assert_true(afn_graph_node(g, told)->attr.bn.eps == 1e-3f);
    assert_true(afn_graph_node(g, told)->attr.bn.momentum == 0.01f);
    afn_graph_free(g);
}

static void parameters_are_listed_as_in_a_state_dict(void **state)
{
    (void)state;
    static const struct {
        const char *name, *shape;
        afn_dtype dtype;
        bool buffer;
        int slot;
    } want[] = {
        { "block.0.conv.weight", "(4,3,3,3)", AFN_F32, false, AFN_WEIGHT },
        { "block.0.conv.bias", "(4)", AFN_F32, false, AFN_BIAS },
        { "block.0.bn.weight", "(4)", AFN_F32, false, AFN_WEIGHT },
        { "block.0.bn.bias", "(4)", AFN_F32, false, AFN_BIAS },
        { "block.0.bn.running_mean", "(4)", AFN_F32, true, AFN_RUNNING_MEAN },
        { "block.0.bn.running_var", "(4)", AFN_F32, true, AFN_RUNNING_VAR },
        { "block.0.bn.num_batches_tracked", "()", AFN_I64, true, AFN_NUM_BATCHES },
        { "fc.weight", "(5,4)", AFN_F32, false, AFN_WEIGHT },
        { "fc.bias", "(5)", AFN_F32, false, AFN_BIAS },
    };
    afn_value x;
    afn_graph *g = new_graph(&x);
    afn_enter(g, "block.%d", 0);
    x = afn_conv2d(g, x, "conv",
                   (afn_conv){ .oc = 4, .k = 3, .groups = 2, .bias = true });
    x = afn_batch_norm(g, x, "bn", (afn_bn){ 0 });
    afn_leave(g);
    x = afn_mean_hw(g, x);
    x = afn_linear(g, x, "fc", 5);
    assert_ok(afn_graph_finish(g, x));

    assert_int_equal(afn_graph_n_params(g), AFN_COUNT(want));
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        const afn_param *p = afn_graph_param(g, i);
        char text[64];
        assert_string_equal(p->name, want[i].name);
        assert_string_equal(afn_shape_text(&p->shape, text, sizeof text),
                            want[i].shape);
        assert_int_equal(p->dtype, want[i].dtype);
        assert_int_equal(p->buffer, want[i].buffer);
        assert_int_equal(p->slot, want[i].slot);
        assert_int_equal(afn_graph_node(g, p->node)->param[p->slot], i);
        assert_int_equal(afn_graph_find_param(g, p->name), i);
    }
    assert_int_equal(afn_graph_find_param(g, "fc.weigh"), -1);
    afn_graph_free(g);
}

static void a_layer_may_override_the_rule_of_the_graph(void **state)
{
    (void)state;
    static const afn_init own = { .rule = AFN_INIT_NORMAL, .std = 0.25f };
    afn_value x;
    afn_graph *g = new_graph(&x);
    afn_set_conv_init(g, (afn_init){ .rule = AFN_INIT_KAIMING_NORMAL });
    afn_set_linear_init(g, (afn_init){ .rule = AFN_INIT_NORMAL, .std = 0.5f });
    x = afn_conv2d(g, x, "a", (afn_conv){ .oc = 4, .k = 3, .bias = true });
    x = afn_conv2d(g, x, "b", (afn_conv){ .oc = 4, .k = 3, .init = &own });
    x = afn_mean_hw(g, x);
    x = afn_linear(g, x, "c", 5);
    const int a = afn_graph_find_param(g, "a.weight");
    const int a_bias = afn_graph_find_param(g, "a.bias");
    const int b = afn_graph_find_param(g, "b.weight");
    const int c = afn_graph_find_param(g, "c.weight");
    assert_int_equal(afn_graph_param(g, a)->init.rule, AFN_INIT_KAIMING_NORMAL);
    assert_int_equal(afn_graph_param(g, a_bias)->init.rule, AFN_INIT_ZEROS);
    assert_true(afn_graph_param(g, b)->init.std == 0.25f);
    assert_true(afn_graph_param(g, c)->init.std == 0.5f);
    afn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_fields_of_a_convolution_mean_pytorchs_defaults),
        cmocka_unit_test(directed_fields_override_the_common_ones),
        cmocka_unit_test(a_pool_strides_by_its_window),
        cmocka_unit_test(batch_norm_has_pytorchs_numbers_unless_told),
        cmocka_unit_test(parameters_are_listed_as_in_a_state_dict),
        cmocka_unit_test(a_layer_may_override_the_rule_of_the_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
