/* SPDX-License-Identifier: Apache-2.0 */
#include "pixel_goldens.h"

static void hue(afn_image *image, double a, double b)
{
    (void)b;
    afn_pixels__hue(image, a);
}

static void turned_hues_are_torchvisions(void **state)
{
    (void)state;
    check_goldens("hue", hue);
}

/* A third of the circle takes red to green, green to blue, blue to red. */
static void pure_colours_follow_the_circle(void **state)
{
    (void)state;
    static const uint8_t from[3][3] = { { 255, 0, 0 }, { 0, 255, 0 }, { 0, 0, 255 } };
    for (int i = 0; i < 3; i++) {
        uint8_t p[3] = { from[i][0], from[i][1], from[i][2] };
        afn_image one = { 1, 1, p, 3 };
        afn_pixels__hue(&one, 1.0 / 3);
        assert_memory_equal(p, from[(i + 1) % 3], 3);
    }
}

static void gray_has_no_hue_to_turn(void **state)
{
    (void)state;
    for (int v = 0; v < 256; v++) {
        uint8_t p[3] = { (uint8_t)v, (uint8_t)v, (uint8_t)v };
        afn_image one = { 1, 1, p, 3 };
        afn_pixels__hue(&one, -0.4);
        assert_true(p[0] == v && p[1] == v && p[2] == v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turned_hues_are_torchvisions),
        cmocka_unit_test(pure_colours_follow_the_circle),
        cmocka_unit_test(gray_has_no_hue_to_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
