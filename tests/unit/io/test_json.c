/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"
#include "io/json.h"

static void damage_is_reported_with_its_byte(void **state)
{
    (void)state;
    json_t *v;
    assert_fails(AFN_EFORMAT, "json damaged at byte 7",
                 afn_json_parse(&v, "{\"a\":1]", 7));
    assert_null(v);
    assert_fails(AFN_EFORMAT, "json damaged", afn_json_parse(&v, "", 0));
    assert_fails(AFN_EFORMAT, "json damaged", afn_json_parse(&v, "{} x", 4));
}

static void a_key_may_appear_once(void **state)
{
    (void)state;
    json_t *v;
    assert_fails(AFN_EFORMAT, "duplicate", afn_json_parse(&v, "{\"a\":1,\"a\":2}", 13));
}

static void written_strings_read_back_the_same(void **state)
{
    (void)state;
    static const char *const text[] = {
        "",           "plain",        "quote \" and \\ slash", "tab\tline\nbell\a",
        "gr\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x8C\xBB",      "\x7f",
    };
    for (size_t i = 0; i < AFN_COUNT(text); i++) {
        afn_buf b = { 0 };
        json_t *v;
        afn_buf_str(&b, "[");
        afn_json_add_string(&b, text[i]);
        afn_buf_str(&b, "]");
        assert_ok(afn_json_parse(&v, b.data, b.size));
        assert_string_equal(json_string_value(json_array_get(v, 0)), text[i]);
        json_decref(v);
        afn_buf_free(&b);
    }
}

static void bytes_that_are_no_utf8_become_the_replacement_character(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } row[] = {
        { "a\x80z", "\"a\xEF\xBF\xBDz\"" },
        { "\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },                 /* overlong */
        { "\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" }, /* surrogate */
        { "\xE2\x82", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },                 /* cut off */
        { "\xF4\x90\x80\x80",
          "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" }, /* too large */
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_buf b = { 0 };
        afn_json_add_string(&b, row[i].from);
        assert_string_equal(b.data, row[i].to);
        afn_buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_reported_with_its_byte),
        cmocka_unit_test(a_key_may_appear_once),
        cmocka_unit_test(written_strings_read_back_the_same),
        cmocka_unit_test(bytes_that_are_no_utf8_become_the_replacement_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
