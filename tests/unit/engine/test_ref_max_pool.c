/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/engine/ref/ref_max_pool.c. */
#include "step_case.h"

static void pool_case(step_case *c, int h, int w, afn_pool p)
{
    afn_graph *g = new_graph(1, h, w);
    const afn_value x = afn_input(g);
    case_new(c, g, afn_max_pool(g, x, p));
    case_prepare(c, 1);
}

static void padding_never_wins_over_negative_pixels(void **state)
{
    (void)state;
    step_case c;
    pool_case(&c, 2, 2, (afn_pool){ .k = 3, .stride = 2, .pad = 1 });
    case_forward(&c, V(-4, -3, -2, -1), NULL);
    EXPECT(c.out, -1);
    case_backward(&c, NULL, V(5));
    EXPECT(c.din[0], 0, 0, 0, 5);
    case_free(&c);
}

static void of_equal_pixels_the_first_gets_the_gradient(void **state)
{
    (void)state;
    step_case c;
    pool_case(&c, 2, 2, (afn_pool){ .k = 2 });
    case_forward(&c, V(0, 7, 7, 7), NULL);
    EXPECT(c.out, 7);
    case_backward(&c, NULL, V(1));
    EXPECT(c.din[0], 0, 1, 0, 0);
    case_free(&c);
}

static void overlapping_windows_add_their_gradients(void **state)
{
    (void)state;
    step_case c;
    pool_case(&c, 1, 3, (afn_pool){ .k = 3, .stride = 1, .pad = 1 });
    case_forward(&c, V(1, 9, 2), NULL);
    EXPECT(c.out, 9, 9, 9);
    case_backward(&c, NULL, V(1, 10, 100));
    EXPECT(c.din[0], 0, 111, 0);
    case_free(&c);
}

static void ceil_mode_keeps_the_last_partial_window(void **state)
{
    (void)state;
    step_case c;
    pool_case(&c, 5, 5, (afn_pool){ .k = 2, .ceil = true });
    float x[25];
    for (int i = 0; i < 25; i++) x[i] = (float)i;
    case_forward(&c, x, NULL);
    EXPECT(c.out, 6, 8, 9, 16, 18, 19, 21, 23, 24);
    case_free(&c);
}

static void a_nan_is_the_largest(void **state)
{
    (void)state;
    step_case c;
    pool_case(&c, 2, 2, (afn_pool){ .k = 2 });
    case_forward(&c, V(1, NAN, 3, 2), NULL);
    EXPECT(c.out, NAN);
    case_backward(&c, NULL, V(1));
    EXPECT(c.din[0], 0, 1, 0, 0);
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_never_wins_over_negative_pixels),
        cmocka_unit_test(of_equal_pixels_the_first_gets_the_gradient),
        cmocka_unit_test(overlapping_windows_add_their_gradients),
        cmocka_unit_test(ceil_mode_keeps_the_last_partial_window),
        cmocka_unit_test(a_nan_is_the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
