/* SPDX-License-Identifier: Apache-2.0 */
#include "weights_files.h"

static const float values[6] = { 0, 1, 2, 3, 4, 5 };

/* A stream of one tensor "x" of six values in storage "s". */
static void build(afn_buf *b, uint64_t count, const char *key, const char *view)
{
    add_legacy_head(b);
    ADD(b, "\x80\x02}");
    add_text(b, "x");
    ADD(b, "ctorch._utils\n_rebuild_tensor\n((");
    add_text(b, "storage");
    ADD(b, "ctorch\nFloatStorage\n");
    add_text(b, "s");
    add_text(b, "cuda:0");
    ADD(b, "K\6");
    afn_buf_str(b, view);
    ADD(b, "tQK\1K\2\x85K\1\x85tRs.");
    ADD(b, "\x80\x02]");
    add_text(b, key);
    ADD(b, "a.");
    add_le(b, count, 8);
    afn_buf_add(b, values, sizeof values);
}

static void assert_refused(afn_buf *b, afn_status code, const char *message)
{
    afn_weights *w;
    assert_fails(code, message, afn_weights_open_memory(&w, b->data, b->size));
    assert_null(w);
    afn_buf_free(b);
}

static void a_storage_view_narrows_its_storage(void **state)
{
    (void)state;
    static const struct {
        const char *view;
        float first;
    } row[] = { { "N", 1 }, { "(U\1vK\2K\3t", 3 } };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_buf b = { 0 };
        afn_weights *w;
        build(&b, 6, "s", row[i].view);
        assert_ok(afn_weights_open_memory(&w, b.data, b.size));
        assert_string_equal(afn_weights_format(w), "torch-legacy");
        assert_values(w, "x", (const float[]){ row[i].first, row[i].first + 1 }, 2);
        afn_weights_free(w);
        afn_buf_free(&b);
    }
}

static void a_storage_view_stays_inside(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    build(&b, 6, "s", "(U\1vK\4K\3t");
    assert_refused(&b, AFN_EFORMAT, "x: storage view at byte");
    build(&b, 6, "s", "(U\1vK\2K\2t");
    assert_refused(&b, AFN_EFORMAT, "x: reaches outside its storage of 2 elements");
    build(&b, 6, "s", "K\1");
    assert_refused(&b, AFN_EFORMAT, "is damaged");
}

static void a_storage_that_is_cut_off_is_reported_with_its_end(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    char message[80];
    build(&b, 100, "s", "N");
    snprintf(message, sizeof message, "storage 0 ends at byte %zu, the file has %zu",
             b.size - sizeof values + 400, b.size);
    assert_refused(&b, AFN_EFORMAT, message);
    build(&b, UINT64_MAX / 2, "s", "N");
    assert_refused(&b, AFN_EFORMAT, "storage 0 claims 9223372036854775807 elements");
}

static void keys_and_storages_must_match(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    build(&b, 6, "other", "N");
    assert_refused(&b, AFN_EFORMAT, "storage 0 is used by no tensor");
}

static void a_stream_cut_anywhere_is_refused(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    build(&b, 6, "s", "N");
    for (size_t n = 0; n < b.size; n++) {
        afn_weights *w;
        char *cut =
            malloc(n ? n : 1); /* of its own, so that a sanitizer sees its end */
        assert_non_null(cut);
        memcpy(cut, b.data, n);
        assert_int_equal(afn_weights_open_memory(&w, cut, n), AFN_EFORMAT);
        assert_null(w);
        free(cut);
    }
    afn_buf_free(&b);
}

static void other_pickles_and_byte_orders_are_refused(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    ADD(&b, "\x80\x02K\1.");
    assert_refused(&b, AFN_EFORMAT, "a pickle, but not one from torch.save");
    build(&b, 6, "s", "N");
    char *flag = memchr(b.data, '\x88', b.size); /* little_endian: True */
    assert_non_null(flag);
    *flag = '\x89';
    assert_refused(&b, AFN_EUNSUPPORTED, "byte order is big");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_storage_view_narrows_its_storage),
        cmocka_unit_test(a_storage_view_stays_inside),
        cmocka_unit_test(a_storage_that_is_cut_off_is_reported_with_its_end),
        cmocka_unit_test(keys_and_storages_must_match),
        cmocka_unit_test(a_stream_cut_anywhere_is_refused),
        cmocka_unit_test(other_pickles_and_byte_orders_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
