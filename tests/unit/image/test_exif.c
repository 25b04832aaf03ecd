/* SPDX-License-Identifier: Apache-2.0 */
/* Orientation found in blocks of EXIF, and pictures turned by it. */
#include "image/exif.h"

#include "make_picture.h"

static void both_byte_orders_and_types_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *exif;
        size_t size;
        int orientation;
    } row[] = {
        { "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0", 22, 6 },
        { "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\x08\0\0", 22, 8 },
        { "Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\3\0\0", 28, 3 },
        { "MM\0*\0\0\0\x08\0\1\1\x12\0\4\0\0\0\1\0\0\0\5", 22, 5 },   /* a long */
        { "MM\0*\0\0\0\x08\0\1\1\x12\0\1\0\0\0\1\2\0\0\0", 22, 2 },   /* a byte */
        { "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\0\0\0", 22, 0 },   /* 0: unknown */
        { "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\x09\0\0", 22, 0 }, /* no such one */
        { "MM\0*\0\0\0\x08\0\1\1\x12\0\5\0\0\0\1\0\6\0\0", 22, 0 },   /* a fraction */
        { "MM\0*\0\0\0\x08\0\1\1\x13\0\3\0\0\0\1\0\6\0\0", 22, 0 },   /* another tag */
        { "MM\0*\0\0\0\x08\xff\xff\1\x12\0\3\0\0\0\1\0\6\0\0", 22, 6 },
        { "MM\0*\xff\xff\xff\xff\0\1\1\x12\0\3\0\0\0\1\0\6\0\0", 22, 0 },
        { "MM\x13*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0", 22, 0 },
        { "", 0, 0 },
        { "Exif\0\0", 6, 0 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_int_equal(
            afn_image__exif_orientation((const uint8_t *)row[i].exif, row[i].size),
            row[i].orientation);
}

/* At every length, in memory of just that length: no byte behind it is read. */
static void a_cut_block_is_no_error(void **state)
{
    (void)state;
    uint8_t whole[EXIF_BYTES];
    make_exif(whole, 6);
    for (size_t n = 0; n <= sizeof whole; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, whole, n);
        assert_int_equal(afn_image__exif_orientation(copy, n),
                         n == sizeof whole ? 6 : 0);
        free(copy);
    }
}

/* The picture "abc / def" as each orientation makes it, by the letters of its pixels.
 */
static void pictures_turn_as_the_standard_says(void **state)
{
    (void)state;
    static const struct {
        int64_t width;
        const char *pixels;
    } row[10] = {
        { 3, "abcdef" }, { 3, "abcdef" }, { 3, "cbafed" }, { 3, "fedcba" },
        { 3, "defabc" }, { 2, "adbecf" }, { 2, "daebfc" }, { 2, "fcebda" },
        { 2, "cfbead" }, { 3, "abcdef" },
    };
    for (int o = 0; o < 10; o++) {
        afn_image image;
        assert_ok(afn_image__alloc(&image, 3, 2));
        for (int i = 0; i < 18; i++)
            image.pixels[i] = (uint8_t)("abcdef"[i / 3] + i % 3);
        assert_ok(afn_image__turn(&image, o));
        assert_int_equal(image.width, row[o].width);
        assert_int_equal(image.height, 6 / row[o].width);
        for (int i = 0; i < 18; i++)
            assert_int_equal(image.pixels[i], row[o].pixels[i / 3] + i % 3);
        afn_image_free(&image);
    }
}

/* Sides that no tile divides: turning back gives the picture again. */
static void large_pictures_turn_and_turn_back(void **state)
{
    (void)state;
    static const int back[9] = { 0, 1, 2, 3, 4, 5, 8, 7, 6 };
    afn_image image;
    assert_ok(afn_image__alloc(&image, 201, 130));
    const size_t n = 201 * 130 * 3;
    for (size_t i = 0; i < n; i++) image.pixels[i] = (uint8_t)(i * 2654435761u >> 13);
    uint8_t *was = malloc(n);
    assert_non_null(was);
    memcpy(was, image.pixels, n);
    for (int o = 2; o <= 8; o++) {
        assert_ok(afn_image__turn(&image, o));
        assert_memory_not_equal(image.pixels, was, n);
        assert_ok(afn_image__turn(&image, back[o]));
        assert_memory_equal(image.pixels, was, n);
    }
    free(was);
    afn_image_free(&image);
}

static void a_failing_allocation_leaves_the_picture(void **state)
{
    (void)state;
    afn_image image;
    assert_ok(afn_image__alloc(&image, 3, 2));
    afn_alloc_fail_at(1);
    assert_int_equal(afn_image__turn(&image, 6), AFN_ENOMEM);
    afn_alloc_fail_at(0);
    assert_int_equal(image.width, 3);
    afn_image_free(&image);
}

/* The whole way, for each format that carries EXIF. */
static void assert_upright(const void *bytes, size_t size, const char *name)
{
    afn_image stored, upright;
    const afn_decode_opts as_stored = { .exif = false };
    assert_ok(afn_image_decode(&stored, bytes, size, &as_stored));
    assert_ok(afn_image_decode(&upright, bytes, size, NULL));
    assert_true(stored.width > stored.height);
    if (upright.width != stored.height) fail_msg("%s: not turned", name);
    assert_ok(afn_image__turn(&stored, 6));
    assert_memory_equal(stored.pixels, upright.pixels,
                        (size_t)(stored.width * stored.height * 3));
    afn_image_free(&stored);
    afn_image_free(&upright);
}

static void a_jpeg_is_turned(void **state)
{
    (void)state;
    unsigned char *jpeg;
    unsigned long size;
    afn_buf b = { 0 };
    uint8_t exif[EXIF_BYTES];
    make_jpeg(&jpeg, &size, (jpeg_kind){ .width = 20, .height = 9, .components = 3 });
    afn_buf_add(&b, jpeg, 2);
    const char *const app[] = { "http://ns.adobe.com/xap/1.0/", "Exif" };
    for (int i = 0; i < 3; i++) { /* other segments of its kind; of EXIF the first */
        const size_t name = i ? 6 : 29;
        make_exif(exif, i < 2 ? 6 : 3);
        const size_t n = 2 + name + (i ? sizeof exif : 0);
        afn_buf_add(&b, (uint8_t[]){ 0xff, 0xe1, 0, (uint8_t)n }, 4);
        afn_buf_add(&b, i ? "Exif\0" : app[0], name);
        if (i) afn_buf_add(&b, exif, sizeof exif);
    }
    afn_buf_add(&b, jpeg + 2, size - 2);
    assert_upright(b.data, b.size, "jpeg");
    afn_buf_free(&b);
    free(jpeg);
}

static void a_png_is_turned_wherever_the_chunk_is(void **state)
{
    (void)state;
    static const uint8_t rows[8] = { 0, 1, 2, 3, 0, 4, 5, 6 };
    uint8_t exif[EXIF_BYTES];
    make_exif(exif, 6);
    for (int behind = 0; behind < 2; behind++) {
        afn_buf png = { 0 };
        png_begin(&png);
        png_ihdr(&png, (png_head){ 3, 2, 8, 0, 0 });
        if (!behind) png_chunk(&png, "eXIf", exif, sizeof exif);
        png_idat(&png, rows, sizeof rows);
        if (behind) png_chunk(&png, "eXIf", exif, sizeof exif);
        png_chunk(&png, "IEND", NULL, 0);
        assert_upright(png.data, png.size, "png");
        afn_buf_free(&png);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_byte_orders_and_types_are_read),
        cmocka_unit_test(a_cut_block_is_no_error),
        cmocka_unit_test(pictures_turn_as_the_standard_says),
        cmocka_unit_test(large_pictures_turn_and_turn_back),
        cmocka_unit_test(a_failing_allocation_leaves_the_picture),
        cmocka_unit_test(a_jpeg_is_turned),
        cmocka_unit_test(a_png_is_turned_wherever_the_chunk_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
