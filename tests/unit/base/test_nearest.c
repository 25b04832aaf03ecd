/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"

#include "afina/nearest.h"

static void the_nearest_name_is_a_likely_misspelling_or_none(void **state)
{
    (void)state;
    static const char *const name[] = { "resnet18", "resnet50", "mobilenet_v2" };
    assert_string_equal(afn_nearest("resnet81", name, 3), "resnet18");
    assert_string_equal(afn_nearest("ResNet50", name, 3), "resnet50");
    assert_string_equal(afn_nearest("mobilnetv2", name, 3), "mobilenet_v2");
    assert_null(afn_nearest("transformer", name, 3));
    assert_null(afn_nearest("x", name, 0));
    char longest[200];
    memset(longest, 'r', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_null(afn_nearest(longest, name, 3));
}

static void swapped_letters_are_one_mistake(void **state)
{
    (void)state;
    static const char *const name[] = { "abxx", "bacd" };
    assert_string_equal(afn_nearest("abcd", name, 2), "bacd");
    assert_string_equal(afn_nearest("ba", (const char *const[]){ "ab" }, 1), "ab");
    assert_null(afn_nearest("ba", (const char *const[]){ "cd" }, 1));
}

static void names_that_are_equally_near_come_in_their_order(void **state)
{
    (void)state;
    static const char *const name[] = { "head-lr", "batch", "tune-lr", "lr-schedule" };
    size_t at[4];
    assert_int_equal(afn_nearest_names(at, 4, "lr", name, 4), 3);
    assert_int_equal(at[0], 0);
    assert_int_equal(at[1], 2);
    assert_int_equal(at[2], 3);
    assert_int_equal(afn_nearest_names(at, 2, "lr", name, 4), 2);
    assert_int_equal(afn_nearest_names(at, 4, "batsch", name, 4), 1);
    assert_int_equal(at[0], 1);
    assert_int_equal(afn_nearest_names(at, 4, "", name, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_name_is_a_likely_misspelling_or_none),
        cmocka_unit_test(swapped_letters_are_one_mistake),
        cmocka_unit_test(names_that_are_equally_near_come_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
