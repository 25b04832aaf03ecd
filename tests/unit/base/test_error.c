/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "afn_test.h"

static void code_and_text_are_set_together(void **state)
{
    (void)state;
    assert_int_equal(afn_fail(AFN_EFORMAT, "n is %d", 5), AFN_EFORMAT);
    assert_string_equal(afn_error_message(), "n is 5");
}

static void context_goes_in_front(void **state)
{
    (void)state;
    afn_status st = afn_fail(AFN_EFORMAT, "cut off");
    st = afn_context(afn_context(st, "tensor %d", 3), "%s", "x.pth");
    assert_int_equal(st, AFN_EFORMAT);
    assert_string_equal(afn_error_message(), "x.pth: tensor 3: cut off");
    assert_int_equal(afn_context(AFN_OK, "unused"), AFN_OK);
    assert_string_equal(afn_error_message(), "x.pth: tensor 3: cut off");
}

static void the_old_text_may_be_an_argument(void **state)
{
    (void)state;
    (void)afn_fail(AFN_EIO, "inner");
    (void)afn_fail(AFN_EIO, "outer of %s", afn_error_message());
    assert_string_equal(afn_error_message(), "outer of inner");
}

static void text_is_one_printable_line_of_bounded_length(void **state)
{
    (void)state;
    static char longest[5000];
    memset(longest, 'x', sizeof longest - 1);
    (void)afn_fail(AFN_EIO,
                   "a\nb\tc\x7f"
                   "d%s",
                   longest);
    assert_memory_equal(afn_error_message(), "a?b?c?dxxx", 10);
    assert_true(strlen(afn_error_message()) < 1024);
    (void)afn_context(AFN_EIO, "%s", longest);
    assert_true(strlen(afn_error_message()) < 1024);
}

static void system_errors_map_to_codes(void **state)
{
    (void)state;
    assert_fails(AFN_ENOTFOUND, "x: no such file or folder",
                 afn_fail_errno(ENOENT, "%s", "x"));
    assert_fails(AFN_EIO, "no space left", afn_fail_errno(ENOSPC, "x"));
    assert_fails(AFN_ENOMEM, "", afn_fail_errno(ENOMEM, "x"));
    assert_fails(AFN_EIO, "system error", afn_fail_errno(EMFILE, "x"));
}

static void every_code_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i >= AFN_ECANCELLED; i--)
        assert_string_not_equal(afn_status_name((afn_status)i), "unknown");
    assert_string_equal(afn_status_name((afn_status)-100), "unknown");
    assert_string_equal(afn_status_name((afn_status)1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_and_text_are_set_together),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(the_old_text_may_be_an_argument),
        cmocka_unit_test(text_is_one_printable_line_of_bounded_length),
        cmocka_unit_test(system_errors_map_to_codes),
        cmocka_unit_test(every_code_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
