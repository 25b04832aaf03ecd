/* SPDX-License-Identifier: Apache-2.0 */
/* The order of an epoch. */
#include "afn_test.h"

#include "data/data.h"

enum { N = 1000 };

static void order(int64_t *v, uint64_t seed, int64_t epoch)
{
    memset(v, 0xff, N * sizeof *v);
    afn_data__epoch_order(v, N, seed, epoch);
}

static void an_order_names_every_sample_once(void **state)
{
    (void)state;
    int64_t v[N];
    bool seen[N] = { false };
    order(v, 0, 0);
    for (int i = 0; i < N; i++) {
        assert_in_range(v[i], 0, N - 1);
        assert_false(seen[v[i]]);
        seen[v[i]] = true;
    }
}

static void an_order_depends_on_seed_and_epoch(void **state)
{
    (void)state;
    int64_t v[N], same[N], other[N];
    order(v, 1, 2);
    order(same, 1, 2);
    assert_memory_equal(v, same, sizeof v);
    order(other, 2, 2);
    assert_memory_not_equal(v, other, sizeof v);
    order(other, 1, 3);
    assert_memory_not_equal(v, other, sizeof v);
    order(other, 1, AFN_MAX_EPOCHS - 1);
    assert_memory_not_equal(v, other, sizeof v);
}

/* Of 3 samples each of the 6 orders comes equally often. */
static void orders_are_fair(void **state)
{
    (void)state;
    int n[27] = { 0 };
    for (int64_t epoch = 0; epoch < 6000; epoch++) {
        int64_t v[3];
        afn_data__epoch_order(v, 3, 7, epoch);
        n[v[0] * 9 + v[1] * 3 + v[2]]++;
    }
    static const int permutation[] = { 5, 7, 11, 15, 19, 21 }; /* digits 012 021 ... */
    for (size_t i = 0; i < AFN_COUNT(permutation); i++)
        assert_in_range(n[permutation[i]], 850, 1150); /* 5 deviations */
}

static void one_sample_and_none_are_orders_too(void **state)
{
    (void)state;
    int64_t v[1] = { 9 };
    afn_data__epoch_order(v, 0, 0, 0);
    assert_int_equal(9, v[0]);
    afn_data__epoch_order(v, 1, 0, 0);
    assert_int_equal(0, v[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_names_every_sample_once),
        cmocka_unit_test(an_order_depends_on_seed_and_epoch),
        cmocka_unit_test(orders_are_fair),
        cmocka_unit_test(one_sample_and_none_are_orders_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
