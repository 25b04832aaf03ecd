/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"
#include "fetch/fetch.h"

static void a_part_says_where_it_begins_and_how_much_there_is(void **state)
{
    (void)state;
    int64_t first, total;
    assert_true(afn_fetch__content_range("bytes 100-199/200", &first, &total));
    assert_int_equal(first, 100);
    assert_int_equal(total, 200);
    assert_true(afn_fetch__content_range("bytes 0-0/*", &first, &total));
    assert_int_equal(first, 0);
    assert_int_equal(total, -1);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",
                                         "bytes",
                                         "bytes */200",
                                         "bytes 5-4/200",
                                         "bytes 0-200/200",
                                         "bytes -1-4/200",
                                         "bytes 0-4/200x",
                                         "bytes 0-4/",
                                         "bytes 0-4/**",
                                         "octets 0-4/200",
                                         "bytes 0-99999999999999999999/*",
                                         "bytes 9223372036854775808-0/*" };
    int64_t first, total;
    for (size_t i = 0; i < AFN_COUNT(wrong); i++)
        assert_false(afn_fetch__content_range(wrong[i], &first, &total));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_says_where_it_begins_and_how_much_there_is),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
