/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/engine/ref/ref_conv2d.c on images small enough to check by hand. */
#include "step_case.h"

static const float ramp[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void conv_case(step_case *c, afn_graph *g, afn_conv conv, int64_t n)
{
    const afn_value x = afn_input(g);
    const afn_value y = afn_conv2d(g, x, "c", conv);
    case_new(c, g, y);
    case_prepare(c, n);
}

static void a_kernel_is_not_flipped_and_the_bias_is_added(void **state)
{
    (void)state;
    step_case c;
    conv_case(&c, new_graph(1, 3, 3), (afn_conv){ .oc = 1, .k = 2, .bias = true }, 1);
    set_param(&c, AFN_WEIGHT, V(1, 10, 100, 1000));
    set_param(&c, AFN_BIAS, V(0.5f));
    case_forward(&c, ramp, NULL);
    EXPECT(c.out, 5421.5f, 6532.5f, 8754.5f, 9865.5f);
    case_backward(&c, ramp, V(1, 0, 0, 2));
    EXPECT(c.din[0], 1, 10, 0, 100, 1002, 20, 0, 200, 2000);
    EXPECT(blob_of(&c, AFN_WEIGHT)->grad, 11, 14, 20, 23);
    EXPECT(blob_of(&c, AFN_BIAS)->grad, 3);
    case_free(&c);
}

static void padding_counts_as_zero_even_when_wider_than_the_image(void **state)
{
    (void)state;
    step_case c;
    conv_case(&c, new_graph(1, 1, 1), (afn_conv){ .oc = 1, .k = 1, .pad = 2 }, 1);
    set_param(&c, AFN_WEIGHT, V(3));
    case_forward(&c, V(2), NULL);
    EXPECT(c.out, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           0, 0);
    const float ones[25] = { [12] = 5, [0] = 7 };
    case_backward(&c, V(2), ones);
    EXPECT(c.din[0], 15);
    EXPECT(blob_of(&c, AFN_WEIGHT)->grad, 10);
    case_free(&c);
}

static void stride_and_dilation_choose_the_pixels(void **state)
{
    (void)state;
    step_case c;
    conv_case(&c, new_graph(1, 3, 3),
              (afn_conv){ .oc = 1, .k = 2, .stride = 3, .pad = 1, .dilation = 2 }, 1);
    set_param(&c, AFN_WEIGHT, V(1, 10, 100, 1000));
    case_forward(&c, ramp, NULL);
    EXPECT(c.out, 5000);
    case_backward(&c, ramp, V(2));
    EXPECT(c.din[0], 0, 0, 0, 0, 2000, 0, 0, 0, 0);
    EXPECT(blob_of(&c, AFN_WEIGHT)->grad, 0, 0, 0, 10);
    case_free(&c);
}

static void groups_see_their_own_channels_only(void **state)
{
    (void)state;
    step_case c;
    conv_case(&c, new_graph(4, 1, 1), (afn_conv){ .oc = 2, .k = 1, .groups = 2 }, 2);
    set_param(&c, AFN_WEIGHT, V(1, 10, 100, 1000));
    case_forward(&c, V(1, 2, 3, 4, 5, 6, 7, 8), NULL);
    EXPECT(c.out, 21, 4300, 65, 8700);
    case_backward(&c, V(1, 2, 3, 4, 5, 6, 7, 8), V(1, 2, 3, 4));
    EXPECT(c.din[0], 1, 10, 200, 2000, 3, 30, 400, 4000);
    EXPECT(blob_of(&c, AFN_WEIGHT)->grad, 16, 20, 34, 40);
    case_free(&c);
}

static void the_gradient_of_the_input_adds_where_asked(void **state)
{
    (void)state;
    step_case c;
    conv_case(&c, new_graph(1, 1, 2), (afn_conv){ .oc = 1, .k = 1 }, 1);
    set_param(&c, AFN_WEIGHT, V(3));
    c.din[0][0] = 100;
    case_backward(&c, V(1, 2), V(1, 2));
    EXPECT(c.din[0], 3, 6);
    c.accumulate[0] = true;
    case_backward(&c, V(1, 2), V(1, 2));
    EXPECT(c.din[0], 6, 12);
    case_free(&c);
}

static void frozen_parameters_keep_their_gradient_untouched(void **state)
{
    (void)state;
    step_case c;
    afn_graph *g = new_graph(1, 1, 1);
    const afn_value x = afn_input(g);
    case_new(&c, g, afn_conv2d(g, x, "c", (afn_conv){ .oc = 1, .k = 1, .bias = true }));
    c.step.grad_param[AFN_WEIGHT] = false;
    case_prepare(&c, 1);
    assert_false(c.kernel.keep_input);
    blob_of(&c, AFN_WEIGHT)->grad[0] = 42;
    case_backward(&c, NULL, V(2));
    EXPECT(blob_of(&c, AFN_WEIGHT)->grad, 42);
    EXPECT(blob_of(&c, AFN_BIAS)->grad, 2);
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kernel_is_not_flipped_and_the_bias_is_added),
        cmocka_unit_test(padding_counts_as_zero_even_when_wider_than_the_image),
        cmocka_unit_test(stride_and_dilation_choose_the_pixels),
        cmocka_unit_test(groups_see_their_own_channels_only),
        cmocka_unit_test(the_gradient_of_the_input_adds_where_asked),
        cmocka_unit_test(frozen_parameters_keep_their_gradient_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
