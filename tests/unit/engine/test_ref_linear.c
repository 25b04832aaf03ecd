/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/engine/ref/ref_linear.c. */
#include "step_case.h"

static void a_linear_layer_matches_its_formulas(void **state)
{
    (void)state;
    step_case c;
    afn_graph *g = new_graph(3, 1, 1);
    const afn_value x = afn_input(g);
    const afn_value flat = afn_flatten(g, x);
    case_new(&c, g, afn_linear(g, flat, "fc", 2));
    case_prepare(&c, 2);
    set_param(&c, AFN_WEIGHT, V(1, 2, 3, 10, 20, 30));
    set_param(&c, AFN_BIAS, V(0.5f, -0.5f));
    const float *in = V(1, 2, 3, 4, 5, 6);
    case_forward(&c, in, NULL);
    EXPECT(c.out, 14.5f, 139.5f, 32.5f, 319.5f);
    case_backward(&c, in, V(1, 2, 3, 4));
    EXPECT(c.din[0], 21, 42, 63, 43, 86, 129);
    EXPECT(blob_of(&c, AFN_WEIGHT)->grad, 13, 17, 21, 18, 24, 30);
    EXPECT(blob_of(&c, AFN_BIAS)->grad, 4, 6);
    case_free(&c);
}

static void inputs_longer_than_a_block_are_all_reached(void **state)
{
    (void)state;
    enum { LONG = 700 };
    step_case c;
    afn_graph *g = new_graph(LONG, 1, 1);
    const afn_value x = afn_input(g);
    const afn_value flat = afn_flatten(g, x);
    case_new(&c, g, afn_linear(g, flat, "fc", 1));
    case_prepare(&c, 1);
    float in[LONG] = { 0 };
    for (int i = 0; i < LONG; i++) blob_of(&c, AFN_WEIGHT)->value[i] = (float)i;
    case_backward(&c, in, V(2));
    for (int i = 0; i < LONG; i++) EXPECT(&c.din[0][i], 2 * (float)i);
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_layer_matches_its_formulas),
        cmocka_unit_test(inputs_longer_than_a_block_are_all_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
