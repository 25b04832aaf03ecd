/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing against digests of Pillow's results, and a part against the whole. */
#include "afn_test.h"

#include "image/image.h"

typedef struct resize_golden {
    int width, height;
    afn_filter filter;
    int to_width, to_height;
    uint64_t digest; /* FNV-1a of the pixels */
} resize_golden;

#include "../../golden/resize_golden.h"

/* A gradient with edges and hashed noise: as make_resize.py makes it. */
static afn_image picture(int width, int height)
{
    afn_image image;
    assert_ok(afn_image__alloc(&image, width, height));
    uint8_t *p = image.pixels;
    for (uint32_t y = 0; y < (uint32_t)height; y++)
        for (uint32_t x = 0; x < (uint32_t)width; x++)
            for (uint32_t c = 0; c < 3; c++) {
                uint32_t h = x * 2654435761u ^ y * 2246822519u ^ c * 3266489917u;
                h = (h ^ h >> 15) * 2246822519u;
                *p++ = (uint8_t)((x + 2 * y) % 92 + (x / 16 + y / 16) % 2 * 100 +
                                 (h >> 26 & 63));
            }
    return image;
}

static uint64_t digest(const afn_image *image)
{
    uint64_t h = 0xcbf29ce484222325;
    for (int64_t i = 0; i < image->width * image->height * 3; i++)
        h = (h ^ image->pixels[i]) * 0x100000001b3;
    return h;
}

static void every_filter_gives_pillows_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(resize_goldens); i++) {
        const resize_golden *g = &resize_goldens[i];
        afn_image in = picture(g->width, g->height), out;
        assert_ok(afn_image_resize(&out, &in, g->to_width, g->to_height, g->filter));
        if (digest(&out) != g->digest)
            fail_msg("%dx%d to %dx%d, %s: wrong digest", g->width, g->height,
                     g->to_width, g->to_height, afn_filter_name(g->filter));
        afn_image_free(&in);
        afn_image_free(&out);
    }
}

static void the_same_size_is_a_copy(void **state)
{
    (void)state;
    afn_image in = picture(31, 17), out;
    for (int f = 0; f < AFN_N_FILTERS; f++) {
        assert_ok(afn_image_resize(&out, &in, 31, 17, (afn_filter)f));
        assert_ptr_not_equal(in.pixels, out.pixels);
        assert_memory_equal(in.pixels, out.pixels, 31 * 17 * 3);
        afn_image_free(&out);
    }
    afn_image_free(&in);
}

static void a_flat_picture_stays_flat(void **state)
{
    (void)state;
    afn_image in = picture(50, 40), out;
    for (int value = 0; value < 256; value += 51) {
        memset(in.pixels, value, 50 * 40 * 3);
        for (int f = 0; f < AFN_N_FILTERS; f++) {
            assert_ok(afn_image_resize(&out, &in, 33, 77, (afn_filter)f));
            for (int i = 0; i < 33 * 77 * 3; i++)
                assert_int_equal(out.pixels[i], value);
            afn_image_free(&out);
        }
    }
    afn_image_free(&in);
}

static int64_t draw(afn_rng *r, int64_t low, int64_t high)
{
    return low + afn_rng_below(r, high - low + 1);
}

static void a_part_is_cut_from_the_whole(void **state)
{
    (void)state;
    afn_rng r = afn_rng_new(1, afn_rng_stream(AFN_RNG_TEST, 0, 0));
    for (int i = 0; i < 300; i++) {
        afn_image in = picture((int)draw(&r, 1, 90), (int)draw(&r, 1, 90)), whole;
        afn_resize_part p = { .filter = (afn_filter)(i % AFN_N_FILTERS) };
        p.width = i % 7 == 0 ? in.width : draw(&r, 1, 90);
        p.height = i % 5 == 0 ? in.height : draw(&r, 1, 90);
        p.x = draw(&r, 0, p.width - 1);
        p.y = draw(&r, 0, p.height - 1);
        p.w = draw(&r, 1, p.width - p.x);
        p.h = draw(&r, 1, p.height - p.y);
        assert_ok(afn_image_resize(&whole, &in, p.width, p.height, p.filter));
        const size_t stride = (size_t)p.w * 3;
        uint8_t *part = malloc(stride * (size_t)p.h);
        assert_ok(afn_image__resize_part(part, stride, &in, &p));
        for (int64_t y = 0; y < p.h; y++)
            assert_memory_equal(part + (size_t)y * stride,
                                whole.pixels + 3 * (whole.width * (p.y + y) + p.x),
                                stride);
        free(part);
        afn_image_free(&in);
        afn_image_free(&whole);
    }
}

static void sides_out_of_range_are_refused(void **state)
{
    (void)state;
    afn_image in = picture(4, 4), out = { .width = 9 }, none = { 0 };
    const afn_filter f = AFN_FILTER_BILINEAR;
    assert_fails(AFN_EINVAL, "0x4 pixels", afn_image_resize(&out, &in, 0, 4, f));
    assert_fails(AFN_EINVAL, "4x-1 pixels", afn_image_resize(&out, &in, 4, -1, f));
    assert_fails(AFN_EINVAL, "pixels",
                 afn_image_resize(&out, &in, (int64_t)1 << 28, 2, f));
    assert_fails(AFN_EINVAL, "pixels",
                 afn_image_resize(&out, &in, INT64_MAX, INT64_MAX, f));
    assert_fails(AFN_EINVAL, "filter 6",
                 afn_image_resize(&out, &in, 4, 4, AFN_N_FILTERS));
    assert_fails(AFN_EINVAL, "0x0", afn_image_resize(&out, &none, 4, 4, f));
    assert_null(out.pixels);
    assert_int_equal(out.width, 0);
    afn_image_free(&in);
}

static void very_long_pictures_resize(void **state)
{
    (void)state;
    afn_image in = picture(1, 60000), out;
    assert_ok(afn_image_resize(&out, &in, 3, 1, AFN_FILTER_LANCZOS));
    afn_image_free(&out);
    assert_ok(afn_image_resize(&out, &in, 1, 60001, AFN_FILTER_BICUBIC));
    afn_image_free(&out);
    afn_image_free(&in);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    afn_image in = picture(20, 20), out;
    for (int f = 0; f < AFN_N_FILTERS; f++) {
        int failed = 0;
        for (int64_t k = 1;; k++) {
            afn_alloc_fail_at(k);
            const afn_status st = afn_image_resize(&out, &in, 9, 31, (afn_filter)f);
            afn_alloc_fail_at(0);
            if (st == AFN_OK) break;
            assert_int_equal(st, AFN_ENOMEM);
            assert_null(out.pixels);
            failed++;
        }
        assert_true(failed >= 3);
        afn_image_free(&out);
    }
    afn_image_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_filter_gives_pillows_bits),
        cmocka_unit_test(the_same_size_is_a_copy),
        cmocka_unit_test(a_flat_picture_stays_flat),
        cmocka_unit_test(a_part_is_cut_from_the_whole),
        cmocka_unit_test(sides_out_of_range_are_refused),
        cmocka_unit_test(very_long_pictures_resize),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
