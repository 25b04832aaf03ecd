/* SPDX-License-Identifier: Apache-2.0 */
/* PNGs that are wrong in one way each; what Pillow 9.4 says about them is written at
 * every case. */
#include "afn_test.h"

#include "image/codec.h"
#include "make_picture.h"

enum { GRAY = 0, RGB = 2, PALETTE = 3, GRAY_ALPHA = 4, RGB_ALPHA = 6 };

static const uint8_t six[7] = { 0, 0, 1, 2, 5, 200, 255 }; /* one row, no filter */

/* The whole picture is these bytes. */
static void assert_pixels(afn_buf *png, const char *rgb, size_t n)
{
    afn_image image;
    assert_ok(afn_image_decode(&image, png->data, png->size, NULL));
    assert_int_equal(image.width * image.height * 3, n);
    assert_memory_equal(image.pixels, rgb, n);
    afn_image_free(&image);
    afn_buf_free(png);
}

static void assert_refused(afn_buf *png, const char *text)
{
    afn_image image;
    assert_fails(AFN_EFORMAT, text,
                 afn_image_decode(&image, png->data, png->size, NULL));
    assert_null(image.pixels);
    afn_buf_free(png);
}

static void samples_of_every_kind_become_rgb(void **state)
{
    (void)state;
    static const struct {
        png_head head;
        const char *raw;
        size_t raw_size;
        const char *rgb;
    } row[] = {
        { { 2, 1, 1, GRAY, 0 }, "\0\x40", 2, "\0\0\0\xff\xff\xff" },
        { { 2, 1, 2, GRAY, 0 }, "\0\x60", 2, "\x55\x55\x55\xaa\xaa\xaa" },
        { { 2, 1, 4, GRAY, 0 }, "\0\x1e", 2, "\x11\x11\x11\xee\xee\xee" },
        { { 2, 1, 8, GRAY, 0 }, "\0\x12\x34", 3, "\x12\x12\x12\x34\x34\x34" },
        /* 16-bit gray is clipped to 8 bits, not scaled */
        { { 2, 1, 16, GRAY, 0 }, "\0\0\x64\1\0", 5, "ddd\xff\xff\xff" },
        { { 2, 1, 8, GRAY_ALPHA, 0 }, "\0a\0b\xff", 5, "aaabbb" },
        { { 2, 1, 16, GRAY_ALPHA, 0 }, "\0a\xff\0\1b\xff\0\1", 9, "aaabbb" },
        { { 2, 1, 8, RGB, 0 }, "\0abcdef", 7, "abcdef" },
        { { 2, 1, 16, RGB, 0 },
          "\0a\xff"
          "b\xff"
          "c\xff"
          "d\xff"
          "e\xff"
          "f\xff",
          13,
          "abcdef" },
        { { 2, 1, 8, RGB_ALPHA, 0 }, "\0abc\0def\x80", 9, "abcdef" },
        { { 2, 1, 16, RGB_ALPHA, 0 }, "\0a0b0c000d0e0f000", 17, "abcdef" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_buf png = { 0 };
        make_png(&png, row[i].head, (const uint8_t *)row[i].raw, row[i].raw_size);
        assert_pixels(&png, row[i].rgb, 6);
    }
}

static void begin_palette(afn_buf *png, const char *colours, size_t n)
{
    png_begin(png);
    png_ihdr(png, (png_head){ 6, 1, 8, PALETTE, 0 });
    png_chunk(png, "PLTE", colours, n);
}

static void finish(afn_buf *png)
{
    png_idat(png, six, sizeof six);
    png_chunk(png, "IEND", NULL, 0);
}

static void values_beyond_the_palette_are_gray(void **state)
{
    (void)state;
    afn_buf png = { 0 };
    begin_palette(&png, "abcdefg", 7); /* the last third is no colour */
    png_chunk(&png, "tRNS", "\0\x80", 2);
    finish(&png);
    assert_pixels(&png, "abcdef\2\2\2\5\5\5\xc8\xc8\xc8\xff\xff\xff", 18);
}

static void a_palette_may_be_missing_but_not_too_long(void **state)
{
    (void)state;
    static const char many[257 * 3] = { 0 };
    afn_buf png = { 0 };
    make_png(&png, (png_head){ 6, 1, 8, PALETTE, 0 }, six, sizeof six);
    assert_pixels(&png, "\0\0\0\1\1\1\2\2\2\5\5\5\xc8\xc8\xc8\xff\xff\xff", 18);
    begin_palette(&png, many, sizeof many);
    finish(&png);
    assert_refused(&png, "PLTE of 771 bytes");
}

static void a_second_palette_replaces_the_first(void **state)
{
    (void)state;
    afn_buf png = { 0 };
    begin_palette(&png, "abcdef", 6);
    png_chunk(&png, "PLTE", "xyz", 3);
    finish(&png);
    assert_pixels(&png, "xyz\1\1\1\2\2\2\5\5\5\xc8\xc8\xc8\xff\xff\xff", 18);
}

static void checksums_count_before_the_pixels_only(void **state)
{
    (void)state;
    for (int spoilt = 0; spoilt < 4; spoilt++) {
        afn_buf png = { 0 };
        png_begin(&png);
        png_ihdr(&png, (png_head){ 2, 1, 8, GRAY, 0 });
        if (spoilt == 0) png.data[png.size - 1] ^= 1;
        png_chunk(&png, "teXt", "a\0b", 3);
        if (spoilt == 1) png.data[png.size - 1] ^= 1;
        png_idat(&png, (const uint8_t *)"\0ab", 3);
        if (spoilt == 2) png.data[png.size - 1] ^= 1;
        png_chunk(&png, "teXt", "a\0b", 3);
        if (spoilt == 3) png.data[png.size - 1] ^= 1;
        png_chunk(&png, "IEND", NULL, 0);
        if (spoilt < 2)
            assert_refused(&png, "wrong checksum");
        else
            assert_pixels(&png, "aaabbb", 6);
    }
}

static void pixels_may_be_spread_over_chunks(void **state)
{
    (void)state;
    afn_buf png = { 0 }, z = { 0 };
    zlib_stored(&z, six, sizeof six);
    png_begin(&png);
    png_ihdr(&png, (png_head){ 6, 1, 8, GRAY, 0 });
    for (size_t i = 0; i < z.size; i++) {
        png_chunk(&png, "IDAT", z.data + i, 1);
        png_chunk(&png, "IDAT", NULL, 0);
    }
    afn_buf_free(&z);
    assert_pixels(&png, "\0\0\0\1\1\1\2\2\2\5\5\5\xc8\xc8\xc8\xff\xff\xff", 18);
}

static void pixels_end_at_the_first_other_chunk(void **state)
{
    (void)state;
    afn_buf png = { 0 }, z = { 0 };
    zlib_stored(&z, six, sizeof six);
    png_begin(&png);
    png_ihdr(&png, (png_head){ 6, 1, 8, GRAY, 0 });
    png_chunk(&png, "IDAT", z.data, 9);
    png_chunk(&png, "teXt", NULL, 0);
    png_chunk(&png, "IDAT", z.data + 9, z.size - 9);
    png_chunk(&png, "IEND", NULL, 0);
    afn_buf_free(&z);
    assert_refused(&png, "not enough image data");
}

static void the_header_is_checked(void **state)
{
    (void)state;
    static const struct {
        png_head head;
        const char *message;
    } row[] = {
        { { 0, 1, 8, GRAY, 0 }, "0x1 pixels" },
        { { 1, 0, 8, GRAY, 0 }, "1x0 pixels" },
        { { 1, 1, 3, GRAY, 0 }, "3 bits with colour type 0" },
        { { 1, 1, 4, RGB, 0 }, "4 bits with colour type 2" },
        { { 1, 1, 16, PALETTE, 0 }, "16 bits with colour type 3" },
        { { 1, 1, 8, 5, 0 }, "colour type 5" },
        { { 100000, 1700, 8, RGB, 0 }, "file is truncated" },
        { { 13000, 13000, 1, GRAY, 1 }, "file is truncated" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_buf png = { 0 };
        make_png(&png, row[i].head, six, sizeof six);
        assert_refused(&png, row[i].message);
    }
}

static void too_many_pixels_are_refused_before_memory_is_taken(void **state)
{
    (void)state;
    const png_head sizes[] = { { 65536, 65536, 8, RGB, 0 },
                               { 0xffffffff, 0xffffffff, 1, GRAY, 0 },
                               { 178956971, 1, 8, GRAY, 0 } };
    for (size_t i = 0; i < AFN_COUNT(sizes); i++) {
        afn_buf png = { 0 };
        afn_image image;
        make_png(&png, sizes[i], six, sizeof six);
        const int64_t before = afn_alloc_count();
        assert_fails(AFN_EUNSUPPORTED, "limit is 178956970",
                     afn_image_decode(&image, png.data, png.size, NULL));
        assert_int_equal(afn_alloc_count(), before);
        afn_buf_free(&png);
    }
}

static void chunks_in_the_wrong_order_are_refused(void **state)
{
    (void)state;
    afn_buf png = { 0 };
    png_begin(&png);
    png_idat(&png, six, sizeof six);
    assert_refused(&png, "no IHDR");

    png_begin(&png);
    png_ihdr(&png, (png_head){ 6, 1, 8, GRAY, 0 });
    png_chunk(&png, "IEND", NULL, 0);
    assert_refused(&png, "no pixels before IEND");

    png_begin(&png);
    png_ihdr(&png, (png_head){ 6, 1, 8, GRAY, 0 });
    png_chunk(&png, "ID@T", six, sizeof six);
    assert_refused(&png, "no chunk at byte 33");

    png_begin(&png);
    png_chunk(&png, "IHDR", "short", 5);
    assert_refused(&png, "IHDR of 5 bytes");
}

/* Cut anywhere before the last byte of the last row: refused.  Behind it nothing but a
 * chunk that is cut in its data matters. */
static void a_cut_is_refused_until_all_rows_are_there(void **state)
{
    (void)state;
    afn_buf png = { 0 };
    png_begin(&png);
    png_ihdr(&png, (png_head){ 6, 1, 8, GRAY, 0 });
    png_idat(&png, six, sizeof six);
    const size_t rows_end = png.size - 8; /* Adler-32 and checksum follow */
    const size_t idat_end = png.size;
    png_chunk(&png, "teXt", "abc", 3);
    const size_t text_end = png.size - 4;
    png_chunk(&png, "IEND", NULL, 0);
    for (size_t n = 8; n <= png.size; n++) {
        afn_image image;
        uint8_t *copy = malloc(n); /* of the exact size, for the sanitizer */
        memcpy(copy, png.data, n);
        const afn_status st = afn_image_decode(&image, copy, n, NULL);
        const bool whole = n >= rows_end && (n < idat_end + 8 || n >= text_end);
        if (st != (whole ? AFN_OK : AFN_EFORMAT))
            fail_msg("%zu of %zu bytes: %s", n, png.size,
                     st == AFN_OK ? "decoded" : afn_error_message());
        afn_image_free(&image);
        free(copy);
    }
    afn_buf_free(&png);
}

static void damaged_data_is_refused(void **state)
{
    (void)state;
    afn_buf png = { 0 };
    png_begin(&png);
    png_ihdr(&png, (png_head){ 6, 1, 8, GRAY, 0 });
    png_chunk(&png, "IDAT", "\x78\x01\xff\xff\xff\xff", 6);
    assert_refused(&png, "IDAT");

    make_png(&png, (png_head){ 6, 1, 8, GRAY, 0 }, (const uint8_t *)"\5ABCDEF", 7);
    assert_refused(&png, "filter");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_of_every_kind_become_rgb),
        cmocka_unit_test(values_beyond_the_palette_are_gray),
        cmocka_unit_test(a_palette_may_be_missing_but_not_too_long),
        cmocka_unit_test(a_second_palette_replaces_the_first),
        cmocka_unit_test(checksums_count_before_the_pixels_only),
        cmocka_unit_test(pixels_may_be_spread_over_chunks),
        cmocka_unit_test(pixels_end_at_the_first_other_chunk),
        cmocka_unit_test(the_header_is_checked),
        cmocka_unit_test(too_many_pixels_are_refused_before_memory_is_taken),
        cmocka_unit_test(chunks_in_the_wrong_order_are_refused),
        cmocka_unit_test(a_cut_is_refused_until_all_rows_are_there),
        cmocka_unit_test(damaged_data_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
