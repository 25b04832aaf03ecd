/* SPDX-License-Identifier: Apache-2.0 */
/* What the system says of the processor and of this process. */
#include "afn_test.h"

static void the_processor_has_a_name_of_one_line(void **state)
{
    (void)state;
    char name[AFN_CPU_NAME_BYTES];
    assert_ptr_equal(afn_cpu_name(name), name);
    assert_true(strlen(name) > 0);
    assert_null(strchr(name, '\n'));
}

static void the_peak_rises_with_memory_that_is_touched_and_stays(void **state)
{
    (void)state;
    const size_t mb = (size_t)1 << 20;
    const size_t before = afn_peak_rss_bytes();
    char *block = test_malloc(64 * mb);
    memset(block, 1, 64 * mb);
    const size_t with = afn_peak_rss_bytes();
    test_free(block);
    assert_true(before > 0);
    assert_true(with >= before + 32 * mb);
    assert_true(afn_peak_rss_bytes() + 2 * mb >= with); /* Linux counts in batches */
}

static void instruction_sets_include_those_below(void **state)
{
    (void)state;
#if defined(__x86_64__)
    const afn_isa best = afn_best_isa();
    assert_true(best < AFN_ISA_AVX512 || __builtin_cpu_supports("avx512bw"));
    assert_true(best < AFN_ISA_AVX2 || __builtin_cpu_supports("avx2"));
    assert_true(best > AFN_ISA_BASE || !__builtin_cpu_supports("avx2"));
#else
    assert_int_equal(afn_best_isa(), AFN_ISA_BASE);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_processor_has_a_name_of_one_line),
        cmocka_unit_test(the_peak_rises_with_memory_that_is_touched_and_stays),
        cmocka_unit_test(instruction_sets_include_those_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
