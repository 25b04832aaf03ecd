/* SPDX-License-Identifier: Apache-2.0 */
/* The shape rules.  The tables of output lengths are what PyTorch 1.13 answers to
 * max_pool2d and conv2d of these sizes, 0 where it raises. */
#include "afn_test.h"
#include "graph/graph.h"

static void pool_lengths_are_pytorchs(void **state)
{
    (void)state;
    static const struct {
        int in, k, stride, pad, floor, ceil;
    } row[] = {
        { 2, 3, 2, 0, 0, 1 }, { 3, 3, 2, 0, 1, 1 },     { 4, 3, 2, 0, 1, 2 },
        { 8, 3, 2, 0, 3, 4 }, { 9, 3, 2, 0, 4, 4 },     { 13, 3, 2, 0, 6, 6 },
        { 5, 2, 2, 1, 3, 3 }, { 112, 3, 2, 1, 56, 57 }, { 6, 2, 2, 1, 4, 4 },
        { 7, 3, 3, 1, 3, 3 }, { 113, 3, 2, 1, 57, 57 }, { 3, 2, 3, 1, 2, 2 },
        { 4, 2, 3, 1, 2, 2 }, { 1, 3, 2, 1, 1, 1 },     { 1, 2, 2, 0, 0, 1 },
        { 1, 3, 2, 0, 0, 0 }, { 10, 4, 3, 2, 4, 4 },    { 11, 5, 4, 2, 3, 4 },
        { 6, 3, 4, 1, 2, 2 }, { 2, 1, 3, 0, 1, 1 },     { 3, 1, 3, 0, 1, 1 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        assert_int_equal(
            afn_pool_out(row[i].in, row[i].k, row[i].stride, row[i].pad, false),
            row[i].floor);
        assert_int_equal(
            afn_pool_out(row[i].in, row[i].k, row[i].stride, row[i].pad, true),
            row[i].ceil);
    }
}

static void conv_lengths_are_pytorchs(void **state)
{
    (void)state;
    static const struct {
        int in, k, stride, pad, dilation, out;
    } row[] = {
        { 224, 7, 2, 3, 1, 112 }, { 7, 3, 1, 1, 1, 7 }, { 7, 3, 2, 1, 1, 4 },
        { 8, 3, 2, 0, 1, 3 },     { 2, 3, 1, 0, 1, 0 }, { 1, 3, 2, 1, 1, 1 },
        { 9, 3, 1, 2, 2, 9 },     { 9, 3, 2, 0, 4, 1 }, { 8, 3, 1, 0, 4, 0 },
        { 5, 1, 2, 0, 1, 3 },     { 6, 1, 4, 0, 1, 2 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_int_equal(afn_conv_out(row[i].in, row[i].k, row[i].stride, row[i].pad,
                                      row[i].dilation),
                         row[i].out);
}

/* A graph of (6,8,10) inputs. */
static afn_graph *graph_of_6_8_10(afn_value *x)
{
    afn_graph *g;
    assert_ok(afn_graph_new(&g, 6, 8, 10));
    *x = afn_input(g);
    return g;
}

static void assert_shape(const afn_graph *g, afn_value v, afn_shape want)
{
    char got[64], expected[64];
    assert_true(v >= 0);
    assert_string_equal(afn_shape_text(&afn_graph_node(g, v)->shape, got, sizeof got),
                        afn_shape_text(&want, expected, sizeof expected));
}

static void each_op_has_its_shape(void **state)
{
    (void)state;
    afn_value x;
    afn_graph *g = graph_of_6_8_10(&x);
    const afn_value conv = afn_conv2d(
        g, x, "c", (afn_conv){ .oc = 4, .kh = 1, .kw = 7, .pw = 3, .stride = 2 });
    const afn_value norm = afn_batch_norm(g, x, "b", (afn_bn){ 0 });
    const afn_value max = afn_max_pool(g, x, (afn_pool){ .k = 3, .stride = 2 });
    const afn_value avg = afn_avg_pool(g, x, (afn_pool){ .k = 2 });
    const afn_value adaptive = afn_adaptive_avg_pool(g, x, 7, 3);
    const afn_value mean = afn_mean_hw(g, x);
    const afn_value flat = afn_flatten(g, x);
    const afn_value linear = afn_linear(g, flat, "l", 5);
    const afn_value relu6 = afn_activation(g, linear, AFN_ACT_RELU6);
    const afn_value dropout = afn_dropout(g, x, 0.5f);
    const afn_value sum = afn_add(g, x, norm);
    const afn_value joined = afn_concat(g, 3, (afn_value[]){ x, norm, x });
    assert_shape(g, x, AFN_SHAPE(6, 8, 10));
    assert_shape(g, conv, AFN_SHAPE(4, 4, 5));
    assert_shape(g, norm, AFN_SHAPE(6, 8, 10));
    assert_shape(g, max, AFN_SHAPE(6, 3, 4));
    assert_shape(g, avg, AFN_SHAPE(6, 4, 5));
    assert_shape(g, adaptive, AFN_SHAPE(6, 7, 3));
    assert_shape(g, mean, AFN_SHAPE(6));
    assert_shape(g, flat, AFN_SHAPE(480));
    assert_shape(g, linear, AFN_SHAPE(5));
    assert_shape(g, relu6, AFN_SHAPE(5));
    assert_shape(g, dropout, AFN_SHAPE(6, 8, 10));
    assert_shape(g, sum, AFN_SHAPE(6, 8, 10));
    assert_shape(g, joined, AFN_SHAPE(18, 8, 10));
    assert_ok(afn_graph_finish(g, linear));
    afn_graph_free(g);
}

static void newer_ops_have_their_shapes(void **state)
{
    (void)state;
    afn_value x;
    afn_graph *g = graph_of_6_8_10(&x);
    const afn_declared param = afn_declare_scale(g, "scale", 6, 1);
    const afn_value mean = afn_adaptive_avg_pool(g, x, 1, 1);
    const afn_value scaled = afn_scale(g, x, mean);
    const afn_value norm = afn_layer_norm(g, x, "n", 1e-6f);
    const afn_value layer = afn_layer_scale(g, x, param);
    const afn_value linear = afn_linear_channels(g, x, "l", 4);
    const afn_value slice = afn_slice(g, x, 2, 3);
    const afn_value shuffled = afn_shuffle(g, x, 3);
    const afn_value depth = afn_stochastic_depth(g, x, 0.2f);
    const afn_value flat = afn_mean_hw(g, x);
    const afn_value vector_norm = afn_layer_norm(g, flat, "v", 1e-6f);
    const afn_value a = afn_linear(g, flat, "a", 7), b = afn_linear(g, flat, "b", 7);
    const afn_value both =
        afn_outputs(g, a, 1, &(afn_aux){ .logits = b, .weight = 0.4f });
    assert_shape(g, scaled, AFN_SHAPE(6, 8, 10));
    assert_shape(g, norm, AFN_SHAPE(6, 8, 10));
    assert_shape(g, layer, AFN_SHAPE(6, 8, 10));
    assert_shape(g, linear, AFN_SHAPE(4, 8, 10));
    assert_shape(g, slice, AFN_SHAPE(3, 8, 10));
    assert_shape(g, shuffled, AFN_SHAPE(6, 8, 10));
    assert_shape(g, depth, AFN_SHAPE(6, 8, 10));
    assert_shape(g, vector_norm, AFN_SHAPE(6));
    assert_shape(g, both, AFN_SHAPE(14));
    assert_ok(afn_graph_finish(g, both));
    assert_int_equal(afn_graph_classes(g), 7);
    assert_string_equal(afn_graph_param(g, 0)->name, "scale");
    assert_int_equal(afn_graph_param(g, 0)->node, layer);
    assert_true(afn_graph_node(g, a)->main);
    assert_false(afn_graph_node(g, b)->main);
    afn_graph_free(g);
}

/* One wrong layer on x (6,8,10). */
typedef afn_value (*wrong_fn)(afn_graph *g, afn_value x);

static afn_value groups_do_not_divide(afn_graph *g, afn_value x)
{
    return afn_conv2d(g, x, "c", (afn_conv){ .oc = 8, .k = 1, .groups = 4 });
}
static afn_value window_too_large(afn_graph *g, afn_value x)
{
    return afn_conv2d(g, x, "c", (afn_conv){ .oc = 8, .k = 9 });
}
static afn_value conv_of_vector(afn_graph *g, afn_value x)
{
    x = afn_flatten(g, x);
    return afn_conv2d(g, x, "c", (afn_conv){ .oc = 8, .k = 1 });
}
static afn_value conv_without_window(afn_graph *g, afn_value x)
{
    return afn_conv2d(g, x, "c", (afn_conv){ .oc = 8 });
}
static afn_value conv_to_nothing(afn_graph *g, afn_value x)
{
    return afn_conv2d(g, x, "c", (afn_conv){ .k = 1 });
}
static afn_value conv_negative_stride(afn_graph *g, afn_value x)
{
    return afn_conv2d(g, x, "c", (afn_conv){ .oc = 8, .k = 1, .stride = -1 });
}
static afn_value conv_negative_pad(afn_graph *g, afn_value x)
{
    return afn_conv2d(g, x, "c", (afn_conv){ .oc = 8, .k = 1, .pad = -1 });
}
static afn_value conv_too_large(afn_graph *g, afn_value x)
{
    return afn_conv2d(
        g, x, "c",
        (afn_conv){ .oc = INT32_MAX, .k = INT32_MAX / 4, .pad = INT32_MAX / 2 });
}
static afn_value linear_of_image(afn_graph *g, afn_value x)
{
    return afn_linear(g, x, "l", 5);
}
static afn_value linear_to_nothing(afn_graph *g, afn_value x)
{
    x = afn_flatten(g, x);
    return afn_linear(g, x, "l", 0);
}
static afn_value norm_of_vector(afn_graph *g, afn_value x)
{
    x = afn_flatten(g, x);
    return afn_batch_norm(g, x, "b", (afn_bn){ 0 });
}
static afn_value pool_too_large(afn_graph *g, afn_value x)
{
    return afn_max_pool(g, x, (afn_pool){ .k = 9 });
}
static afn_value pool_without_window(afn_graph *g, afn_value x)
{
    return afn_avg_pool(g, x, (afn_pool){ .stride = 1 });
}
static afn_value pool_mostly_padding(afn_graph *g, afn_value x)
{
    return afn_max_pool(g, x, (afn_pool){ .k = 3, .pad = 2 });
}
static afn_value adaptive_to_nothing(afn_graph *g, afn_value x)
{
    return afn_adaptive_avg_pool(g, x, 0, 1);
}
static afn_value dropout_of_more_than_all(afn_graph *g, afn_value x)
{
    return afn_dropout(g, x, 1.5f);
}
static afn_value add_of_two_shapes(afn_graph *g, afn_value x)
{
    const afn_value half = afn_max_pool(g, x, (afn_pool){ .k = 2 });
    return afn_add(g, x, half);
}
static afn_value concat_of_two_sizes(afn_graph *g, afn_value x)
{
    const afn_value half = afn_max_pool(g, x, (afn_pool){ .k = 2 });
    return afn_concat(g, 2, (afn_value[]){ x, half });
}
static afn_value concat_of_none(afn_graph *g, afn_value x)
{
    return afn_concat(g, 0, &x);
}
static afn_value scale_by_a_plane(afn_graph *g, afn_value x)
{
    return afn_scale(g, x, x);
}
static afn_value layer_norm_without_eps(afn_graph *g, afn_value x)
{
    return afn_layer_norm(g, x, "n", 0);
}
static afn_value layer_scale_of_others(afn_graph *g, afn_value x)
{
    const afn_declared p = afn_declare_scale(g, "s", 5, 1);
    return afn_layer_scale(g, x, p);
}
static afn_value param_without_a_layer(afn_graph *g, afn_value x)
{
    afn_declare_scale(g, "s", 6, 1);
    return x;
}
static afn_value slice_past_the_end(afn_graph *g, afn_value x)
{
    return afn_slice(g, x, 4, 3);
}
static afn_value shuffle_of_a_rest(afn_graph *g, afn_value x)
{
    return afn_shuffle(g, x, 4);
}
static afn_value depth_of_more_than_all(afn_graph *g, afn_value x)
{
    return afn_stochastic_depth(g, x, 1.5f);
}
static afn_value outputs_of_two_widths(afn_graph *g, afn_value x)
{
    const afn_value flat = afn_mean_hw(g, x);
    const afn_value a = afn_linear(g, flat, "a", 7), b = afn_linear(g, flat, "b", 8);
    return afn_outputs(g, a, 1, &(afn_aux){ .logits = b, .weight = 0.4f });
}
static afn_value unknown_value(afn_graph *g, afn_value x)
{
    return afn_relu(g, x + 1);
}

static void wrong_layers_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        wrong_fn wrong;
        afn_status status;
        const char *text;
    } row[] = {
        { groups_do_not_divide, AFN_ESHAPE, "c: input (6,8,10), expected channels" },
        { window_too_large, AFN_ESHAPE, "c: input (6,8,10) is smaller" },
        { conv_of_vector, AFN_ESHAPE, "c: input (480), expected (C,H,W)" },
        { conv_without_window, AFN_EINVAL, "c: window below 1" },
        { conv_to_nothing, AFN_EINVAL, "c: output channels below 1" },
        { conv_negative_stride, AFN_EINVAL, "c: stride" },
        { conv_negative_pad, AFN_EINVAL, "c: padding" },
        { conv_too_large, AFN_EINVAL, "too large" },
        { linear_of_image, AFN_ESHAPE, "l: input (6,8,10), expected (C)" },
        { linear_to_nothing, AFN_EINVAL, "l: output width" },
        { norm_of_vector, AFN_ESHAPE, "b: input (480)" },
        { pool_too_large, AFN_ESHAPE, "max_pool: input (6,8,10) is smaller" },
        { pool_without_window, AFN_EINVAL, "avg_pool: window" },
        { pool_mostly_padding, AFN_EINVAL, "max_pool: padding" },
        { adaptive_to_nothing, AFN_EINVAL, "adaptive_avg_pool: output size" },
        { dropout_of_more_than_all, AFN_EINVAL, "dropout: probability" },
        { add_of_two_shapes, AFN_ESHAPE, "add: input (6,4,5), expected (6,8,10)" },
        { concat_of_two_sizes, AFN_ESHAPE, "concat: input (6,4,5)" },
        { concat_of_none, AFN_EINVAL, "concat: no inputs" },
        { scale_by_a_plane, AFN_ESHAPE, "scale: input (6,8,10), expected (C,1,1)" },
        { layer_norm_without_eps, AFN_EINVAL, "n: eps" },
        { layer_scale_of_others, AFN_ESHAPE, "s: of other channels" },
        { param_without_a_layer, AFN_EINVAL, "s: no layer reads it" },
        { slice_past_the_end, AFN_ESHAPE, "slice: input (6,8,10)" },
        { shuffle_of_a_rest, AFN_ESHAPE, "shuffle: input (6,8,10)" },
        { depth_of_more_than_all, AFN_EINVAL, "stochastic_depth: probability" },
        { outputs_of_two_widths, AFN_ESHAPE, "outputs: input (8), expected (7)" },
        { unknown_value, AFN_EINVAL, "activation: input 0 is no value" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_value x;
        afn_graph *g = graph_of_6_8_10(&x);
        const afn_value y = row[i].wrong(g, x);
        assert_fails(row[i].status, row[i].text, afn_graph_finish(g, y));
        afn_graph_free(g);
    }
}

static void ops_and_activations_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < AFN_N_OPS; i++)
        assert_string_not_equal(afn_op_name((afn_op)i), "unknown");
    for (int i = 0; i < AFN_N_ACTS; i++)
        assert_string_not_equal(afn_act_name((afn_act)i), "unknown");
    assert_string_equal(afn_op_name(AFN_N_OPS), "unknown");
    assert_string_equal(afn_act_name(AFN_N_ACTS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_lengths_are_pytorchs),
        cmocka_unit_test(conv_lengths_are_pytorchs),
        cmocka_unit_test(each_op_has_its_shape),
        cmocka_unit_test(newer_ops_have_their_shapes),
        cmocka_unit_test(wrong_layers_are_refused_by_name),
        cmocka_unit_test(ops_and_activations_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
