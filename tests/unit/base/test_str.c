/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"

static void patterns_match_whole_names(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool match;
    } row[] = {
        { "fc", "fc", true },
        { "fc", "fc.weight", false },
        { "fc.*", "fc.weight", true },
        { "fc.*", "fcxweight", false },
        { "*", "", true },
        { "*", "anything.at.all", true },
        { "", "", true },
        { "", "a", false },
        { "layer?.0", "layer4.0", true },
        { "layer?.0", "layer.0", false },
        { "*.weight", "a.b.weight", true },
        { "*.weight", "a.weights", false },
        { "a*b*c", "aXbYbZc", true },
        { "a*b*c", "aXbYbZ", false },
        { "layer4.*,fc.*", "fc.bias", true },
        { "layer4.*,fc.*", "layer4.1.bn", true },
        { "layer4.*,fc.*", "layer3.1.bn", false },
        { "a,", "", true },
        { "a,b", "a,b", false },
        { "**a", "bba", true },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        if (afn_glob(row[i].pattern, row[i].name) != row[i].match)
            fail_msg("\"%s\" against \"%s\"", row[i].pattern, row[i].name);
}

static void a_buffer_grows_and_ends_in_zero(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    for (int i = 0; i < 1000; i++) afn_buf_fmt(&b, "%d,", i % 10);
    afn_buf_add(&b, "\0x", 2);
    assert_ok(afn_buf_finish(&b));
    assert_int_equal(b.size, 2002);
    assert_int_equal(b.data[b.size], 0);
    assert_memory_equal(b.data + 1998, "9,\0x", 4);
    afn_buf_free(&b);
    assert_null(b.data);
}

static void a_buffer_remembers_that_memory_ran_out(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    afn_alloc_fail_at(1);
    afn_buf_str(&b, "lost");
    afn_alloc_fail_at(0);
    afn_buf_str(&b, "lost too");
    assert_fails(AFN_ENOMEM, "out of memory", afn_buf_finish(&b));
    assert_int_equal(b.size, 0);
    afn_buf_free(&b);
}

static void paths_join_with_one_slash(void **state)
{
    (void)state;
    static const struct {
        const char *dir, *name, *path;
    } row[] = {
        { "a", "b", "a/b" },
        { "a/", "b", "a/b" },
        { "/", "b", "/b" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        char *path = afn_path_join(row[i].dir, row[i].name);
        assert_string_equal(path, row[i].path);
        afn_free(path);
    }
}

static void prefixes_and_extensions(void **state)
{
    (void)state;
    assert_true(afn_starts_with("module.a", "module."));
    assert_false(afn_starts_with("mod", "module."));
    assert_true(afn_ends_with_nocase("x.PTH", ".pth"));
    assert_false(afn_ends_with_nocase("pth", ".pth"));
}

static void numbers_in_names_are_compared_by_value(void **state)
{
    (void)state;
    static const char *const rising[] = { "",
                                          "0",
                                          "00",
                                          "1",
                                          "2",
                                          "10",
                                          "A2",
                                          "a",
                                          "a1b2",
                                          "a1b10",
                                          "a02",
                                          "a2",
                                          "a2b",
                                          "a10",
                                          "a99999999999999999998",
                                          "a99999999999999999999",
                                          "\xc3\xa9" };
    for (size_t i = 0; i < AFN_COUNT(rising); i++)
        for (size_t k = 0; k < AFN_COUNT(rising); k++) {
            const int got = afn_natural_order(rising[i], rising[k]);
            assert_int_equal((i > k) - (i < k), (got > 0) - (got < 0));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_in_names_are_compared_by_value),
        cmocka_unit_test(patterns_match_whole_names),
        cmocka_unit_test(a_buffer_grows_and_ends_in_zero),
        cmocka_unit_test(a_buffer_remembers_that_memory_ran_out),
        cmocka_unit_test(paths_join_with_one_slash),
        cmocka_unit_test(prefixes_and_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
