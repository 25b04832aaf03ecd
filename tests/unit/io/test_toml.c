/* SPDX-License-Identifier: Apache-2.0 */
/* Trees and messages; tests/oracle/check_toml.py compares with another reader. */
#include "afina/toml.h"
#include "afn_test.h"

static afn_toml *read_text(const char *text)
{
    afn_toml *t;
    assert_ok(afn_toml_read(&t, "run.toml", text, strlen(text)));
    return t;
}

static const afn_toml_value *at(const afn_toml *t, const char *key)
{
    const afn_toml_value *v = afn_toml_find(afn_toml_root(t), key);
    assert_non_null(v);
    return v;
}

static void values_have_their_kind_and_place(void **state)
{
    (void)state;
    afn_toml *t = read_text("i = 0x1F\nr = 2.5\n  yes = true # so\n\"\xc3\xa9 \"='t'\n"
                            "d = 1979-05-27 07:32:00\n");
    assert_int_equal(at(t, "i")->kind, AFN_TOML_INTEGER);
    assert_int_equal(at(t, "i")->integer, 31);
    assert_true(at(t, "i")->real == 31);
    assert_int_equal(at(t, "r")->kind, AFN_TOML_FLOAT);
    assert_true(at(t, "r")->real == 2.5);
    assert_int_equal(at(t, "yes")->kind, AFN_TOML_BOOLEAN);
    assert_true(at(t, "yes")->boolean);
    assert_int_equal(at(t, "yes")->line, 3);
    assert_int_equal(at(t, "yes")->column, 3);
    assert_string_equal(at(t, "\xc3\xa9 ")->text, "t");
    assert_int_equal(at(t, "d")->kind, AFN_TOML_DATE);
    assert_string_equal(at(t, "d")->text, "1979-05-27 07:32:00");
    assert_null(afn_toml_find(afn_toml_root(t), "x"));
    afn_toml_free(t);
}

static void lists_keep_the_order_of_the_document(void **state)
{
    (void)state;
    afn_toml *t = read_text("z = [3, [1], 'x']\n[[p]]\nb = 1\na = 2\n[[p]]\n");
    const afn_toml_value *z = at(t, "z"), *p = at(t, "p");
    assert_int_equal(z->kind, AFN_TOML_ARRAY);
    assert_int_equal(z->first->integer, 3);
    assert_int_equal(z->first->next->first->integer, 1);
    assert_string_equal(z->first->next->next->text, "x");
    assert_null(z->first->next->next->next);
    assert_int_equal(p->kind, AFN_TOML_ARRAY);
    assert_string_equal(p->first->first->key, "b");
    assert_string_equal(p->first->first->next->key, "a");
    assert_null(p->first->key);
    assert_int_equal(p->first->line, 2);
    assert_null(p->first->next->first);
    assert_null(p->first->next->next);
    afn_toml_free(t);
}

static void text_is_unescaped(void **state)
{
    (void)state;
    afn_toml *t =
        read_text("a = \"\\u00e9\\U0001F600\\n\"\nb = \"\"\"\nx\\\n\n  y\"\"\"\"\n"
                  "c = 'C:\\n'\n");
    assert_string_equal(at(t, "a")->text, "\xc3\xa9\xf0\x9f\x98\x80\n");
    assert_string_equal(at(t, "b")->text, "xy\"");
    assert_string_equal(at(t, "c")->text, "C:\\n");
    afn_toml_free(t);
}

static void the_message_says_where_and_what(void **state)
{
    (void)state;
    static const char *const row[][2] = {
        { "a = 1\nb = foo", "run.toml:2:5: foo is no value: text goes in quotes" },
        { "a = 1\na = 2", "run.toml:2:1: a is there already, in line 1" },
        { "[a]\nx.y = 1\n[a.x]", "run.toml:3:2: x is there already, in line 2" },
        { "a = ", "run.toml:1:5: a value is missing here" },
        { "a", "run.toml:1:2: = is missing here" },
        { "\"\xc3\xa9\" 1", "run.toml:1:5: = is missing here" },
        { "= 1", "run.toml:1:1: a key is missing here" },
        { "a = [1 2]", "run.toml:1:8: a comma or ] is missing here" },
        { "a = {b = 1", "run.toml:1:11: a comma or } is missing here" },
        { "a = \"x\nb = 1", "run.toml:1:7: the string does not end on its line" },
        { "a = '''x\n", "run.toml:2:1: the text ends here" },
        { "a = \"\\q\"", "run.toml:1:7: unknown escape in a string" },
        { "a = \"\\uD800\"", "run.toml:1:12: U+D800 is no character" },
        { "a = \"\\u0000\"", "run.toml:1:12: a zero byte in text" },
        { "a = 2023-02-29", "run.toml:1:5: 2023-02-29 is no date or time" },
        { "a = 9223372036854775808", "9223372036854775808 is no value" },
        { "a = 1 b = 2", "run.toml:1:7: the line should end here" },
        { "[a\n", "run.toml:1:3: ] is missing here" },
        { "[[a]\n", "run.toml:1:5: ]] is missing here" },
        { "# \x01", "run.toml:1:3: control character 0x01" },
        { "a = '\xff'", "run.toml:1:6: not UTF-8" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_toml *t;
        assert_fails(AFN_EFORMAT, row[i][1],
                     afn_toml_read(&t, "run.toml", row[i][0], strlen(row[i][0])));
        assert_null(t);
    }
}

/* Deep values, deep keys and deep headers end at the same depth. */
static void depth_is_limited(void **state)
{
    (void)state;
    static const char *const piece[] = { "[", "a.", "{a=" };
    for (size_t k = 0; k < AFN_COUNT(piece); k++)
        for (int depth = 90; depth <= 100000; depth *= 1000) {
            afn_buf b = { 0 };
            afn_toml *t;
            afn_buf_str(&b, k == 1 ? "" : "a = ");
            for (int i = 0; i < depth; i++) afn_buf_str(&b, piece[k]);
            afn_buf_str(&b, k == 1 ? "a = 1" : k == 2 ? "1" : "");
            for (int i = 0; i < depth && k != 1; i++) afn_buf_str(&b, k ? "}" : "]");
            assert_ok(afn_buf_finish(&b));
            const afn_status st = afn_toml_read(&t, "deep", b.data, b.size);
            assert_int_equal(st, depth == 90 ? AFN_OK : AFN_EFORMAT);
            afn_toml_free(t);
            afn_buf_free(&b);
        }
}

static void a_zero_byte_does_not_end_the_document(void **state)
{
    (void)state;
    afn_toml *t;
    assert_fails(AFN_EFORMAT, "run.toml:1:6",
                 afn_toml_read(&t, "run.toml", "a = 1\0 b", 8));
}

static void files_are_read_and_named(void **state)
{
    (void)state;
    afn_toml *t;
    char path[1200];
    snprintf(path, sizeof path, "%s/run.toml", test_dir("toml"));
    assert_fails(AFN_ENOTFOUND, "run.toml", afn_toml_open(&t, path));
    assert_ok(afn_file_write(path,
                             "\xef\xbb\xbf"
                             "a = 1\r\nb",
                             11));
    assert_fails(AFN_EFORMAT, "run.toml:2:2: = is missing", afn_toml_open(&t, path));
    assert_ok(afn_file_write(path,
                             "\xef\xbb\xbf"
                             "a = 1\r\n",
                             10));
    assert_ok(afn_toml_open(&t, path));
    assert_int_equal(at(t, "a")->integer, 1);
    afn_toml_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_kind_and_place),
        cmocka_unit_test(lists_keep_the_order_of_the_document),
        cmocka_unit_test(text_is_unescaped),
        cmocka_unit_test(the_message_says_where_and_what),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(a_zero_byte_does_not_end_the_document),
        cmocka_unit_test(files_are_read_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
