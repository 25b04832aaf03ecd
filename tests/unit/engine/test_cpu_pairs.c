/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of weights in bf16 against plain loops: windows, strides, several
 * chunks, joined rows; and the same bits from any number of threads. */
#include "pass_job.h"

static const shape shapes[] = {
    { "one pixel", 1, 1, 1, 1, 1, 1, 1, 1, 0, 1 },
    { "odd rows that are joined", 3, 20, 7, 7, 70, 1, 1, 1, 0, 1 },
    { "rows too long to be joined", 1, 3, 2, 1201, 5, 1, 1, 1, 0, 1 },
    { "several chunks of a sample", 2, 17, 61, 50, 33, 1, 1, 1, 0, 1 },
    { "a last chunk of fewer samples", 5, 16, 13, 22, 16, 3, 3, 1, 1, 1 },
    { "window with chunks of rows", 1, 19, 63, 64, 150, 3, 3, 1, 1, 1 },
    { "strided pixel", 2, 40, 15, 13, 24, 1, 1, 2, 0, 1 },
    { "strided window", 2, 33, 29, 31, 17, 3, 3, 2, 1, 1 },
    { "strided window, many rows", 1, 16, 150, 30, 16, 3, 3, 2, 1, 1 },
    { "stride 3, 5 x 2", 1, 5, 17, 14, 6, 5, 2, 3, 2, 1 },
    { "dilated", 2, 8, 12, 11, 9, 3, 3, 1, 2, 2 },
    { "dilated and strided", 1, 8, 19, 20, 9, 3, 3, 2, 3, 3 },
    { "padding without a window", 1, 4, 5, 5, 4, 1, 1, 1, 2, 1 },
};

static void the_gradient_is_the_sum_over_pixels(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(shapes); i++) {
        job j = { 0 };
        open_job(&j, &shapes[i], 2);
        run_gradient(&j, &cpu_algo_pairs);
        check_dw(&j, &shapes[i]);
        check_db(&j, &shapes[i]);
        close_job(&j);
    }
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    check_threads(&cpu_algo_pairs);
}

static void other_passes_and_groups_are_left_to_others(void **state)
{
    (void)state;
    cpu_pass *p;
    job j = { 0 };
    open_job(&j, &shapes[1], 2);
    dnn_product d = product_of(&j);
    assert_fails(AFN_EUNSUPPORTED, "pairs",
                 cpu_pass_new(&p, &cpu_algo_pairs, j.device, DNN_FORWARD, &d));
    j.conv.groups = 2;
    assert_fails(AFN_EUNSUPPORTED, "pairs",
                 cpu_pass_new(&p, &cpu_algo_pairs, j.device, DNN_BACKWARD_WEIGHTS, &d));
    close_job(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_is_the_sum_over_pixels),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(other_passes_and_groups_are_left_to_others),
    };
    if (!dnn_has_bf16()) return 77; /* the pass would not run here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
