/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of weights by Winograd F(2,3) in bf16 against plain loops; the numbers
 * are small whole ones, so that every transform is exact and results must be, too. */
#include "pass_job.h"

static const shape shapes[] = {
    { "one pixel", 1, 1, 1, 1, 1, 3, 3, 1, 1, 1 },
    { "odd rows, odd batch", 3, 20, 7, 5, 70, 3, 3, 1, 1, 1 },
    { "even rows, even batch", 2, 64, 8, 6, 32, 3, 3, 1, 1, 1 },
    { "no padding", 2, 17, 9, 8, 33, 3, 3, 1, 0, 1 },
    { "much padding", 1, 16, 5, 6, 48, 3, 3, 1, 2, 1 },
    { "several chunks", 3, 30, 41, 40, 20, 3, 3, 1, 1, 1 },
    { "several groups of x", 2, 200, 32, 30, 80, 3, 3, 1, 1, 1 },
    { "one row", 5, 8, 1, 30, 9, 3, 3, 1, 1, 1 },
};

static void the_gradient_is_the_sum_over_pixels(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(shapes); i++) {
        job j = { 0 };
        open_job(&j, &shapes[i], 2);
        run_gradient(&j, &cpu_algo_winograd_f2_weights);
        check_dw(&j, &shapes[i]);
        check_db(&j, &shapes[i]);
        close_job(&j);
    }
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    check_threads(&cpu_algo_winograd_f2_weights);
}

static void other_passes_are_left_to_others(void **state)
{
    (void)state;
    cpu_pass *p;
    job j = { 0 };
    open_job(&j, &shapes[1], 2);
    const dnn_product d = product_of(&j);
    assert_fails(
        AFN_EUNSUPPORTED, "winograd",
        cpu_pass_new(&p, &cpu_algo_winograd_f2_weights, j.device, DNN_FORWARD, &d));
    close_job(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_is_the_sum_over_pixels),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(other_passes_are_left_to_others),
    };
    if (!dnn_has_bf16()) return 77; /* the pass would not run here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
