/* SPDX-License-Identifier: Apache-2.0 */
#include "pixel_goldens.h"

static void horizontal(afn_image *image, double a, double b)
{
    (void)a;
    (void)b;
    afn_pixels__flip_horizontal(image);
}

static void vertical(afn_image *image, double a, double b)
{
    (void)a;
    (void)b;
    afn_pixels__flip_vertical(image);
}

static void flips_are_pillows(void **state)
{
    (void)state;
    check_goldens("flip_horizontal", horizontal);
    check_goldens("flip_vertical", vertical);
}

static void two_flips_are_none(void **state)
{
    (void)state;
    afn_image was = test_picture(9, 6), image = test_picture(9, 6);
    horizontal(&image, 0, 0);
    assert_memory_not_equal(was.pixels, image.pixels, 9 * 6 * 3);
    horizontal(&image, 0, 0);
    assert_same_pixels(&was, &image);
    vertical(&image, 0, 0);
    assert_memory_not_equal(was.pixels, image.pixels, 9 * 6 * 3);
    vertical(&image, 0, 0);
    assert_same_pixels(&was, &image);
    afn_image_free(&was);
    afn_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flips_are_pillows),
        cmocka_unit_test(two_flips_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
