/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"
#include "graph/graph.h"

/* Two branches, a concatenation and a head: every kind of line. */
static afn_graph *sample(void)
{
    afn_graph *g;
    assert_ok(afn_graph_new(&g, 3, 9, 9));
    afn_value x = afn_input(g);
    x = afn_conv_relu(g, x, "stem",
                      (afn_conv){ .oc = 8, .k = 3, .stride = 2, .pad = 1 });
    const afn_value a = afn_conv2d(
        g, x, "a", (afn_conv){ .oc = 8, .k = 3, .pad = 2, .dilation = 2, .groups = 4 });
    x = afn_concat(g, 2, (afn_value[]){ x, a });
    x = afn_max_pool(g, x, (afn_pool){ .k = 2, .ceil = true });
    x = afn_mean_hw(g, x);
    x = afn_dropout(g, x, 0.25f);
    x = afn_linear(g, x, "fc", 10);
    assert_ok(afn_graph_finish(g, x));
    return g;
}

static void a_dump_has_one_line_per_node(void **state)
{
    (void)state;
    afn_graph *g = sample();
    afn_buf out = { 0 };
    afn_graph_dump(g, &out);
    assert_ok(afn_buf_finish(&out));
    assert_string_equal(out.data,
                        "%0 input -> (3,9,9)\n"
                        "%1 conv2d stem 3x3/2 pad 1 <- %0 -> (8,5,5)\n"
                        "%2 activation relu <- %1 -> (8,5,5)\n"
                        "%3 conv2d a 3x3/1 pad 2 dilation 2 groups 4 <- %2 -> (8,5,5)\n"
                        "%4 concat <- %2, %3 -> (16,5,5)\n"
                        "%5 max_pool 2x2/2 pad 0 ceil <- %4 -> (16,3,3)\n"
                        "%6 adaptive_avg_pool <- %5 -> (16,1,1)\n"
                        "%7 flatten <- %6 -> (16)\n"
                        "%8 dropout 0.25 <- %7 -> (16)\n"
                        "%9 linear fc <- %8 -> (10)\n");
    afn_buf_free(&out);
    afn_graph_free(g);
}

static void a_detail_is_what_sets_a_node_apart(void **state)
{
    (void)state;
    afn_graph *g = sample();
    char text[64], cut[8];
    afn_node_detail(afn_graph_node(g, 3), text, sizeof text);
    assert_string_equal(text, "3x3/1 pad 2 dilation 2 groups 4");
    afn_node_detail(afn_graph_node(g, 3), cut, sizeof cut);
    assert_string_equal(cut, "3x3/1 p");
    afn_node_detail(afn_graph_node(g, 4), text, sizeof text);
    assert_string_equal(text, "");
    afn_graph_free(g);
}

static void multiply_accumulates_count_convolutions_and_linear_layers(void **state)
{
    (void)state;
    afn_graph *g = sample();
    const double stem = 25.0 * 8 * 3 * 9, a = 25.0 * 8 * 2 * 9, fc = 160.0;
    assert_true(afn_graph_macs(g) == stem + a + fc);
    afn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_has_one_line_per_node),
        cmocka_unit_test(a_detail_is_what_sets_a_node_apart),
        cmocka_unit_test(multiply_accumulates_count_convolutions_and_linear_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
