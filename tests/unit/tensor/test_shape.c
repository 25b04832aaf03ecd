/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"
#include "tensor/tensor.h"

static void counts_are_products_or_minus_one(void **state)
{
    (void)state;
    const struct {
        afn_shape shape;
        int64_t count;
    } row[] = {
        { { 0, { 0 } }, 1 },
        { AFN_SHAPE(5), 5 },
        { AFN_SHAPE(64, 3, 7, 7), 9408 },
        { AFN_SHAPE(0), 0 },
        { AFN_SHAPE(0, INT64_MAX, INT64_MAX), 0 },
        { AFN_SHAPE(INT64_MAX, INT64_MAX, 0), 0 },
        { AFN_SHAPE(INT64_MAX), INT64_MAX },
        { AFN_SHAPE(INT64_MAX, 2), -1 },
        { AFN_SHAPE(INT64_C(1) << 32, INT64_C(1) << 32), -1 },
        { AFN_SHAPE(3, -1), -1 },
        { AFN_SHAPE(0, -1), -1 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_true(afn_shape_count(&row[i].shape) == row[i].count);
}

static void shapes_are_equal_by_rank_and_dimensions(void **state)
{
    (void)state;
    assert_true(afn_shape_equal(&AFN_SHAPE(2, 3), &AFN_SHAPE(2, 3)));
    assert_false(afn_shape_equal(&AFN_SHAPE(2, 3), &AFN_SHAPE(3, 2)));
    assert_false(afn_shape_equal(&AFN_SHAPE(2, 3), &AFN_SHAPE(2, 3, 1)));
}

static void text_is_cut_to_fit(void **state)
{
    (void)state;
    char buf[64], small[6];
    assert_string_equal(afn_shape_text(&AFN_SHAPE(64, 3, 7, 7), buf, sizeof buf),
                        "(64,3,7,7)");
    assert_string_equal(afn_shape_text(&(afn_shape){ 0 }, buf, sizeof buf), "()");
    assert_string_equal(afn_shape_text(&AFN_SHAPE(7), buf, sizeof buf), "(7)");
    for (size_t n = 1; n <= sizeof small; n++) {
        afn_shape_text(&AFN_SHAPE(64, 3, 7, 7), small, n);
        assert_int_equal(strlen(small), n - 1);
        assert_memory_equal(small, "(64,3,", n - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_products_or_minus_one),
        cmocka_unit_test(shapes_are_equal_by_rank_and_dimensions),
        cmocka_unit_test(text_is_cut_to_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
