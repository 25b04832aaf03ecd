/* SPDX-License-Identifier: Apache-2.0 */
/* What is a near-duplicate and what is not. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "data/look.h"
#include "make_scene.h"

enum { SCENES = 60 };

static void look_at(afn_look *out, uint64_t seed, int width, int height)
{
    afn_image image;
    make_scene(&image, seed, width, height);
    assert_ok(afn_data__look(out, &image));
    assert_true(out->usable);
    afn_image_free(&image);
}

static void other_sizes_of_a_picture_are_alike_and_other_pictures_not(void **state)
{
    (void)state;
    static afn_look large[SCENES], small[SCENES], wide[SCENES];
    for (int i = 0; i < SCENES; i++) {
        look_at(&large[i], (uint64_t)i, 200, 200);
        look_at(&small[i], (uint64_t)i, 64, 64);
        look_at(&wide[i], (uint64_t)i, 300, 90);
    }
    for (int i = 0; i < SCENES; i++)
        for (int k = 0; k < SCENES; k++) {
            assert_int_equal(i == k, afn_data__alike(&large[i], &small[k]));
            assert_int_equal(i == k, afn_data__alike(&large[i], &wide[k]));
            if (i != k) assert_false(afn_data__alike(&large[i], &large[k]));
        }
}

static void a_change_of_light_or_a_few_pixels_leaves_them_alike(void **state)
{
    (void)state;
    for (int i = 0; i < SCENES; i++) {
        afn_image image, cut;
        afn_look a, b;
        make_scene(&image, (uint64_t)i, 200, 200);
        assert_ok(afn_data__look(&a, &image));
        for (int k = 0; k < 200 * 200 * 3; k++)
            image.pixels[k] = (uint8_t)(20 + image.pixels[k] * 4 / 5);
        assert_ok(afn_data__look(&b, &image));
        assert_true(afn_data__alike(&a, &b));
        assert_ok(afn_image_center_crop(&cut, &image, 197, 197));
        assert_ok(afn_data__look(&b, &cut));
        assert_true(afn_data__alike(&a, &b));
        afn_image_free(&image);
        afn_image_free(&cut);
    }
}

static void plain_pictures_are_like_nothing(void **state)
{
    (void)state;
    afn_image image;
    afn_look a;
    assert_ok(afn_image__alloc(&image, 50, 40));
    memset(image.pixels, 200, 50 * 40 * 3);
    for (int i = 0; i < 50; i++) image.pixels[3 * i] = (uint8_t)(200 + i % 3);
    assert_ok(afn_data__look(&a, &image));
    assert_false(a.usable);
    assert_false(afn_data__alike(&a, &a));
    afn_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_sizes_of_a_picture_are_alike_and_other_pictures_not),
        cmocka_unit_test(a_change_of_light_or_a_few_pixels_leaves_them_alike),
        cmocka_unit_test(plain_pictures_are_like_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
