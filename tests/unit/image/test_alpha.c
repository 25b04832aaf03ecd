/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of four channels on their way to a network.  That all their pixels are
 * Pillow's is checked by tests/oracle/check_alpha.py. */
#include "image/augment.h"
#include "make_picture.h"

enum { CROP = 20, PIXELS = CROP * CROP };

static const afn_preprocess four = { .resize = 24,
                                     .crop = CROP,
                                     .filter = AFN_FILTER_NEAREST,
                                     .channels = 4,
                                     .mean = { 0.5f, 0.25f, 0.25f, 0.5f },
                                     .std = { 1, 1, 1, 1 } };

/* Noise; alpha is the same as red. */
static afn_image noise(int64_t width, int64_t height, uint32_t seed)
{
    afn_image image;
    afn_rng r = afn_rng_new(seed, afn_rng_stream(AFN_RNG_TEST, 4, 0));
    assert_ok(afn_image__alloc_channels(&image, width, height, 4));
    for (int64_t i = 0; i < width * height * 4; i++)
        image.pixels[i] = (uint8_t)afn_rng_u32(&r);
    for (int64_t i = 0; i < width * height; i++)
        image.pixels[4 * i + 3] = image.pixels[4 * i];
    return image;
}

static void augment(uint8_t *out, const char *spec, const afn_image *in, int64_t sample)
{
    afn_augment *a;
    const afn_augment_draw at = { 1, 0, sample };
    assert_ok(afn_augment_new(&a, spec));
    assert_ok(afn_augment_apply(a, &four, in, &at, out));
    afn_augment_free(a);
}

static void what_is_transparent_lends_no_colour(void **state)
{
    (void)state;
    uint8_t pixels[] = { 255, 0, 0, 255, 0, 255, 0, 0 };
    const uint8_t mixed[] = { 255, 0, 0, 128 }, stored[] = { 0, 255, 0, 0 };
    const afn_image in = { 2, 1, pixels, 4 };
    afn_image out;
    assert_ok(afn_image_resize(&out, &in, 1, 1, AFN_FILTER_BOX));
    assert_int_equal(afn_image_channels(&out), 4);
    assert_memory_equal(out.pixels, mixed, 4);
    afn_image_free(&out);
    assert_ok(afn_image_resize(&out, &in, 1, 1, AFN_FILTER_NEAREST));
    assert_memory_equal(out.pixels, stored, 4);
    afn_image_free(&out);
}

static void a_png_gives_its_alpha_where_it_is_asked_for(void **state)
{
    (void)state;
    const uint8_t raw[] = {
        0, 10, 20, 30, 0, 40, 50, 60, 255
    }; /* filter, two pixels */
    const uint8_t rgb[] = { 10, 20, 30, 40, 50, 60 };
    afn_buf png = { 0 };
    afn_image image;
    make_png(&png, (png_head){ 2, 1, 8, 6, 0 }, raw, sizeof raw);
    assert_ok(afn_image_decode(&image, png.data, png.size, NULL));
    assert_int_equal(afn_image_channels(&image), 3);
    assert_memory_equal(image.pixels, rgb, sizeof rgb);
    afn_image_free(&image);
    afn_decode_opts o = afn_preprocess_decoding(&four);
    assert_ok(afn_image_decode(&image, png.data, png.size, &o));
    assert_int_equal(afn_image_channels(&image), 4);
    assert_memory_equal(image.pixels, raw + 1, sizeof raw - 1);
    afn_image_free(&image);
    o.channels = 5;
    assert_fails(AFN_EINVAL, "png: decoding to 5 channels, need 3 or 4",
                 afn_image_decode(&image, png.data, png.size, &o));
    afn_buf_free(&png);
}

static void a_picture_without_alpha_is_opaque_and_its_border_is_not(void **state)
{
    (void)state;
    uint8_t rgb[] = { 1, 2, 3, 4, 5, 6 }, out[4 * 4 * 4];
    const uint8_t row[] = { 0, 0, 0, 0, 1, 2, 3, 255, 4, 5, 6, 255, 0, 0, 0, 0 };
    const afn_image in = { .width = 2, .height = 1, .pixels = rgb };
    const afn_preprocess p = { .fit = AFN_FIT_PAD, .crop = 4, .channels = 4 };
    assert_ok(afn_preprocess_apply(&p, &in, out));
    assert_memory_equal(out + sizeof row * 2, row, sizeof row);
}

static void alpha_moves_with_the_colours(void **state)
{
    (void)state;
    uint8_t out[PIXELS * 4];
    afn_image in = noise(50, 40, 1);
    for (int64_t sample = 0; sample < 20; sample++) {
        augment(out, "crop,hflip,vflip,rotate=90:bilinear,blur=5,erase=1", &in, sample);
        for (int i = 0; i < PIXELS; i++) assert_int_equal(out[4 * i], out[4 * i + 3]);
    }
    afn_image_free(&in);
}

/* The same alpha under other colours comes out as the same. */
static void steps_on_colour_leave_alpha(void **state)
{
    (void)state;
    uint8_t plain[PIXELS * 4], one[PIXELS * 4], other[PIXELS * 4];
    afn_image in = noise(50, 40, 1), second = noise(50, 40, 2);
    for (int64_t i = 0; i < 50 * 40; i++)
        second.pixels[4 * i + 3] = in.pixels[4 * i + 3];
    assert_ok(afn_preprocess_apply(&four, &in, plain));
    augment(one, "color=0.9:0.9:0.9:0.4,grayscale=1", &in, 0);
    assert_memory_not_equal(plain, one, sizeof plain);
    for (int i = 0; i < PIXELS; i++) assert_int_equal(one[4 * i + 3], plain[4 * i + 3]);
    for (int64_t sample = 0; sample < 50; sample++) {
        augment(one, "trivial,rand=4", &in, sample);
        augment(other, "trivial,rand=4", &second, sample);
        for (int i = 0; i < PIXELS; i++)
            assert_int_equal(one[4 * i + 3], other[4 * i + 3]);
    }
    afn_image_free(&in);
    afn_image_free(&second);
}

static void a_jpeg_is_written_without_it(void **state)
{
    (void)state;
    afn_image in = noise(9, 7, 3), back;
    afn_buf jpeg = { 0 };
    assert_ok(afn_image__encode_jpeg(&jpeg, &in, 90));
    assert_ok(afn_image_decode(&back, jpeg.data, jpeg.size, NULL));
    assert_int_equal(back.width, 9);
    assert_int_equal(back.height, 7);
    afn_image_free(&back);
    afn_image_free(&in);
    afn_buf_free(&jpeg);
}

static void failing_allocations_are_reported(void **state)
{
    (void)state;
    uint8_t out[PIXELS * 4], rgb[30 * 30 * 3] = { 0 };
    const afn_image in = { .width = 30, .height = 30, .pixels = rgb };
    const afn_augment_draw at = { 1, 1, 1 };
    afn_preprocess p = four;
    p.filter = AFN_FILTER_BILINEAR;
    afn_augment *a;
    assert_ok(afn_augment_new(&a, "hflip"));
    const int64_t before = afn_alloc_count();
    assert_ok(afn_augment_apply(a, &p, &in, &at, out));
    const int64_t n = afn_alloc_count() - before;
    assert_true(n >= 6);
    for (int64_t k = 1; k <= n; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_augment_apply(a, &p, &in, &at, out);
        afn_alloc_fail_at(0);
        assert_int_equal(st, AFN_ENOMEM);
    }
    afn_augment_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_transparent_lends_no_colour),
        cmocka_unit_test(a_png_gives_its_alpha_where_it_is_asked_for),
        cmocka_unit_test(a_picture_without_alpha_is_opaque_and_its_border_is_not),
        cmocka_unit_test(alpha_moves_with_the_colours),
        cmocka_unit_test(steps_on_colour_leave_alpha),
        cmocka_unit_test(a_jpeg_is_written_without_it),
        cmocka_unit_test(failing_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
