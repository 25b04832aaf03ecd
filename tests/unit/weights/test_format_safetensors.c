/* SPDX-License-Identifier: Apache-2.0 */
#include "weights_files.h"

static afn_status open_header(afn_weights **w, afn_buf *file, const char *header,
                              size_t data_bytes)
{
    *file = (afn_buf){ 0 };
    add_le(file, strlen(header), 8);
    afn_buf_str(file, header);
    for (size_t i = 0; i < data_bytes; i++) add_le(file, i, 1);
    assert_ok(afn_buf_finish(file));
    return afn_weights_open_memory(w, file->data, file->size);
}

#define T(dtype, shape, offsets)                                                       \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void every_type_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        afn_dtype dtype;
    } type[] = {
        { "F64", AFN_F64 },   { "F32", AFN_F32 }, { "F16", AFN_F16 },
        { "BF16", AFN_BF16 }, { "I64", AFN_I64 }, { "I32", AFN_I32 },
        { "I16", AFN_I16 },   { "I8", AFN_I8 },   { "U8", AFN_U8 },
        { "BOOL", AFN_BOOL },
    };
    for (size_t i = 0; i < AFN_COUNT(type); i++) {
        afn_buf b;
        afn_weights *w;
        char header[200];
        const size_t bytes = 2 * afn_dtype_bytes(type[i].dtype);
        snprintf(header, sizeof header,
                 "{\"x\":{\"dtype\":\"%s\",\"shape\":[1,2],\"data_offsets\":[0,%zu]}}",
                 type[i].name, bytes);
        assert_ok(open_header(&w, &b, header, bytes));
        assert_int_equal(afn_weights_find(w, "x")->dtype, type[i].dtype);
        afn_weights_free(w);
        afn_buf_free(&b);
    }
}

static void the_order_of_the_header_is_kept(void **state)
{
    (void)state;
    afn_buf b;
    afn_weights *w;
    assert_ok(open_header(
        &w, &b, "{\"z\":" T("U8", "[2]", "[1,3]") ",\"a\":" T("U8", "[]", "[0,1]") "}",
        3));
    assert_string_equal(afn_weights_get(w, 0)->name, "z");
    assert_values(w, "z", (const float[]){ 1, 2 }, 2);
    assert_values(w, "a", (const float[]){ 0 }, 1);
    afn_weights_free(w);
    afn_buf_free(&b);
}

static void damaged_headers_are_refused(void **state)
{
    (void)state;
    static const struct {
        afn_status code;
        const char *header;
        size_t bytes;
        const char *message;
    } row[] = {
        { AFN_EFORMAT, "{", 0, "header: json damaged at byte" },
        { AFN_EFORMAT, "{\"x\":1}", 0, "x: is not described by an object" },
        { AFN_EFORMAT, "{\"x\":{}}", 0, "x: dtype is not text" },
        { AFN_EUNSUPPORTED, "{\"x\":" T("F8_E4M3", "[1]", "[0,1]") "}", 1,
          "x: values of type F8_E4M3" },
        { AFN_EFORMAT, "{\"x\":" T("U8", "1", "[0,1]") "}", 1,
          "x: shape is not a list" },
        { AFN_EFORMAT, "{\"x\":" T("U8", "[-1]", "[0,1]") "}", 1,
          "x: a dimension is not a natural number" },
        { AFN_EFORMAT, "{\"x\":" T("U8", "[1.5]", "[0,1]") "}", 1, "x: a dimension" },
        { AFN_EUNSUPPORTED, "{\"x\":" T("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}", 1,
          "x: 9 dimensions" },
        { AFN_EFORMAT, "{\"x\":" T("U8", "[1]", "[0]") "}", 1,
          "x: data_offsets are not two numbers" },
        { AFN_EFORMAT, "{\"x\":" T("U8", "[1]", "[1,0]") "}", 1,
          "x: ends before it begins" },
        { AFN_EFORMAT, "{\"x\":" T("U8", "[9]", "[0,9]") "}", 1,
          "x: ends at byte 70, the file has 62" },
        { AFN_EFORMAT, "{\"x\":" T("F32", "[2]", "[0,4]") "}", 4,
          "x: shape and type need 8 bytes, the offsets give 4" },
        { AFN_EFORMAT, "{\"x\":" T("F32", "[9223372036854775807,9]", "[0,4]") "}", 4,
          "x: impossible shape" },
        { AFN_EFORMAT, "{\"x\":" T("F32", "[4611686018427387904]", "[0,0]") "}", 0,
          "x: impossible shape" },
        { AFN_EFORMAT,
          "{\"x\":" T("U8", "[2]", "[0,2]") ",\"y\":" T("U8", "[2]", "[1,3]") "}", 3,
          "y: begins at data byte 1, inside a tensor that ends at 2" },
        { AFN_EFORMAT,
          "{\"x\":" T("U8", "[1]", "[0,1]") ",\"y\":" T("U8", "[1]", "[2,3]") "}", 3,
          "y: begins at data byte 2, after a hole that begins at 1" },
        { AFN_EFORMAT, "{\"x\":" T("U8", "[1]", "[0,1]") "}", 3,
          "2 bytes at the end belong to no tensor" },
        { AFN_EFORMAT, "{\"__metadata__\":{\"a\":1}}", 0, "metadata a is not text" },
        { AFN_EFORMAT, "{\"__metadata__\":[]}", 0, "metadata is not an object" },
        { AFN_EFORMAT,
          "{\"x\":" T("U8", "[1]", "[0,1]") ",\"x\":" T("U8", "[1]", "[0,1]") "}", 1,
          "duplicate" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_buf b;
        afn_weights *w;
        assert_fails(row[i].code, row[i].message,
                     open_header(&w, &b, row[i].header, row[i].bytes));
        assert_null(w);
        afn_buf_free(&b);
    }
}

static void a_header_that_runs_past_the_end_is_refused(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    afn_weights *w;
    add_le(&b, 5000, 8);
    ADD(&b, "{}");
    assert_fails(AFN_EFORMAT, "header ends at byte 5008, the file has 10",
                 afn_weights_open_memory(&w, b.data, b.size));
    assert_null(w);
    afn_buf_free(&b);
}

static void complex_values_that_the_format_lacks_are_refused_on_saving(void **state)
{
    (void)state;
    afn_weights *w;
    char path[1100];
    const double one[2] = { 1, 0 };
    snprintf(path, sizeof path, "%s/c.safetensors", test_dir("safetensors"));
    assert_ok(afn_weights_new(&w));
    assert_ok(afn_weights_add(w, "c", AFN_C128, &(afn_shape){ 1, { 1 } }, one));
    assert_fails(AFN_EUNSUPPORTED, "c: safetensors has no complex128",
                 afn_weights_save(w, path));
    assert_false(afn_is_file(path));
    afn_weights_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_known),
        cmocka_unit_test(the_order_of_the_header_is_kept),
        cmocka_unit_test(damaged_headers_are_refused),
        cmocka_unit_test(a_header_that_runs_past_the_end_is_refused),
        cmocka_unit_test(complex_values_that_the_format_lacks_are_refused_on_saving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
