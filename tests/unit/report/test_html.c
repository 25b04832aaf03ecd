/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"

#include <math.h>

#include "report/html.h"

static void shows(const char *text, const char *want)
{
    afn_buf b = { 0 };
    afn_html_text(&b, text);
    assert_ok(afn_buf_finish(&b));
    assert_string_equal(want, b.size ? b.data : "");
    afn_buf_free(&b);
}

static void markup_in_names_is_escaped(void **state)
{
    (void)state;
    shows("", "");
    shows("daisy", "daisy");
    shows("<script>alert('x')</script>",
          "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
    shows("a&b\"c", "a&amp;b&quot;c");
    shows("a\nb\x1b[31m", "a\xef\xbf\xbd"
                          "b\xef\xbf\xbd[31m");
}

static void a_sentence_is_escaped_with_its_arguments(void **state)
{
    (void)state;
    static const char *const column[] = { "class", "a<b" };
    afn_buf b = { 0 };
    afn_html_say(&b, "%d < %s", 3, "<b>");
    afn_html_heading(&b, "h2", "x & y");
    afn_html_columns(&b, column, 2);
    assert_ok(afn_buf_finish(&b));
    assert_string_equal("3 &lt; &lt;b&gt;<h2>x &amp; y</h2>\n"
                        "<div class=\"scroll\"><table><thead><tr>"
                        "<th scope=\"col\" class=\"left\">class</th>"
                        "<th scope=\"col\">a&lt;b</th></tr></thead><tbody>\n",
                        b.data);
    afn_buf_free(&b);
}

static void utf8_stays_and_what_is_none_becomes_a_mark(void **state)
{
    (void)state;
    shows("caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x8c\xbc",
          "caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x8c\xbc");
    shows("caf\xe9", "caf\xef\xbf\xbd");
    shows("\xc0\xaf\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void numbers_that_are_none_are_dashes(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    afn_html_number(&b, 0.12345, 4);
    afn_html_number(&b, (double)NAN, 4);
    afn_html_percent(&b, 0.98765);
    afn_html_percent(&b, (double)INFINITY);
    assert_ok(afn_buf_finish(&b));
    assert_string_equal("0.1235\xe2\x80\x93"
                        "98.77\xc2\xa0%\xe2\x80\x93",
                        b.data);
    afn_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_in_names_is_escaped),
        cmocka_unit_test(a_sentence_is_escaped_with_its_arguments),
        cmocka_unit_test(utf8_stays_and_what_is_none_becomes_a_mark),
        cmocka_unit_test(numbers_that_are_none_are_dashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
