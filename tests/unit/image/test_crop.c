/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"

#include "image/image.h"

/* Pixel (x, y) is (x + 1, y + 1, 9): never black. */
static afn_image numbered(int width, int height)
{
    afn_image image;
    assert_ok(afn_image__alloc(&image, width, height));
    for (int i = 0; i < width * height; i++) {
        image.pixels[3 * i] = (uint8_t)(i % width + 1);
        image.pixels[3 * i + 1] = (uint8_t)(i / width + 1);
        image.pixels[3 * i + 2] = 9;
    }
    return image;
}

/* Rows made with torchvision 0.14.1: int(round((have - want) / 2.0)), (want - have)//2
 */
static void starts_round_half_to_even(void **state)
{
    (void)state;
    static const int row[][3] = {
        /* have, want, start */
        { 256, 224, 16 }, { 4, 4, 0 }, { 5, 4, 0 },  { 6, 4, 1 },  { 7, 4, 2 },
        { 8, 4, 2 },      { 9, 4, 2 }, { 11, 4, 4 }, { 4, 5, 0 },  { 4, 6, -1 },
        { 4, 7, -1 },     { 1, 2, 0 }, { 1, 3, -1 }, { 1, 4, -1 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_int_equal(afn_image__crop_start(row[i][0], row[i][1]), row[i][2]);
}

static void a_smaller_picture_gets_a_black_border(void **state)
{
    (void)state;
    afn_image in = numbered(2, 5), out;
    assert_ok(afn_image_center_crop(&out, &in, 5, 3)); /* 1 left, 2 right */
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 5; x++) {
            const uint8_t *p = out.pixels + 3 * (5 * y + x);
            const bool inside = x >= 1 && x < 3;
            assert_int_equal(p[0], inside ? x : 0);
            assert_int_equal(p[1], inside ? y + 2 : 0);
            assert_int_equal(p[2], inside ? 9 : 0);
        }
    afn_image_free(&in);
    afn_image_free(&out);
}

static void sides_out_of_range_are_refused(void **state)
{
    (void)state;
    afn_image in = numbered(2, 2), out, none = { 0 };
    assert_fails(AFN_EINVAL, "0x1 pixels", afn_image_center_crop(&out, &in, 0, 1));
    assert_fails(AFN_EINVAL, "1x-5 pixels", afn_image_center_crop(&out, &in, 1, -5));
    assert_fails(AFN_EINVAL, "pixels",
                 afn_image_center_crop(&out, &in, INT64_MAX, INT64_MAX));
    assert_fails(AFN_EINVAL, "0x0 pixels", afn_image_center_crop(&out, &none, 1, 1));
    assert_null(out.pixels);
    afn_image_free(&in);
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    afn_image in = numbered(2, 2), out;
    afn_alloc_fail_at(1);
    assert_fails(AFN_ENOMEM, "out of memory", afn_image_center_crop(&out, &in, 1, 1));
    afn_alloc_fail_at(0);
    assert_null(out.pixels);
    afn_image_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_round_half_to_even),
        cmocka_unit_test(a_smaller_picture_gets_a_black_border),
        cmocka_unit_test(sides_out_of_range_are_refused),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
