/* SPDX-License-Identifier: Apache-2.0 */
#include "weights_files.h"

static const float values[6] = { 0, 1, 2, 3, 4, 5 };

static const char *path_of(const char *name)
{
    static char path[1100];
    snprintf(path, sizeof path, "%s/%s", test_dir("torch-zip"), name);
    return path;
}

/* data.pkl of one tensor "x" that claims `count` elements of storage `key`. */
static void build(afn_buf *b, const char *key, int64_t count)
{
    ADD(b, "\x80\x02}");
    add_text(b, "x");
    add_tensor(b, key, count, 0, &(afn_shape){ 2, { 2, 3 } }, (int64_t[]){ 3, 1 });
    ADD(b, "s.");
}

static afn_status open_built(afn_weights **w, const char *key, int64_t count,
                             const char *extra, const char *text)
{
    afn_buf b = { 0 };
    const char *path = path_of("x.pth");
    build(&b, key, count);
    write_zip(path, &b, values, sizeof values, extra, text);
    afn_buf_free(&b);
    return afn_weights_open(w, path);
}

static void any_root_is_taken(void **state)
{
    (void)state;
    afn_weights *w;
    assert_ok(open_built(&w, "0", 6, NULL, NULL));
    assert_string_equal(afn_weights_format(w), "torch-zip");
    assert_values(w, "x", values, 6);
    afn_weights_free(w);
}

static void the_byte_order_is_checked(void **state)
{
    (void)state;
    afn_weights *w;
    assert_ok(open_built(&w, "0", 6, "root/byteorder", "little"));
    afn_weights_free(w);
    assert_fails(AFN_EUNSUPPORTED, "x.pth: byte order is \"big\"",
                 open_built(&w, "0", 6, "root/byteorder", "big"));
    assert_null(w);
}

static void missing_and_short_storages_are_named(void **state)
{
    (void)state;
    afn_weights *w;
    assert_fails(AFN_EFORMAT, "x.pth: x: storage 94 is missing (no root/data/94)",
                 open_built(&w, "94", 6, NULL, NULL));
    assert_fails(AFN_EFORMAT, "x: storage 0 has 24 bytes, needs 7 elements of 4",
                 open_built(&w, "0", 7, NULL, NULL));
    assert_fails(AFN_EFORMAT, "is missing",
                 open_built(&w, "../data.pkl", 6, NULL, NULL));
}

static void archives_of_other_kinds_are_named(void **state)
{
    (void)state;
    afn_weights *w;
    afn_out *out;
    afn_zip_out *zip;
    assert_fails(AFN_EUNSUPPORTED, "a TorchScript archive (root/constants.pkl)",
                 open_built(&w, "0", 6, "root/constants.pkl", "."));
    assert_ok(afn_out_open(&out, path_of("other.zip")));
    assert_ok(afn_zip_out_new(&zip, out));
    assert_ok(afn_zip_out_add(zip, "word/document.xml", 1, "x", 1));
    assert_ok(afn_zip_out_finish(zip));
    afn_zip_out_free(zip);
    assert_ok(afn_out_commit(out));
    assert_fails(AFN_EFORMAT, "zip archive without data.pkl: not from torch.save",
                 afn_weights_open(&w, path_of("other.zip")));
}

static void metadata_must_be_an_object_of_text(void **state)
{
    (void)state;
    afn_weights *w;
    assert_ok(open_built(&w, "0", 6, "root/extra/metadata.json", "{\"a\":\"b\"}"));
    assert_string_equal(afn_weights_metadata(w, "a"), "b");
    assert_string_equal(afn_weights_metadata_key(w, 0), "a");
    assert_null(afn_weights_metadata_key(w, 1));
    afn_weights_free(w);
    assert_fails(AFN_EFORMAT, "extra/metadata.json: metadata a is not text",
                 open_built(&w, "0", 6, "root/extra/metadata.json", "{\"a\":1}"));
    assert_fails(AFN_EFORMAT, "extra/metadata.json: json damaged",
                 open_built(&w, "0", 6, "root/extra/metadata.json", "{"));
}

static void an_archive_cut_anywhere_is_refused(void **state)
{
    (void)state;
    afn_weights *w;
    uint8_t *bytes;
    size_t size;
    assert_ok(open_built(&w, "0", 6, NULL, NULL));
    afn_weights_free(w);
    assert_ok(afn_file_read(&bytes, &size, path_of("x.pth")));
    for (size_t n = 4; n < size; n++) {
        uint8_t *cut = malloc(n);
        assert_non_null(cut);
        memcpy(cut, bytes, n);
        assert_fails(AFN_EFORMAT, "zip archive cut off",
                     afn_weights_open_memory(&w, cut, n));
        free(cut);
    }
    afn_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_root_is_taken),
        cmocka_unit_test(the_byte_order_is_checked),
        cmocka_unit_test(missing_and_short_storages_are_named),
        cmocka_unit_test(archives_of_other_kinds_are_named),
        cmocka_unit_test(metadata_must_be_an_object_of_text),
        cmocka_unit_test(an_archive_cut_anywhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
