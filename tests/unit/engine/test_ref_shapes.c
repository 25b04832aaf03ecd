/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the operators that only move values: input, flatten, add, concat. */
#include "step_case.h"

static void pixels_become_planes_through_the_table(void **state)
{
    (void)state;
    step_case c;
    afn_graph *g = new_graph(3, 1, 2);
    case_new(&c, g, afn_input(g));
    case_prepare(&c, 1);
    float table[3 * 256] = { 0 };
    for (int i = 0; i < 3 * 256; i++) table[i] = (float)i;
    c.args.pixel_table = table;
    c.args.pixels = (const uint8_t[]){ 0, 1, 2, 255, 254, 253 };
    case_forward(&c, NULL, NULL);
    EXPECT(c.out, 0, 255, 256 + 1, 256 + 254, 512 + 2, 512 + 253);
    c.args.pixels = NULL;
    c.args.values = V(6, 5, 4, 3, 2, 1);
    case_forward(&c, NULL, NULL);
    EXPECT(c.out, 6, 5, 4, 3, 2, 1);
    case_free(&c);
}

static void flatten_keeps_the_order(void **state)
{
    (void)state;
    step_case c;
    afn_graph *g = new_graph(2, 1, 2);
    const afn_value x = afn_input(g);
    case_new(&c, g, afn_flatten(g, x));
    case_prepare(&c, 1);
    case_forward(&c, V(1, 2, 3, 4), NULL);
    EXPECT(c.out, 1, 2, 3, 4);
    case_backward(&c, NULL, V(5, 6, 7, 8));
    EXPECT(c.din[0], 5, 6, 7, 8);
    case_free(&c);
}

static void both_sides_of_an_addition_get_the_gradient(void **state)
{
    (void)state;
    step_case c;
    afn_graph *g = new_graph(2, 1, 1);
    const afn_value x = afn_input(g);
    const afn_value r = afn_relu(g, x);
    case_new(&c, g, afn_add(g, x, r));
    case_prepare(&c, 1);
    case_forward(&c, V(1, 2), V(10, 20));
    EXPECT(c.out, 11, 22);
    c.accumulate[1] = true;
    c.din[1][0] = 100;
    case_backward(&c, NULL, V(3, 4));
    EXPECT(c.din[0], 3, 4);
    EXPECT(c.din[1], 103, 4);
    case_free(&c);
}

static void concat_interleaves_samples_and_splits_gradients(void **state)
{
    (void)state;
    step_case c;
    afn_graph *g = new_graph(1, 1, 2);
    const afn_value x = afn_input(g);
    const afn_value wide = afn_conv2d(g, x, "c", (afn_conv){ .oc = 2, .k = 1 });
    case_new(&c, g, afn_concat(g, 2, (afn_value[]){ x, wide }));
    c.grad_input[0] = false; /* a gradient may be wanted of some inputs only */
    case_prepare(&c, 2);
    case_forward(&c, V(1, 2, 3, 4), V(10, 20, 30, 40, 50, 60, 70, 80));
    EXPECT(c.out, 1, 2, 10, 20, 30, 40, 3, 4, 50, 60, 70, 80);
    case_backward(&c, NULL, V(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
    EXPECT(c.din[0], 0, 0, 0, 0);
    EXPECT(c.din[1], 3, 4, 5, 6, 9, 10, 11, 12);
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_become_planes_through_the_table),
        cmocka_unit_test(flatten_keeps_the_order),
        cmocka_unit_test(both_sides_of_an_addition_get_the_gradient),
        cmocka_unit_test(concat_interleaves_samples_and_splits_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
