/* SPDX-License-Identifier: Apache-2.0 */
/* Cross-entropy against torch.nn.functional.cross_entropy (PyTorch 1.13.1). */
#include <math.h>

#include "afn_test.h"
#include "train/loss.h"

static const float logits[] = { 1, 2, 3, 1000, -1000, 0.5f, 0, 0, 0 };
static const int labels[] = { 0, 2, 1 };
static const afn_scored rows = { logits, labels, 3, 3 };

static void loss_and_gradient_are_pytorchs_without_overflow(void **state)
{
    (void)state;
    static const double expected[] = {
        -0.30332315,  0.0815761685, 0.221747011,  0.333333343, 0,
        -0.333333343, 0.111111104,  -0.222222239, 0.111111104
    };
    float d[9];
    assert_float_equal(afn_cross_entropy(&rows, d), 334.335419, 1e-3);
    for (int i = 0; i < 9; i++) assert_float_equal(d[i], expected[i], 1e-7);
    assert_float_equal(afn_cross_entropy(&rows, NULL), 334.335419, 1e-3);
}

static void ranks_count_what_lies_above_and_ties_go_to_the_first(void **state)
{
    (void)state;
    assert_int_equal(afn_rank_of_label(&rows, 0), 2);
    assert_int_equal(afn_rank_of_label(&rows, 1), 1);
    assert_int_equal(afn_rank_of_label(&rows, 2), 1);
    assert_int_equal(afn_best_class(&rows, 0), 2);
    assert_int_equal(afn_best_class(&rows, 1), 0);
    assert_int_equal(afn_best_class(&rows, 2), 0);
}

static void nan_is_never_the_best_and_makes_the_loss_nan(void **state)
{
    (void)state;
    const float x[] = { NAN, 1, 2 };
    const int label[] = { 0 };
    const afn_scored s = { x, label, 1, 3 };
    assert_int_equal(afn_best_class(&s, 0), 2);
    assert_int_equal(afn_rank_of_label(&s, 0), 2);
    assert_true(isnan(afn_cross_entropy(&s, NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_and_gradient_are_pytorchs_without_overflow),
        cmocka_unit_test(ranks_count_what_lies_above_and_ties_go_to_the_first),
        cmocka_unit_test(nan_is_never_the_best_and_makes_the_loss_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
