/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"

static void memory_is_zeroed_or_aligned(void **state)
{
    (void)state;
    char *p = afn_alloc(1000);
    for (int i = 0; i < 1000; i++) assert_int_equal(p[i], 0);
    p = afn_realloc(p, 2000);
    assert_non_null(p);
    afn_free(p);
    for (size_t n = 0; n < 200; n += 33) {
        void *a = afn_alloc_aligned(n);
        assert_int_equal((uintptr_t)a % 64, 0);
        afn_free(a);
    }
    afn_free(NULL);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    size_t n = 7;
    assert_null(afn_alloc_array(SIZE_MAX / 2, 3));
    assert_null(afn_alloc_aligned(SIZE_MAX - 10));
    assert_false(afn_mul_size(&n, SIZE_MAX, 2));
    assert_false(afn_add_size(&n, SIZE_MAX, 1));
    assert_int_equal(n, 7);
    assert_true(afn_mul_size(&n, SIZE_MAX, 1) && n == SIZE_MAX);
    assert_true(afn_mul_size(&n, SIZE_MAX, 0) && n == 0);
    assert_true(afn_add_size(&n, SIZE_MAX, 0) && n == SIZE_MAX);
}

static void the_kth_allocation_fails_and_no_other(void **state)
{
    (void)state;
    const int64_t before = afn_alloc_count();
    afn_alloc_fail_at(2);
    void *a = afn_alloc(1), *b = afn_alloc(1), *c = afn_strdup("c");
    afn_alloc_fail_at(0);
    assert_non_null(a);
    assert_null(b);
    assert_string_equal(c, "c");
    assert_int_equal(afn_alloc_count() - before, 3);
    afn_free(a);
    afn_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_or_aligned),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(the_kth_allocation_fails_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
