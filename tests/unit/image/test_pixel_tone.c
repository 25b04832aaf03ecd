/* SPDX-License-Identifier: Apache-2.0 */
#include "pixel_goldens.h"

static void posterize(afn_image *image, double a, double b)
{
    (void)b;
    afn_pixels__posterize(image, (int)a);
}

static void solarize(afn_image *image, double a, double b)
{
    (void)b;
    afn_pixels__solarize(image, a);
}

static void autocontrast(afn_image *image, double a, double b)
{
    (void)a;
    (void)b;
    afn_pixels__autocontrast(image);
}

static void equalize(afn_image *image, double a, double b)
{
    (void)a;
    (void)b;
    afn_pixels__equalize(image);
}

static void tables_are_pillows(void **state)
{
    (void)state;
    check_goldens("posterize", posterize);
    check_goldens("solarize", solarize);
    check_goldens("autocontrast", autocontrast);
    check_goldens("equalize", equalize);
}

static void a_picture_of_one_colour_has_nothing_to_stretch_or_level(void **state)
{
    (void)state;
    afn_image image = test_picture(20, 20);
    for (int i = 0; i < 1200; i++) image.pixels[i] = 77;
    autocontrast(&image, 0, 0);
    equalize(&image, 0, 0);
    for (int i = 0; i < 1200; i++) assert_int_equal(image.pixels[i], 77);
    afn_image_free(&image);
}

static void two_values_are_stretched_to_black_and_white(void **state)
{
    (void)state;
    afn_image image = test_picture(2, 1);
    for (int c = 0; c < 3; c++) {
        image.pixels[c] = 100;
        image.pixels[3 + c] = 101;
    }
    autocontrast(&image, 0, 0);
    for (int c = 0; c < 3; c++) {
        assert_int_equal(image.pixels[c], 0);
        assert_int_equal(image.pixels[3 + c], 255);
    }
    afn_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_pillows),
        cmocka_unit_test(a_picture_of_one_colour_has_nothing_to_stretch_or_level),
        cmocka_unit_test(two_values_are_stretched_to_black_and_white),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
