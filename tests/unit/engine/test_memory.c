/* SPDX-License-Identifier: Apache-2.0 */
/* The memory plan: nothing alive at once overlaps, and little is wasted. */
#include "afn_test.h"
#include "engine/plan.h"

static void assert_no_overlap(const afn_interval *v, int n, size_t total)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(v[i].offset % 64, 0);
        assert_true(v[i].offset + v[i].bytes <= total);
        for (int j = 0; j < i; j++) {
            const bool in_time = v[i].first <= v[j].last && v[j].first <= v[i].last;
            const bool in_memory = v[i].offset < v[j].offset + v[j].bytes &&
                                   v[j].offset < v[i].offset + v[i].bytes;
            assert_false(in_time && in_memory);
        }
    }
}

/* The most bytes alive at one moment: no plan can need less. */
static size_t lower_bound(const afn_interval *v, int n, int times)
{
    size_t most = 0;
    for (int t = 0; t < times; t++) {
        size_t alive = 0;
        for (int i = 0; i < n; i++)
            if (v[i].first <= t && t <= v[i].last) alive += v[i].bytes;
        if (alive > most) most = alive;
    }
    return most;
}

static void a_chain_needs_two_buffers(void **state)
{
    (void)state;
    afn_interval v[10];
    size_t total;
    for (int i = 0; i < 10; i++) v[i] = (afn_interval){ 1000, i, i + 1, 0 };
    assert_ok(afn_memory_place(v, 10, &total));
    assert_no_overlap(v, 10, total);
    assert_int_equal(total, 2 * 1024);
}

static void nothing_needs_nothing(void **state)
{
    (void)state;
    size_t total = 1;
    assert_ok(afn_memory_place(NULL, 0, &total));
    assert_int_equal(total, 0);
}

static void random_lives_never_overlap_and_stay_near_the_bound(void **state)
{
    (void)state;
    enum { N = 60, TIMES = 100 };
    for (uint64_t seed = 0; seed < 200; seed++) {
        afn_rng rng = afn_rng_new(seed, afn_rng_stream(AFN_RNG_TEST, 0, 0));
        afn_interval v[N];
        size_t total;
        for (int i = 0; i < N; i++) {
            const int first = (int)afn_rng_below(&rng, TIMES - 10);
            v[i] = (afn_interval){ (size_t)afn_rng_below(&rng, 5000) + 1, first,
                                   first + (int)afn_rng_below(&rng, 10), 0 };
        }
        assert_ok(afn_memory_place(v, N, &total));
        assert_no_overlap(v, N, total);
        assert_true(total <= lower_bound(v, N, TIMES) * 14 / 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_needs_two_buffers),
        cmocka_unit_test(nothing_needs_nothing),
        cmocka_unit_test(random_lives_never_overlap_and_stay_near_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
