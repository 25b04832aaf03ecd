/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/engine/ref/ref_batch_norm.c. */
#include "step_case.h"

static void norm_case(step_case *c, afn_graph *g, bool batch_stats)
{
    const afn_value x = afn_input(g);
    case_new(c, g, afn_batch_norm(g, x, "bn", (afn_bn){ .eps = 1, .momentum = 0.25f }));
    c->step.batch_stats = batch_stats;
}

static void set_all(step_case *c)
{
    set_param(c, AFN_WEIGHT, V(2));
    set_param(c, AFN_BIAS, V(1));
    set_param(c, AFN_RUNNING_MEAN, V(4));
    set_param(c, AFN_RUNNING_VAR, V(8));
}

static void running_statistics_normalise_and_stay(void **state)
{
    (void)state;
    step_case c;
    norm_case(&c, new_graph(1, 1, 2), false);
    case_prepare(&c, 2);
    set_all(&c);
    const float *x = V(1, 4, 7, 10);
    case_forward(&c, x, NULL);
    EXPECT(c.out, -1, 1, 3, 5);
    EXPECT(blob_of(&c, AFN_RUNNING_MEAN)->value, 4);
    EXPECT(blob_of(&c, AFN_RUNNING_VAR)->value, 8);
    case_backward(&c, x, V(3, 6, 9, 12));
    EXPECT(c.din[0], 2, 4, 6, 8);
    EXPECT(blob_of(&c, AFN_WEIGHT)->grad, -3 + 9 + 24);
    EXPECT(blob_of(&c, AFN_BIAS)->grad, 30);
    case_free(&c);
}

static void batch_statistics_normalise_with_the_biased_variance(void **state)
{
    (void)state;
    step_case c;
    norm_case(&c, new_graph(1, 1, 2), true);
    case_prepare(&c, 2);
    set_all(&c);
    const float *x = V(1, 1, 5, 5); /* mean 3, variance 4 */
    const float s = 1 / sqrtf(5);
    case_forward(&c, x, NULL);
    EXPECT(c.out, 1 - 4 * s, 1 - 4 * s, 1 + 4 * s, 1 + 4 * s);
    EXPECT(blob_of(&c, AFN_RUNNING_MEAN)->value, 0.75f * 4 + 0.25f * 3);
    EXPECT(blob_of(&c, AFN_RUNNING_VAR)->value, 0.75f * 8 + 0.25f * 16 / 3);
    case_free(&c);
}

static void batch_statistics_take_part_in_the_gradient(void **state)
{
    (void)state;
    step_case c;
    norm_case(&c, new_graph(1, 1, 2), true);
    case_prepare(&c, 2);
    set_all(&c);
    const float *x = V(1, 1, 5, 5);
    const float s = 1 / sqrtf(5);
    case_forward(&c, x, NULL);
    case_backward(&c, x, V(4, 0, 0, 0));
    /* sum(dy)/m = 1, z = -+2s, sum(dy*z)/m = -2s */
    const float low = 2 * s * (4 - 1 - 4 * s * s), other = 2 * s * (-1 - 4 * s * s);
    const float high = 2 * s * (-1 + 4 * s * s);
    EXPECT(c.din[0], low, other, high, high);
    EXPECT(blob_of(&c, AFN_WEIGHT)->grad, -8 * s);
    EXPECT(blob_of(&c, AFN_BIAS)->grad, 4);
    case_free(&c);
}

static void one_value_per_channel_cannot_make_statistics(void **state)
{
    (void)state;
    step_case c;
    norm_case(&c, new_graph(3, 1, 1), true);
    assert_fails(AFN_ESHAPE, "one value per channel", case_try_prepare(&c, 1));
    assert_null(c.kernel.state);
    case_free(&c);
    norm_case(&c, new_graph(3, 1, 1), false);
    case_prepare(&c, 1);
    case_free(&c);
}

static void the_bias_trains_alone_without_the_input(void **state)
{
    (void)state;
    step_case c;
    norm_case(&c, new_graph(1, 1, 2), false);
    c.step.grad_param[AFN_WEIGHT] = false;
    case_prepare(&c, 2);
    set_all(&c);
    assert_false(c.kernel.keep_input);
    case_backward(&c, NULL, V(3, 6, 9, 12));
    EXPECT(c.din[0], 2, 4, 6, 8);
    EXPECT(blob_of(&c, AFN_BIAS)->grad, 30);
    case_free(&c);
}

static void nothing_is_kept_for_inference(void **state)
{
    (void)state;
    step_case c;
    norm_case(&c, new_graph(1, 1, 2), false);
    c.step.train = false;
    case_prepare(&c, 2);
    assert_int_equal(c.kernel.keep_bytes, 0);
    assert_false(c.kernel.keep_input);
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_statistics_normalise_and_stay),
        cmocka_unit_test(batch_statistics_normalise_with_the_biased_variance),
        cmocka_unit_test(batch_statistics_take_part_in_the_gradient),
        cmocka_unit_test(one_value_per_channel_cannot_make_statistics),
        cmocka_unit_test(the_bias_trains_alone_without_the_input),
        cmocka_unit_test(nothing_is_kept_for_inference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
