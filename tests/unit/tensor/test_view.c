/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"
#include "tensor/tensor.h"

static void contiguous_strides_are_products_from_the_right(void **state)
{
    (void)state;
    afn_view v = { .shape = AFN_SHAPE(2, 3, 4) };
    afn_view_contiguous(&v);
    assert_int_equal(v.stride[0], 12);
    assert_int_equal(v.stride[1], 4);
    assert_int_equal(v.stride[2], 1);
    assert_true(afn_view_is_contiguous(&v));
    v.stride[1] = 5;
    assert_false(afn_view_is_contiguous(&v));
}

static void the_stride_of_a_dimension_of_one_does_not_matter(void **state)
{
    (void)state;
    const afn_view v = { .shape = AFN_SHAPE(1, 3, 1), .stride = { 99, 1, 77 } };
    assert_true(afn_view_is_contiguous(&v));
}

static void every_element_must_lie_inside(void **state)
{
    (void)state;
    const struct {
        afn_shape shape;
        int64_t stride[2], offset, count;
        bool fits;
    } row[] = {
        { AFN_SHAPE(2, 3), { 3, 1 }, 0, 6, true },
        { AFN_SHAPE(2, 3), { 3, 1 }, 1, 6, false },
        { AFN_SHAPE(2, 3), { 1, 2 }, 0, 6, true },
        { AFN_SHAPE(2, 3), { 1, 3 }, 0, 6, false },
        { AFN_SHAPE(100, 100), { 0, 0 }, 5, 6, true },
        { AFN_SHAPE(2, 3), { -1, 1 }, 3, 6, false },
        { AFN_SHAPE(2, 2), { INT64_MAX, INT64_MAX }, 0, INT64_MAX, false },
        { AFN_SHAPE(3, 1), { INT64_MAX / 2 + 1, 1 }, 0, INT64_MAX, false },
        { AFN_SHAPE(0, 5), { 5, 1 }, 6, 6, true },
        { AFN_SHAPE(0, 5), { 5, 1 }, 7, 6, false },
        { AFN_SHAPE(1, 1), { 1, 1 }, 6, 6, false },
        { AFN_SHAPE(1, 1), { 1, 1 }, -1, 6, false },
        { AFN_SHAPE(-1, 1), { 1, 1 }, 0, 6, false },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        const afn_view v = { .shape = row[i].shape,
                             .stride = { row[i].stride[0], row[i].stride[1] } };
        if (afn_view_fits(&v, row[i].offset, row[i].count) != row[i].fits)
            fail_msg("row %zu", i);
    }
}

static void strided_values_come_out_in_row_major_order(void **state)
{
    (void)state;
    static const float data[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
    static const float turned[] = { 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11 };
    float out[12];
    afn_view v = { data, AFN_F32, AFN_SHAPE(4, 3), { 1, 4 } };
    assert_ok(afn_view_read_f32(&v, out));
    assert_memory_equal(out, turned, sizeof out);
    memset(out, 0, sizeof out);
    afn_view_read_raw(&v, out);
    assert_memory_equal(out, turned, sizeof out);
    v = (afn_view){ data + 7, AFN_F32, AFN_SHAPE(2, 2), { 0, 2 } };
    assert_ok(afn_view_read_f32(&v, out));
    assert_memory_equal(out, ((const float[]){ 7, 9, 7, 9 }), 4 * sizeof *out);
}

/* 1 and -2 (1 for types without a sign), at an odd address. */
static void every_type_becomes_fp32_and_int64(void **state)
{
    (void)state;
    static const struct {
        afn_dtype dtype;
        unsigned char bytes[17]; /* after one byte of padding */
        float second;
        bool to_i64;
    } row[] = {
        { AFN_F32, { 0, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0 }, -2, false },
        { AFN_F16, { 0, 0, 0x3C, 0, 0xC0 }, -2, false },
        { AFN_BF16, { 0, 0x80, 0x3F, 0, 0xC0 }, -2, false },
        { AFN_F64,
          { 0, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0 },
          -2,
          false },
        { AFN_I64,
          { 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xFE, 255, 255, 255, 255, 255, 255, 255 },
          -2,
          true },
        { AFN_I32, { 0, 1, 0, 0, 0, 0xFE, 255, 255, 255 }, -2, true },
        { AFN_I16, { 0, 1, 0, 0xFE, 255 }, -2, true },
        { AFN_I8, { 0, 1, 0xFE }, -2, true },
        { AFN_U8, { 0, 1, 254 }, 254, true },
        { AFN_BOOL, { 0, 1, 0 }, 0, true },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        float f[2];
        int64_t n[2];
        unsigned char raw[16];
        const size_t bytes = 2 * afn_dtype_bytes(row[i].dtype);
        const afn_view v = { row[i].bytes + 1, row[i].dtype, AFN_SHAPE(2), { 1 } };
        assert_ok(afn_view_read_f32(&v, f));
        assert_true(f[0] == 1 && f[1] == row[i].second);
        afn_view_read_raw(&v, raw);
        assert_memory_equal(raw, row[i].bytes + 1, bytes);
        if (!row[i].to_i64) {
            assert_fails(AFN_EUNSUPPORTED, "cannot become int64",
                         afn_view_read_i64(&v, n));
            continue;
        }
        assert_ok(afn_view_read_i64(&v, n));
        assert_true(n[0] == 1 && (float)n[1] == row[i].second);
    }
}

static void complex_values_are_copied_but_not_converted(void **state)
{
    (void)state;
    const double data[4] = { 1, 2, 3, 4 };
    double out[4];
    float f[2];
    int64_t n[2];
    const afn_view v = { data, AFN_C128, AFN_SHAPE(2), { 1 } };
    const afn_view strided = { data, AFN_C128, AFN_SHAPE(2, 1), { 0, 1 } };
    afn_view_read_raw(&v, out);
    assert_memory_equal(out, data, sizeof out);
    afn_view_read_raw(&strided, out);
    assert_true(out[2] == 1 && out[3] == 2);
    assert_fails(AFN_EUNSUPPORTED, "complex128 values cannot become float32",
                 afn_view_read_f32(&v, f));
    assert_fails(AFN_EUNSUPPORTED, "complex128 values cannot become int64",
                 afn_view_read_i64(&v, n));
}

static void a_view_without_elements_touches_nothing(void **state)
{
    (void)state;
    const afn_view v = { NULL, AFN_F32, AFN_SHAPE(0, 3), { 3, 1 } };
    assert_ok(afn_view_read_f32(&v, NULL));
    afn_view_read_raw(&v, NULL);
}

static void a_scalar_is_one_element(void **state)
{
    (void)state;
    const int64_t value = 42;
    int64_t n;
    const afn_view v = { &value, AFN_I64, { 0, { 0 } }, { 0 } };
    assert_true(afn_view_is_contiguous(&v));
    assert_true(afn_view_fits(&v, 0, 1));
    assert_ok(afn_view_read_i64(&v, &n));
    assert_int_equal(n, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contiguous_strides_are_products_from_the_right),
        cmocka_unit_test(the_stride_of_a_dimension_of_one_does_not_matter),
        cmocka_unit_test(every_element_must_lie_inside),
        cmocka_unit_test(strided_values_come_out_in_row_major_order),
        cmocka_unit_test(every_type_becomes_fp32_and_int64),
        cmocka_unit_test(complex_values_are_copied_but_not_converted),
        cmocka_unit_test(a_view_without_elements_touches_nothing),
        cmocka_unit_test(a_scalar_is_one_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
