/* SPDX-License-Identifier: Apache-2.0 */
/* Opcodes: what each makes, and what is refused where. */
#include <inttypes.h>

#include "afn_test.h"
#include "io/pickle.h"

static const afn_pickle_global permitted[] = {
    { "collections", "OrderedDict", AFN_PICKLE_AS_DICT, 1 },
    { "m", "f", AFN_PICKLE_AS_CALL, 2 },
};
static afn_pickle_refusal refusal;

static afn_status read_one(afn_pickle **out, const char *bytes, size_t n)
{
    const afn_pickle_rules rules = { .global = permitted,
                                     .count = AFN_COUNT(permitted),
                                     .base = 1000,
                                     .refusal = &refusal };
    return afn_pickle_read(out, bytes, n, &rules);
}

/* The value as text, in Python's manner, appended to b. */
static void show(afn_buf *b, const afn_pickle_value *v)
{
    static const char *const open[] = { "(", "[", "set(", "{" };
    static const char *const close[] = { ")", "]", ")", "}" };
    switch (v->kind) {
    case AFN_PICKLE_NONE:
        afn_buf_str(b, "None");
        break;
    case AFN_PICKLE_BOOL:
        afn_buf_str(b, v->u.integer ? "True" : "False");
        break;
    case AFN_PICKLE_INT:
        afn_buf_fmt(b, "%" PRId64, v->u.integer);
        break;
    case AFN_PICKLE_FLOAT:
        afn_buf_fmt(b, "%g", v->u.real);
        break;
    case AFN_PICKLE_LONG:
        afn_buf_fmt(b, "long%zu", v->u.text.size);
        break;
    case AFN_PICKLE_TEXT:
        afn_buf_fmt(b, "'%.*s'", (int)v->u.text.size, v->u.text.data);
        break;
    case AFN_PICKLE_BYTES:
        afn_buf_fmt(b, "b'%.*s'", (int)v->u.text.size, v->u.text.data);
        break;
    case AFN_PICKLE_GLOBAL:
        afn_buf_fmt(b, "g%d", v->global);
        break;
    case AFN_PICKLE_CALL:
        afn_buf_fmt(b, "g%d", v->global);
        show(b, v->u.call.args);
        if (v->u.call.state) {
            afn_buf_str(b, ".");
            show(b, v->u.call.state);
        }
        break;
    case AFN_PICKLE_PERSID:
        afn_buf_str(b, "@");
        show(b, v->u.persid.id);
        break;
    default: {
        const int k = (int)v->kind - AFN_PICKLE_TUPLE;
        afn_buf_str(b, open[k]);
        for (size_t i = 0; i < v->u.seq.count; i++) {
            if (i) afn_buf_str(b, k == 3 && i % 2 ? ":" : ",");
            show(b, v->u.seq.item[i]);
        }
        afn_buf_str(b, close[k]);
    }
    }
}

#define CASE(pickle, text)                                                             \
    {                                                                                  \
        pickle, sizeof(pickle) - 1, text                                               \
    }

/* long: one flat table */
static void every_opcode_makes_its_value(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } row[] = {
        CASE("\x80\x02N.", "None"),
        CASE("\x88.", "True"),
        CASE("\x89.", "False"),
        CASE("I01\n.", "True"),
        CASE("I-12\n.", "-12"),
        CASE("L123456789L\n.", "123456789"),
        CASE("K\xff.", "255"),
        CASE("M\x01\x02.", "513"),
        CASE("J\xfe\xff\xff\xff.", "-2"),
        CASE("\x8a\0.", "0"),
        CASE("\x8a\1\xff.", "-1"),
        CASE("\x8a\2\xff\0.", "255"),
        CASE("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\xff.", "-1"),
        CASE("\x8a\x09\0\0\0\0\0\0\0\0\1.", "long9"),
        CASE("\x8b\1\0\0\0\5.", "5"),
        CASE("G\x3f\xf8\0\0\0\0\0\0.", "1.5"),
        CASE("X\2\0\0\0hi.", "'hi'"),
        CASE("\x8c\2hi.", "'hi'"),
        CASE("\x8d\2\0\0\0\0\0\0\0hi.", "'hi'"),
        CASE("U\2hi.", "b'hi'"),
        CASE("T\2\0\0\0hi.", "b'hi'"),
        CASE("C\2hi.", "b'hi'"),
        CASE("B\2\0\0\0hi.", "b'hi'"),
        CASE("\x8e\2\0\0\0\0\0\0\0hi.", "b'hi'"),
        CASE("\x96\2\0\0\0\0\0\0\0hi.", "b'hi'"),
        CASE("\x95\2\0\0\0\0\0\0\0N.", "None"),
        CASE(").", "()"),
        CASE("N\x85.", "(None)"),
        CASE("K\1K\2\x86.", "(1,2)"),
        CASE("K\1K\2K\3\x87.", "(1,2,3)"),
        CASE("(K\1K\2K\3K\4t.", "(1,2,3,4)"),
        CASE("].", "[]"),
        CASE("(K\1K\2l.", "[1,2]"),
        CASE("]K\1aK\2a.", "[1,2]"),
        CASE("](K\1K\2e.", "[1,2]"),
        CASE("}K\1K\2s.", "{1:2}"),
        CASE("}(K\1K\2K\3K\4u.", "{1:2,3:4}"),
        CASE("(K\1K\2d.", "{1:2}"),
        CASE("\x8f(K\1K\2\x90.", "set(1,2)"),
        CASE("(K\1\x91.", "set(1)"),
        CASE("K\1K\2"
             "0.",
             "1"),
        CASE("K\1(K\2K\3"
             "1.",
             "1"),
        CASE("K\1(0.", "1"),
        CASE("K\1"
             "2\x86.",
             "(1,1)"),
        CASE("K\1q\1K\2h\1\x87.", "(1,2,1)"),
        CASE("K\1r\1\0\0\0K\2j\1\0\0\0\x87.", "(1,2,1)"),
        CASE("K\1\x94K\2\x94h\0\x87.", "(1,2,1)"),
        CASE("cm\nf\n.", "g2"),
        CASE("\x8c\1m\x8c\1f\x93.", "g2"),
        CASE("cm\nf\n(K\1tR.", "g2(1)"),
        CASE("cm\nf\n)\x81K\1b.", "g2().1"),
        CASE("ccollections\nOrderedDict\n)RK\1K\2s.", "{1:2}"),
        CASE("ccollections\nOrderedDict\n)RK\1K\2s}b.", "{1:2}"),
        CASE("ccollections\nOrderedDict\n((]K\1aK\2alt"
             "R.",
             "{1:2}"),
        CASE("ccollections\nOrderedDict\n}K\1K\2s\x85R.", "{1:2}"),
        CASE("K\1Q.", "@1"),
        CASE("Pabc\n.", "@'abc'"),
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_pickle *p;
        afn_buf b = { 0 };
        if (read_one(&p, row[i].bytes, row[i].size) != AFN_OK)
            fail_msg("row %zu (%s): %s", i, row[i].text, afn_error_message());
        show(&b, afn_pickle_root(p));
        assert_ok(afn_buf_finish(&b));
        assert_string_equal(b.data, row[i].text);
        afn_buf_free(&b);
        afn_pickle_free(p);
    }
}

#define BAD(code, pickle, text)                                                        \
    {                                                                                  \
        code, pickle, sizeof(pickle) - 1, text                                         \
    }

static void damage_is_reported_with_its_byte(void **state)
{
    (void)state;
    static const struct {
        afn_status code;
        const char *bytes;
        size_t size;
        const char *text;
    } row[] = {
        BAD(AFN_EFORMAT, "", "pickle cut off at byte 1000"),
        BAD(AFN_EFORMAT, "N", "pickle cut off at byte 1001"),
        BAD(AFN_EFORMAT, ".", "pickle damaged at byte 1000: nothing on the stack"),
        BAD(AFN_EFORMAT, "X\5\0\0\0ab", "pickle cut off at byte 1007"),
        BAD(AFN_EFORMAT,
            "X\xff\xff\xff\xff"
            "ab",
            "pickle cut off"),
        BAD(AFN_EFORMAT,
            "T\xff\xff\xff\xff"
            "ab",
            "pickle cut off"),
        BAD(AFN_EFORMAT,
            "\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
            "ab",
            "pickle cut off"),
        BAD(AFN_EFORMAT, "cabc", "pickle cut off"),
        BAD(AFN_EFORMAT, "K\1t.", "byte 1002: no mark on the stack"),
        BAD(AFN_EFORMAT, "(K\1.", "byte 1003: ends inside a list"),
        BAD(AFN_EFORMAT, "K\1(\x85.", "byte 1003: nothing on the stack"),
        BAD(AFN_EFORMAT, "}(K\1u.", "a key without a value"),
        BAD(AFN_EFORMAT, "(K\1d.", "a key without a value"),
        BAD(AFN_EFORMAT, "K\1K\2a.", "byte 1004: items for a int"),
        BAD(AFN_EFORMAT, ")K\2a.", "items for a tuple"),
        BAD(AFN_EFORMAT, "]K\1K\2s.", "items for a list"),
        BAD(AFN_EFORMAT, "h\0.", "memo index was never set"),
        BAD(AFN_EFORMAT, "Nq\5h\4.", "memo index was never set"),
        BAD(AFN_EFORMAT, "Nr\xff\xff\xff\x7f.", "memo index out of range"),
        BAD(AFN_EFORMAT, "K\1)R.", "byte 1003: calls what is no global"),
        BAD(AFN_EFORMAT, "cm\nf\nNR.", "arguments are not a tuple"),
        BAD(AFN_EFORMAT, "NNb.", "a state for what is no object"),
        BAD(AFN_EFORMAT, "K\1K\2\x93.", "a global's name is not text"),
        BAD(AFN_EFORMAT, "Iabc\n.", "not a number"),
        BAD(AFN_EFORMAT, "I\n.", "not a number"),
        BAD(AFN_EFORMAT, "ccollections\nOrderedDict\nN\x85R.",
            "something else than pairs"),
        BAD(AFN_EUNSUPPORTED, "\x80\x06N.", "pickle protocol 6 at byte 1000"),
        BAD(AFN_EUNSUPPORTED, "N\xffN.", "pickle opcode 0xff at byte 1001"),
        BAD(AFN_EUNSUPPORTED, "(ios\nsystem\n.", "pickle opcode 0x69 at byte 1001"),
        BAD(AFN_EUNSUPPORTED, "(o.", "pickle opcode 0x6f at byte 1001"),
        BAD(AFN_EUNSUPPORTED, "\x82\1.", "pickle opcode 0x82 at byte 1000"),
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_pickle *p;
        assert_fails(row[i].code, row[i].text, read_one(&p, row[i].bytes, row[i].size));
        assert_null(p);
    }
}

static void a_global_outside_the_list_is_refused_by_name_and_byte(void **state)
{
    (void)state;
    afn_pickle *p;
    static const char attack[] = "N0cos\nsystem\n(X\2\0\0\0lstR.";
    static const char stacked[] = "\x8c\x05posix\x8c\x06system\x93.";
    assert_fails(AFN_EUNSUPPORTED,
                 "pickle asks for os.system at byte 1002, "
                 "which is not tensors or plain data",
                 read_one(&p, attack, sizeof attack - 1));
    assert_string_equal(refusal.name, "os.system");
    assert_int_equal(refusal.at, 1002);
    assert_false(refusal.is_root_class);
    assert_fails(AFN_EUNSUPPORTED, "pickle asks for posix.system at byte 1015",
                 read_one(&p, stacked, sizeof stacked - 1));
}

static void a_prefix_of_a_permitted_name_is_refused(void **state)
{
    (void)state;
    afn_pickle *p;
    assert_fails(AFN_EUNSUPPORTED, "collections.OrderedDic ",
                 read_one(&p, "ccollections\nOrderedDic\n.", 25));
    assert_fails(AFN_EUNSUPPORTED, "m.ff", read_one(&p, "cm\nff\n.", 7));
}

static void the_class_of_a_whole_object_is_recognised(void **state)
{
    (void)state;
    afn_pickle *p;
    static const char object[] = "\x80\x02"
                                 "cnet\nModel\nq\0)q\1\x81}b.";
    static const char inner[] = "\x80\x02}X\1\0\0\0acnet\nModel\nq\0)q\1\x81}bs.";
    assert_int_equal(read_one(&p, object, sizeof object - 1), AFN_EUNSUPPORTED);
    assert_true(refusal.is_root_class);
    assert_int_equal(read_one(&p, inner, sizeof inner - 1), AFN_EUNSUPPORTED);
    assert_false(refusal.is_root_class);
}

/* A deep stack under many short-lived marks: time must not be their product. */
static void marks_above_a_deep_stack_are_quick(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    afn_pickle *p;
    char *bytes = malloc(3 * N);
    assert_non_null(bytes);
    memset(bytes, 'N', N);
    for (int i = 0; i < N; i++) memcpy(bytes + N + 2 * i, "(1", 2);
    const double start = afn_now_s();
    assert_fails(AFN_EFORMAT, "pickle cut off", read_one(&p, bytes, 3 * N));
    assert_true(afn_now_s() - start < 10);
    free(bytes);
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    static const char pickle[] = "}(U\1aK\1U\1b](K\1K\2K\3K\4K\5eq\1h\1\x86q\2u.";
    for (int64_t k = 1;; k++) {
        afn_pickle *p;
        afn_alloc_fail_at(k);
        const afn_status st = read_one(&p, pickle, sizeof pickle - 1);
        afn_alloc_fail_at(0);
        if (st == AFN_EFORMAT || st == AFN_OK) {
            afn_pickle_free(p);
            assert_true(k > 3);
            break;
        }
        assert_int_equal(st, AFN_ENOMEM);
        assert_null(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_opcode_makes_its_value),
        cmocka_unit_test(damage_is_reported_with_its_byte),
        cmocka_unit_test(a_global_outside_the_list_is_refused_by_name_and_byte),
        cmocka_unit_test(a_prefix_of_a_permitted_name_is_refused),
        cmocka_unit_test(the_class_of_a_whole_object_is_recognised),
        cmocka_unit_test(marks_above_a_deep_stack_are_quick),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
