/* SPDX-License-Identifier: Apache-2.0 */
/* Groups found by the index are those that comparing every pair gives. */
#include "afn_test.h"

#include "data/look.h"

enum { N = 1500 };

static afn_look look[N];
static int64_t group[N], want[N];

/* Looks around a few centres: up to 14 bits turned, so that some are alike. */
static void draw(uint64_t seed, int centres)
{
    afn_rng rng = afn_rng_new(seed, afn_rng_stream(AFN_RNG_TEST, 1, 0));
    uint64_t centre[64];
    for (int c = 0; c < centres; c++)
        centre[c] = ((uint64_t)afn_rng_u32(&rng) << 32 | afn_rng_u32(&rng)) >> 1;
    for (int i = 0; i < N; i++) {
        const int bits = (int)afn_rng_below(&rng, 15);
        look[i] = (afn_look){ .hash = centre[afn_rng_below(&rng, centres)],
                              .usable = afn_rng_below(&rng, 10) > 0 };
        for (int b = 0; b < bits; b++)
            look[i].hash ^= (uint64_t)1 << afn_rng_below(&rng, 63);
        for (int k = 0; k < AFN_LOOK_SIDE * AFN_LOOK_SIDE; k++)
            look[i].gray[k] = (uint8_t)(k / 2 + (int)afn_rng_below(&rng, 40));
    }
}

static void compare_all(void)
{
    for (int64_t i = 0; i < N; i++) want[i] = i;
    for (int64_t i = 0; i < N; i++)
        for (int64_t k = 0; k < i; k++)
            if (afn_data__alike(&look[i], &look[k])) afn_data__join_sets(want, i, k);
    for (int64_t i = 0; i < N; i++) want[i] = afn_data__set_of(want, i);
}

static void groups_are_those_of_comparing_every_pair(void **state)
{
    (void)state;
    static const int centres[] = { 1, 5, 60 };
    for (size_t c = 0; c < AFN_COUNT(centres); c++) {
        int64_t grouped = 0;
        draw(c, centres[c]);
        compare_all();
        assert_ok(afn_data__group_alike(group, look, N));
        for (int64_t i = 0; i < N; i++) {
            assert_int_equal(want[i], group[i]);
            assert_true(group[i] <= i);
            grouped += group[i] != i;
        }
        assert_true(grouped > 100 && grouped < N);
    }
}

static void many_copies_of_one_picture_take_no_time(void **state)
{
    (void)state;
    enum { COPIES = 100000 };
    afn_look *all = afn_alloc_array(COPIES, sizeof *all);
    int64_t *set = afn_alloc_array(COPIES, sizeof *set);
    assert_true(all && set);
    draw(7, 1);
    look[0].usable = true;
    for (int i = 0; i < COPIES; i++) all[i] = look[0];
    const double start = afn_now_s();
    assert_ok(afn_data__group_alike(set, all, COPIES));
    assert_true(afn_now_s() - start < 20); /* 0.1 s; 5e9 comparisons take minutes */
    for (int i = 0; i < COPIES; i++) assert_int_equal(0, set[i]);
    afn_free(all);
    afn_free(set);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (int64_t k = 1; k <= 5; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_data__group_alike(group, look, 10);
        afn_alloc_fail_at(0);
        assert_int_equal(k <= 4 ? AFN_ENOMEM : AFN_OK, st);
    }
    assert_ok(afn_data__group_alike(group, look, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_those_of_comparing_every_pair),
        cmocka_unit_test(many_copies_of_one_picture_take_no_time),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
