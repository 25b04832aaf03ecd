/* SPDX-License-Identifier: Apache-2.0 */
#include "pixel_goldens.h"

static void brightness(afn_image *image, double a, double b)
{
    (void)b;
    afn_pixels__brightness(image, a);
}

static void contrast(afn_image *image, double a, double b)
{
    (void)b;
    afn_pixels__contrast(image, a);
}

static void saturation(afn_image *image, double a, double b)
{
    (void)b;
    afn_pixels__saturation(image, a);
}

static void grayscale(afn_image *image, double a, double b)
{
    (void)a;
    (void)b;
    afn_pixels__grayscale(image);
}

static void sharpness(afn_image *image, double a, double b)
{
    (void)b;
    CHANGE_INTO(image, afn_pixels__sharpness(out, image, a));
}

static void blends_are_pillows(void **state)
{
    (void)state;
    check_goldens("brightness", brightness);
    check_goldens("contrast", contrast);
    check_goldens("saturation", saturation);
    check_goldens("grayscale", grayscale);
    check_goldens("sharpness", sharpness);
}

static void one_changes_nothing_and_zero_leaves_the_poorer_picture(void **state)
{
    (void)state;
    static const test_change all[] = { brightness, contrast, saturation, sharpness };
    for (size_t i = 0; i < AFN_COUNT(all); i++) {
        afn_image was = test_picture(21, 10), image = test_picture(21, 10);
        all[i](&image, 1, 0);
        assert_same_pixels(&was, &image);
        afn_image_free(&was);
        afn_image_free(&image);
    }
    afn_image black = test_picture(5, 5), gray = test_picture(5, 5);
    brightness(&black, 0, 0);
    for (int i = 0; i < 75; i++) assert_int_equal(black.pixels[i], 0);
    contrast(&gray, 0, 0);
    for (int i = 1; i < 75; i++) assert_int_equal(gray.pixels[i], gray.pixels[0]);
    afn_image_free(&black);
    afn_image_free(&gray);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blends_are_pillows),
        cmocka_unit_test(one_changes_nothing_and_zero_leaves_the_poorer_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
