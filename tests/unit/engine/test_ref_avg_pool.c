/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/engine/ref/ref_avg_pool.c. */
#include "step_case.h"

static const float ramp[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void pool_case(step_case *c, int h, int w, afn_pool p)
{
    afn_graph *g = new_graph(1, h, w);
    const afn_value x = afn_input(g);
    case_new(c, g, afn_avg_pool(g, x, p));
    case_prepare(c, 1);
}

static void padding_counts_in_the_divisor(void **state)
{
    (void)state;
    step_case c;
    pool_case(&c, 3, 3, (afn_pool){ .k = 2, .pad = 1 });
    case_forward(&c, ramp, NULL);
    EXPECT(c.out, 0.25f, 1.25f, 2.75f, 7);
    case_backward(&c, NULL, V(4, 8, 12, 16));
    EXPECT(c.din[0], 1, 2, 2, 3, 4, 4, 3, 4, 4);
    case_free(&c);
}

static void padding_can_be_excluded(void **state)
{
    (void)state;
    step_case c;
    pool_case(&c, 3, 3, (afn_pool){ .k = 2, .pad = 1, .exclude_pad = true });
    case_forward(&c, ramp, NULL);
    EXPECT(c.out, 1, 2.5f, 5.5f, 7);
    case_backward(&c, NULL, V(4, 8, 12, 16));
    EXPECT(c.din[0], 4, 4, 4, 6, 4, 4, 6, 4, 4);
    case_free(&c);
}

static void what_ceil_mode_hangs_over_never_counts(void **state)
{
    (void)state;
    step_case c;
    pool_case(&c, 3, 3, (afn_pool){ .k = 2, .ceil = true });
    case_forward(&c, ramp, NULL);
    EXPECT(c.out, 3, 4.5f, 7.5f, 9);
    case_free(&c);
}

static void adaptive_case(step_case *c, int in, int out)
{
    afn_graph *g = new_graph(1, 1, in);
    const afn_value x = afn_input(g);
    case_new(c, g, afn_adaptive_avg_pool(g, x, 1, out));
    case_prepare(c, 1);
}

static void adaptive_windows_overlap_where_lengths_do_not_divide(void **state)
{
    (void)state;
    step_case c;
    adaptive_case(&c, 5, 3); /* [0,2) [1,4) [3,5) */
    case_forward(&c, V(1, 2, 3, 4, 5), NULL);
    EXPECT(c.out, 1.5f, 3, 4.5f);
    case_backward(&c, NULL, V(2, 3, 4));
    EXPECT(c.din[0], 1, 2, 1, 3, 2);
    case_free(&c);
}

static void adaptive_pooling_can_enlarge(void **state)
{
    (void)state;
    step_case c;
    adaptive_case(&c, 2, 3); /* [0,1) [0,2) [1,2) */
    case_forward(&c, V(1, 3), NULL);
    EXPECT(c.out, 1, 2, 3);
    case_backward(&c, NULL, V(1, 1, 1));
    EXPECT(c.din[0], 1.5f, 1.5f);
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_counts_in_the_divisor),
        cmocka_unit_test(padding_can_be_excluded),
        cmocka_unit_test(what_ceil_mode_hangs_over_never_counts),
        cmocka_unit_test(adaptive_windows_overlap_where_lengths_do_not_divide),
        cmocka_unit_test(adaptive_pooling_can_enlarge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
