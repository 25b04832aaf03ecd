/* SPDX-License-Identifier: Apache-2.0 */
/* The document side: values, looking them up, limits of memory. */
#include "afn_test.h"
#include "io/pickle.h"

static const afn_pickle_global permitted[] = {
    { "collections", "OrderedDict", AFN_PICKLE_AS_DICT, 1 },
    { "m", "f", AFN_PICKLE_AS_CALL, 2 },
};

static afn_status read_one(afn_pickle **out, const char *bytes, size_t n)
{
    const afn_pickle_rules rules = { .global = permitted,
                                     .count = AFN_COUNT(permitted),
                                     .base = 1000 };
    return afn_pickle_read(out, bytes, n, &rules);
}

#define READ(p, literal) read_one(p, literal, sizeof(literal) - 1)

static void the_last_value_under_a_key_counts(void **state)
{
    (void)state;
    afn_pickle *p;
    assert_ok(READ(&p, "}(U\1aK\1U\1bK\2U\1aK\3u."));
    const afn_pickle_value *root = afn_pickle_root(p);
    assert_int_equal(root->kind, AFN_PICKLE_DICT);
    assert_int_equal(afn_pickle_get(root, "a")->u.integer, 3);
    assert_int_equal(afn_pickle_get(root, "b")->u.integer, 2);
    assert_null(afn_pickle_get(root, "c"));
    assert_null(afn_pickle_get(afn_pickle_get(root, "a"), "a"));
    afn_pickle_free(p);
}

static void bytes_behind_stop_are_left_alone(void **state)
{
    (void)state;
    afn_pickle *p;
    assert_ok(READ(&p, "K\7.K\1"));
    assert_int_equal(afn_pickle_size(p), 3);
    assert_int_equal(afn_pickle_root(p)->u.integer, 7);
    afn_pickle_free(p);
}

static void references_are_chained_from_the_last(void **state)
{
    (void)state;
    afn_pickle *p;
    assert_ok(READ(&p, "(Pfirst\nU\6secondQt."));
    const afn_pickle_value *v = afn_pickle_persids(p);
    assert_true(afn_pickle_is_text(v->u.persid.id, "second"));
    v = v->u.persid.next;
    assert_true(afn_pickle_is_text(v->u.persid.id, "first"));
    assert_null(v->u.persid.next);
    afn_pickle_free(p);
}

/* OrderedDict(memoised list of pairs), again and again: three bytes copy it all. */
static void a_small_pickle_cannot_ask_for_much_memory(void **state)
{
    (void)state;
    afn_pickle *p;
    afn_buf b = { 0 };
    afn_buf_str(&b, "ccollections\nOrderedDict\nq");
    afn_buf_add(&b, "\0", 1);
    afn_buf_str(&b, "0(](");
    for (int i = 0; i < 2000; i++) afn_buf_str(&b, "(NNt");
    afn_buf_str(&b, "e\x85q\1");
    for (int i = 0; i < 10000; i++) afn_buf_add(&b, "h\0h\1R", 5);
    afn_buf_str(&b, "t.");
    assert_fails(AFN_EFORMAT, "needs more memory than its size justifies",
                 read_one(&p, b.data, b.size));
    assert_null(p);
    afn_buf_free(&b);
}

static void a_list_may_contain_itself(void **state)
{
    (void)state;
    afn_pickle *p;
    assert_ok(READ(&p, "]q\1h\1a."));
    const afn_pickle_value *root = afn_pickle_root(p);
    assert_ptr_equal(root->u.seq.item[0], root);
    afn_pickle_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_value_under_a_key_counts),
        cmocka_unit_test(bytes_behind_stop_are_left_alone),
        cmocka_unit_test(references_are_chained_from_the_last),
        cmocka_unit_test(a_small_pickle_cannot_ask_for_much_memory),
        cmocka_unit_test(a_list_may_contain_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
