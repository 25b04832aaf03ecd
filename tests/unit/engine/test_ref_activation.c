/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/engine/ref/ref_activation.c. */
#include "step_case.h"

static void act_case(step_case *c, afn_act act, int count)
{
    afn_graph *g = new_graph(count, 1, 1);
    const afn_value x = afn_input(g);
    case_new(c, g, afn_activation(g, x, act));
    case_prepare(c, 1);
}

static void relu_stops_at_zero_and_so_does_its_gradient(void **state)
{
    (void)state;
    step_case c;
    act_case(&c, AFN_ACT_RELU, 4);
    case_forward(&c, V(-1, 0, 2, NAN), NULL);
    EXPECT(c.out, 0, 0, 2, NAN);
    case_backward(&c, NULL, V(1, 1, 1, 1));
    EXPECT(c.din[0], 0, 0, 1, 1);
    case_free(&c);
}

static void relu6_stops_at_six_too(void **state)
{
    (void)state;
    step_case c;
    act_case(&c, AFN_ACT_RELU6, 6);
    case_forward(&c, V(-1, 0, 5, 6, 7, NAN), NULL);
    EXPECT(c.out, 0, 0, 5, 6, 6, NAN);
    case_backward(&c, NULL, V(1, 1, 1, 1, 1, 1));
    EXPECT(c.din[0], 0, 0, 1, 0, 0, 1);
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relu_stops_at_zero_and_so_does_its_gradient),
        cmocka_unit_test(relu6_stops_at_six_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
