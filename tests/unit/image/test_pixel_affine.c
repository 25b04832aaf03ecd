/* SPDX-License-Identifier: Apache-2.0 */
#include "pixel_goldens.h"

static void rotate(afn_image *image, double a, double b)
{
    CHANGE_INTO(image, afn_pixels__rotate(out, image, a, b != 0));
}

static void shear(afn_image *image, double a, double b)
{
    CHANGE_INTO(image, afn_pixels__shear(out, image, a, b));
}

static void translate(afn_image *image, double a, double b)
{
    CHANGE_INTO(image, afn_pixels__translate(out, image, (int64_t)a, (int64_t)b));
}

static void maps_are_pillows(void **state)
{
    (void)state;
    check_goldens("rotate", rotate);
    check_goldens("shear", shear);
    check_goldens("translate", translate);
}

static void four_quarter_turns_are_none(void **state)
{
    (void)state;
    afn_image was = test_picture(8, 8), image = test_picture(8, 8);
    for (int i = 0; i < 4; i++) rotate(&image, 90, i % 2);
    assert_same_pixels(&was, &image);
    rotate(&image, 180, 0);
    rotate(&image, -180, 0);
    rotate(&image, 720, 1);
    assert_same_pixels(&was, &image);
    afn_image_free(&was);
    afn_image_free(&image);
}

/* Beyond the 16 bits of fixed point, and with numbers that no picture has. */
static void far_away_there_is_only_black(void **state)
{
    (void)state;
    static const afn_affine far[] = { { { 1, 0.5, 1e6, 0.5, 1, 0 } },
                                      { { 1e300, 1, 0, 1, 1e300, 0 } },
                                      { { 1, 0, -1e18, 0, 1, 1e18 } } };
    for (size_t i = 0; i < AFN_COUNT(far); i++)
        for (int smooth = 0; smooth < 2; smooth++) {
            afn_image image = test_picture(5, 4);
            CHANGE_INTO(&image, afn_pixels__transform(out, &image, &far[i], smooth));
            for (int k = 0; k < 60; k++) assert_int_equal(image.pixels[k], 0);
            afn_image_free(&image);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_are_pillows),
        cmocka_unit_test(four_quarter_turns_are_none),
        cmocka_unit_test(far_away_there_is_only_black),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
