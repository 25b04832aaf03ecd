/* SPDX-License-Identifier: Apache-2.0 */
/* The order of an epoch. */
#include "afn_test.h"

#include "data/data.h"
#include "data/dataset.h"

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

/* 900 samples of class 0, 90 of class 1, none of class 2, 10 of class 3. */
static afn_dataset *uneven_set(void)
{
    static const afn_dataset_ops ops = { .kind = "uneven" };
    afn_dataset *d = afn_data__new(&ops, sizeof *d);
    assert_non_null(d);
    d->count = 1000;
    d->n_classes = 4;
    d->label = afn_alloc_array(1000, sizeof(int));
    for (int i = 0; i < 1000; i++) d->label[i] = i < 900 ? 0 : i < 990 ? 1 : 3;
    return d;
}

static void a_balanced_epoch_has_as_many_of_each_class(void **state)
{
    (void)state;
    static int64_t order[3][1000];
    static int times[1000];
    int n[4] = { 0 };
    afn_dataset *d = uneven_set();
    const afn_loader_opts o = { .balanced = true, .seed = 3 };
    for (int64_t epoch = 0; epoch < 50; epoch++) {
        assert_ok(afn_epoch_order(order[0], d, &o, epoch));
        for (int i = 0; i < 1000; i++) {
            assert_in_range(order[0][i], 0, 999);
            n[d->label[order[0][i]]]++;
            times[order[0][i]]++;
        }
    }
    assert_int_equal(0, n[2]);
    for (int c = 0; c < 4; c++) /* 50000 / 3, five deviations of 105 */
        if (c != 2) assert_in_range(n[c], 16667 - 527, 16667 + 527);
    for (int i = 0; i < 990; i++) assert_true(times[i] < (i < 900 ? 60 : 300));
    for (int i = 990; i < 1000; i++) assert_in_range(times[i], 1460, 1880);

    assert_ok(afn_epoch_order(order[0], d, &o, 7));
    assert_ok(afn_epoch_order(order[1], d, &o, 7));
    assert_ok(afn_epoch_order(order[2], d, &o, 8));
    assert_memory_equal(order[0], order[1], sizeof order[0]);
    assert_memory_not_equal(order[0], order[2], sizeof order[0]);
    afn_dataset_free(d);
}

static void a_balanced_order_reports_failing_allocations(void **state)
{
    (void)state;
    static int64_t order[1000];
    afn_dataset *d = uneven_set();
    for (int64_t k = 1; k <= 4; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_data__balanced_order(order, d, 0, 0);
        afn_alloc_fail_at(0);
        assert_int_equal(k <= 3 ? AFN_ENOMEM : AFN_OK, st);
    }
    afn_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_names_every_sample_once),
        cmocka_unit_test(an_order_depends_on_seed_and_epoch),
        cmocka_unit_test(orders_are_fair),
        cmocka_unit_test(one_sample_and_none_are_orders_too),
        cmocka_unit_test(a_balanced_epoch_has_as_many_of_each_class),
        cmocka_unit_test(a_balanced_order_reports_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
