/* SPDX-License-Identifier: Apache-2.0 */
/* Resize and crop in one go against the two steps, one after the other. */
#include "afn_test.h"

#include "image/image.h"

static afn_image noise(int64_t width, int64_t height)
{
    afn_image image;
    afn_rng r = afn_rng_new(7, afn_rng_stream(AFN_RNG_TEST, 1, 0));
    assert_ok(afn_image__alloc(&image, width, height));
    for (int64_t i = 0; i < width * height * 3; i++)
        image.pixels[i] = (uint8_t)afn_rng_u32(&r);
    return image;
}

/* Sizes by torchvision's Resize(int): short side s, long int(s * long / short). */
static void both_steps_give_the_same_as_one(void **state)
{
    (void)state;
    static const struct {
        int width, height, resize, to_width, to_height, crop;
    } row[] = {
        { 60, 40, 30, 45, 30, 28 },  { 40, 60, 30, 30, 45, 28 },
        { 41, 17, 20, 48, 20, 15 },  { 17, 41, 20, 20, 48, 15 },
        { 33, 33, 33, 33, 33, 20 },  { 7, 100, 16, 16, 228, 30 },
        { 10, 10, 5, 5, 5, 8 },      { 50, 20, 0, 50, 20, 31 },
        { 3, 2, 224, 336, 224, 64 }, { 1, 1, 9, 9, 9, 9 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        for (int f = 0; f < AFN_N_FILTERS; f++) {
            afn_image in = noise(row[i].width, row[i].height), resized, cropped;
            afn_preprocess p = afn_preprocess_imagenet();
            p.resize = row[i].resize;
            p.crop = row[i].crop;
            p.filter = (afn_filter)f;
            assert_ok(afn_image_resize(&resized, &in, row[i].to_width, row[i].to_height,
                                       p.filter));
            assert_ok(afn_image_center_crop(&cropped, &resized, p.crop, p.crop));
            const size_t bytes = (size_t)(p.crop * p.crop) * 3;
            uint8_t *out = malloc(bytes);
            memset(out, 0xee, bytes);
            assert_ok(afn_preprocess_apply(&p, &in, out));
            assert_memory_equal(out, cropped.pixels, bytes);
            free(out);
            afn_image_free(&in);
            afn_image_free(&resized);
            afn_image_free(&cropped);
        }
}

static void a_thread_like_picture_needs_little_memory(void **state)
{
    (void)state;
    static uint8_t out[224 * 224 * 3];
    const afn_preprocess p = afn_preprocess_imagenet();
    afn_image in = noise(1, 400000); /* 256 x 102,400,000 after Resize */
    assert_ok(afn_preprocess_apply(&p, &in, out));
    afn_image_free(&in);
    in = noise(20000000, 1);
    assert_fails(AFN_EINVAL, "too long to resize to 256",
                 afn_preprocess_apply(&p, &in, out));
    afn_image_free(&in);
}

static void the_default_is_imagenet(void **state)
{
    (void)state;
    const afn_preprocess p = afn_preprocess_imagenet();
    assert_int_equal(p.resize, 256);
    assert_int_equal(p.crop, 224);
    assert_int_equal(p.filter, AFN_FILTER_BILINEAR);
    assert_true(p.mean[0] == 0.485f && p.std[2] == 0.225f);
}

/* Border and picture of a wide one of 4x2 white pixels, in a square of 8. */
static void other_fits_show_all_of_the_picture(void **state)
{
    (void)state;
    static const struct {
        afn_fit_mode fit;
        int64_t left, top, right, bottom; /* what is white */
    } row[] = { { AFN_FIT_SQUASH, 0, 0, 8, 8 },
                { AFN_FIT_LETTERBOX, 0, 2, 8, 6 },
                { AFN_FIT_PAD, 2, 3, 6, 5 } };
    uint8_t out[8 * 8 * 3];
    afn_image in;
    assert_ok(afn_image__alloc(&in, 4, 2));
    memset(in.pixels, 255, 4 * 2 * 3);
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_preprocess p = afn_preprocess_imagenet();
        p.fit = row[i].fit;
        p.crop = 8;
        memset(out, 77, sizeof out);
        assert_ok(afn_preprocess_apply(&p, &in, out));
        for (int k = 0; k < 8 * 8; k++) {
            const int x = k % 8, y = k / 8;
            const bool white = x >= row[i].left && x < row[i].right &&
                               y >= row[i].top && y < row[i].bottom;
            for (int c = 0; c < 3; c++)
                assert_int_equal(out[3 * k + c], white ? 255 : 0);
        }
    }
    afn_image_free(&in);
}

static void a_thread_like_picture_keeps_a_pixel(void **state)
{
    (void)state;
    uint8_t out[8 * 8 * 3];
    afn_image in;
    assert_ok(afn_image__alloc(&in, 10000, 1));
    memset(in.pixels, 255, 30000);
    for (int fit = AFN_FIT_SQUASH; fit < AFN_N_FITS; fit++) {
        afn_preprocess p = afn_preprocess_imagenet();
        p.fit = (afn_fit_mode)fit;
        p.crop = 8;
        assert_ok(afn_preprocess_apply(&p, &in, out));
        assert_int_equal(out[4 * 8 * 3], 255);
    }
    afn_image_free(&in);
}

static void every_fit_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < AFN_N_FITS; i++) {
        afn_fit_mode f = AFN_N_FITS;
        assert_ok(afn_fit_mode_parse(&f, afn_fit_mode_name((afn_fit_mode)i)));
        assert_int_equal(f, i);
    }
    afn_fit_mode f;
    assert_fails(AFN_EINVAL, "fit \"zoom\", need crop", afn_fit_mode_parse(&f, "zoom"));
    assert_string_equal(afn_fit_mode_name(AFN_N_FITS), "unknown");
}

static void decoding_follows_from_it(void **state)
{
    (void)state;
    afn_preprocess p = afn_preprocess_imagenet();
    assert_true(afn_preprocess_decoding(&p).exif);
    assert_int_equal(afn_preprocess_decoding(&p).min_side, 0);
    assert_int_equal(afn_preprocess_decoding(&p).max_pixels, 178956970);
    p.exif = false;
    p.fast = true;
    assert_false(afn_preprocess_decoding(&p).exif);
    assert_int_equal(afn_preprocess_decoding(&p).min_side, 256);
    p.resize = 0; /* no resize: every pixel counts */
    assert_int_equal(afn_preprocess_decoding(&p).min_side, 0);
    p.fit = AFN_FIT_SQUASH;
    assert_int_equal(afn_preprocess_decoding(&p).min_side, 224);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    uint8_t out[3];
    afn_image in = noise(2, 2);
    const afn_preprocess fine = { .crop = 1 };
    afn_preprocess p = fine;
    p.resize = -1;
    assert_fails(AFN_EINVAL, "resize to -1", afn_preprocess_apply(&p, &in, out));
    p.resize = 1 << 20;
    assert_fails(AFN_EINVAL, "resize to", afn_preprocess_apply(&p, &in, out));
    p = fine;
    p.crop = 0;
    assert_fails(AFN_EINVAL, "crop of 0", afn_preprocess_apply(&p, &in, out));
    p.crop = 1 << 20;
    assert_fails(AFN_EINVAL, "crop of", afn_preprocess_apply(&p, &in, out));
    p = fine;
    p.fit = AFN_N_FITS;
    assert_fails(AFN_EINVAL, "fit 4, need 0 to 3", afn_preprocess_apply(&p, &in, out));
    p = fine;
    p.filter = AFN_N_FILTERS;
    assert_fails(AFN_EINVAL, "filter 6", afn_preprocess_apply(&p, &in, out));
    const afn_image none = { 0 };
    assert_fails(AFN_EINVAL, "0x0", afn_preprocess_apply(&fine, &none, out));
    afn_image_free(&in);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    static uint8_t out[224 * 224 * 3];
    const afn_preprocess p = afn_preprocess_imagenet();
    afn_image in = noise(90, 50);
    int failed = 0;
    for (int64_t k = 1;; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_preprocess_apply(&p, &in, out);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) break;
        assert_int_equal(st, AFN_ENOMEM);
        failed++;
    }
    assert_true(failed >= 9); /* two axes of four, and the rows between */
    afn_image_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_steps_give_the_same_as_one),
        cmocka_unit_test(a_thread_like_picture_needs_little_memory),
        cmocka_unit_test(the_default_is_imagenet),
        cmocka_unit_test(other_fits_show_all_of_the_picture),
        cmocka_unit_test(a_thread_like_picture_keeps_a_pixel),
        cmocka_unit_test(every_fit_is_found_by_its_name),
        cmocka_unit_test(decoding_follows_from_it),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
