/* SPDX-License-Identifier: Apache-2.0 */
/* IDX headers. */
#include "afn_test.h"

#include "io/io.h"

static void shape_and_values_are_found(void **state)
{
    (void)state;
    static const uint8_t file[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0,
                                    1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6 };
    afn_idx a;
    assert_ok(afn_idx_parse(&a, file, sizeof file));
    assert_int_equal(3, a.n_dims);
    assert_int_equal(2, a.dim[0]);
    assert_int_equal(1, a.dim[1]);
    assert_int_equal(3, a.dim[2]);
    assert_int_equal(1, a.dim[3]);
    assert_int_equal(6, a.size);
    assert_ptr_equal(file + 16, a.data);
    for (size_t n = 0; n < sizeof file; n++)
        assert_int_equal(AFN_EFORMAT, afn_idx_parse(&a, file, n));
}

static void what_cannot_be_meant_is_refused(void **state)
{
    (void)state;
    static const uint8_t floats[] = { 0, 0, 0x0d, 1, 0, 0, 0, 0 };
    static const uint8_t deep[] = { 0, 0, 8, 5, 0, 0, 0, 1 };
    static const uint8_t huge[] = { 0,    0,    8,    4,    0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    static const uint8_t text[] = "not an idx file at all";
    afn_idx a;
    assert_fails(AFN_EUNSUPPORTED, "elements of type 0x0d",
                 afn_idx_parse(&a, floats, sizeof floats));
    assert_fails(AFN_EUNSUPPORTED, "5 dimensions",
                 afn_idx_parse(&a, deep, sizeof deep));
    assert_fails(AFN_EFORMAT, "cut off", afn_idx_parse(&a, huge, sizeof huge));
    assert_fails(AFN_EFORMAT, "not an IDX file", afn_idx_parse(&a, text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_and_values_are_found),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
