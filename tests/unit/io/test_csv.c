/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values, as written by hand and by spreadsheets. */
#include "afn_test.h"

#include "io/io.h"

/* The records of a text, fields with a '|' behind each, records with a '/'. */
static const char *read_all(const char *text, size_t n)
{
    static char all[4096];
    size_t at = 0;
    afn_csv c;
    bool more;
    afn_csv_open(&c, text, n);
    for (;;) {
        assert_ok(afn_csv_next(&c, &more));
        if (!more) break;
        for (int i = 0; i < c.n; i++)
            at += (size_t)snprintf(all + at, sizeof all - at, "%s|", c.field[i]);
        at += (size_t)snprintf(all + at, sizeof all - at, "/");
    }
    afn_csv_close(&c);
    all[at] = 0;
    return all;
}

static void records_and_fields_come_as_they_were_meant(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } row[] = {
        { "", "" },
        { "a", "a|/" },
        { "a,b\nc,d\n", "a|b|/c|d|/" },
        { "a,b\r\nc,d", "a|b|/c|d|/" },
        { "a,b\rc,d\r", "a|b|/c|d|/" },
        { "\n\na,b\n\n\nc,d\n\n", "a|b|/c|d|/" },
        { "a,,b,\n", "a||b||/" },
        { ",\n", "||/" },
        { "\"a,b\",c\n", "a,b|c|/" },
        { "\"a\"\"b\",\"\"\n", "a\"b||/" },
        { "\"a\nb\",c\nd,e", "a\nb|c|/d|e|/" },
        { "5\" disc,b\n", "5\" disc|b|/" },
        { " a , b \n", " a | b |/" },
        { "\xef\xbb\xbfpath,label\n", "path|label|/" },
        { "a;b\nc,d;e\n", "a|b|/c,d|e|/" },
        { "a\tb\n", "a|b|/" },
        { "\"a;;;\",b\n", "a;;;|b|/" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_string_equal(row[i].want, read_all(row[i].text, strlen(row[i].text)));
}

static void lines_are_counted_where_records_begin(void **state)
{
    (void)state;
    static const char text[] = "a,b\n\n\"x\ny\",c\r\nd,e\n";
    static const int64_t want[] = { 1, 3, 5 };
    afn_csv c;
    bool more;
    afn_csv_open(&c, text, strlen(text));
    for (size_t i = 0; i < AFN_COUNT(want); i++) {
        assert_ok(afn_csv_next(&c, &more));
        assert_true(more);
        assert_int_equal(want[i], c.line);
    }
    assert_ok(afn_csv_next(&c, &more));
    assert_false(more);
    afn_csv_close(&c);
}

static void check_damage(const char *text, size_t n, const char *message)
{
    afn_csv c;
    bool more = true;
    afn_status st = AFN_OK;
    afn_csv_open(&c, text, n);
    while (st == AFN_OK && more) st = afn_csv_next(&c, &more);
    assert_fails(AFN_EFORMAT, message, st);
    afn_csv_close(&c);
}

static void damage_is_named_with_its_line(void **state)
{
    (void)state;
    static char many[2 * AFN_CSV_FIELDS];
    check_damage("a,b\n\"c,d\n", 9, "line 2: a quote does not end");
    check_damage("a,b\n\"c\"d\n", 9, "line 2: text follows a closing quote");
    check_damage("a,b\nc\0,d\n", 9, "line 2: has a zero byte");
    memset(many, ',', sizeof many);
    check_damage(many, sizeof many, "line 1: over 256 fields");
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    afn_csv c;
    bool more;
    for (int64_t k = 1;; k++) {
        afn_csv_open(&c, "a,b\n", 4);
        afn_alloc_fail_at(k);
        const afn_status st = afn_csv_next(&c, &more);
        afn_alloc_fail_at(0);
        afn_csv_close(&c);
        assert_int_equal(k == 1 ? AFN_ENOMEM : AFN_OK, st);
        if (st == AFN_OK) return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_and_fields_come_as_they_were_meant),
        cmocka_unit_test(lines_are_counted_where_records_begin),
        cmocka_unit_test(damage_is_named_with_its_line),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
