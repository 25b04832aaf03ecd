/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions timed alone. */
#include "profile_net.h"

static double alone(const char *trained)
{
    small_net n = open_small(trained, "cpu");
    double seconds = -1;
    assert_ok(afn_plan_convolutions_alone(&seconds, n.plan));
    close_small(&n);
    return seconds;
}

static void every_kind_of_plan_can_be_timed(void **state)
{
    (void)state;
    assert_true(alone("*") > 0);
    assert_true(alone("fc.*") > 0);
    assert_true(alone("") > 0);
}

static void the_plan_works_as_before_afterwards(void **state)
{
    (void)state;
    small_net n = open_small("", "cpu");
    float before[BATCH * OUT], after[BATCH * OUT];
    double seconds;
    assert_ok(afn_plan_forward(n.plan, n.pixels, BATCH, before));
    assert_ok(afn_plan_convolutions_alone(&seconds, n.plan));
    assert_ok(afn_plan_forward(n.plan, n.pixels, BATCH, after));
    assert_memory_equal(before, after, sizeof before);
    close_small(&n);
}

static void the_naive_backend_has_none(void **state)
{
    (void)state;
    small_net n = open_small("", "ref");
    double seconds;
    assert_fails(AFN_EUNSUPPORTED, "backend ref has no convolutions",
                 afn_plan_convolutions_alone(&seconds, n.plan));
    close_small(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_plan_can_be_timed),
        cmocka_unit_test(the_plan_works_as_before_afterwards),
        cmocka_unit_test(the_naive_backend_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
