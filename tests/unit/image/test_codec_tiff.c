/* SPDX-License-Identifier: Apache-2.0 */
/* TIFFs of one strip or one tile, made by hand in both byte orders. */
#include "afn_test.h"

#include "image/codec.h"
#include "make_picture.h"

typedef struct tag {
    uint16_t tag;
    uint32_t count; /* of shorts, 0 = a long */
    uint32_t value[12];
} tag;

static void add(afn_buf *b, bool big, uint32_t v, int n)
{
    for (int i = 0; i < n; i++) {
        const uint8_t byte = (uint8_t)(v >> 8 * (big ? n - 1 - i : i));
        afn_buf_add(b, &byte, 1);
    }
}

/* A picture of 2x1 with these tags besides size and place of the strip. */
static afn_buf make_tiff(bool big, const tag *tags, int n_tags, const char *data,
                         size_t size)
{
    afn_buf b = { 0 }, more = { 0 };
    const uint32_t padded = (uint32_t)(size + size % 2);
    afn_buf_add(&b, big ? "MM\0*" : "II*\0", 4);
    add(&b, big, 8 + padded, 4);
    afn_buf_add(&b, data, size);
    if (size % 2) add(&b, big, 0, 1);
    const tag fixed[] = { { 256, 1, { 2 } },
                          { 257, 1, { 1 } },
                          { 273, 0, { 8 } },
                          { 279, 0, { (uint32_t)size } } };
    add(&b, big, (uint32_t)n_tags + 4, 2);
    const uint32_t behind = 8 + padded + 2 + 12 * ((uint32_t)n_tags + 4) + 4;
    for (uint32_t code = 256; code < 400; code++)
        for (int i = 0; i < n_tags + 4; i++) {
            const tag *t = i < 4 ? &fixed[i] : &tags[i - 4];
            if (t->tag != code) continue;
            add(&b, big, code, 2);
            add(&b, big, t->count ? 3 : 4, 2);
            add(&b, big, t->count ? t->count : 1, 4);
            if (t->count > 2) add(&b, big, behind + (uint32_t)more.size, 4);
            for (uint32_t k = 0; k < (t->count ? t->count : 1); k++)
                add(t->count > 2 ? &more : &b, big, t->value[k], t->count ? 2 : 4);
            for (uint32_t k = t->count; k == 1; k++) add(&b, big, 0, 2);
        }
    add(&b, big, 0, 4);
    if (more.size) afn_buf_add(&b, more.data, more.size);
    afn_buf_free(&more);
    return b;
}

static void assert_tiff(bool big, const tag *tags, int n, const char *data, size_t size,
                        const char *rgb)
{
    afn_buf b = make_tiff(big, tags, n, data, size);
    assert_decodes(b.data, b.size, 2, rgb, 6);
    afn_buf_free(&b);
}

#define BITS(n, ...)                                                                   \
    {                                                                                  \
        258, n,                                                                        \
        {                                                                              \
            __VA_ARGS__                                                                \
        }                                                                              \
    }
#define PHOTOMETRIC(v)                                                                 \
    {                                                                                  \
        262, 1,                                                                        \
        {                                                                              \
            v                                                                          \
        }                                                                              \
    }
#define SAMPLES(n)                                                                     \
    {                                                                                  \
        277, 1,                                                                        \
        {                                                                              \
            n                                                                          \
        }                                                                              \
    }
#define EXTRA(v)                                                                       \
    {                                                                                  \
        338, 1,                                                                        \
        {                                                                              \
            v                                                                          \
        }                                                                              \
    }
#define ORIENTATION(v)                                                                 \
    {                                                                                  \
        274, 1,                                                                        \
        {                                                                              \
            v                                                                          \
        }                                                                              \
    }
#define COMPRESSION(v)                                                                 \
    {                                                                                  \
        259, 1,                                                                        \
        {                                                                              \
            v                                                                          \
        }                                                                              \
    }
#define FORMAT(v)                                                                      \
    {                                                                                  \
        339, 1,                                                                        \
        {                                                                              \
            v                                                                          \
        }                                                                              \
    }

static void gray_of_every_depth(void **state)
{
    (void)state;
    static const struct {
        tag tags[3];
        const char *data, *rgb;
        size_t size;
    } row[] = {
        { { BITS(1, 1), PHOTOMETRIC(1), SAMPLES(1) }, "\x40", "\0\0\0\xff\xff\xff", 1 },
        { { BITS(1, 1), PHOTOMETRIC(0), SAMPLES(1) }, "\x40", "\xff\xff\xff\0\0\0", 1 },
        { { BITS(1, 2), PHOTOMETRIC(1), SAMPLES(1) }, "\x60", "UUU\xaa\xaa\xaa", 1 },
        { { BITS(1, 4), PHOTOMETRIC(1), SAMPLES(1) },
          "\x1e",
          "\21\21\21\xee\xee\xee",
          1 },
        { { BITS(1, 8), PHOTOMETRIC(1), SAMPLES(1) }, "ab", "aaabbb", 2 },
        { { BITS(1, 8), PHOTOMETRIC(0), SAMPLES(1) }, "\x9e\x9d", "aaabbb", 2 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        for (int big = 0; big < 2; big++)
            assert_tiff(big, row[i].tags, 3, row[i].data, row[i].size, row[i].rgb);
}

static void wide_gray_is_clipped(void **state)
{
    (void)state;
    const tag shorts[] = { BITS(1, 16), PHOTOMETRIC(1), SAMPLES(1) };
    assert_tiff(false, shorts, 3, "a\0\0\1", 4, "aaa\xff\xff\xff");
    assert_tiff(true, shorts, 3, "\0a\1\0", 4, "aaa\xff\xff\xff");
    const tag is_signed[] = { BITS(1, 16), PHOTOMETRIC(1), SAMPLES(1), FORMAT(2) };
    assert_tiff(true, is_signed, 4, "\0a\xff\xff", 4, "aaa\0\0\0");
    const tag longs[] = { BITS(1, 32), PHOTOMETRIC(1), SAMPLES(1), FORMAT(2) };
    assert_tiff(true, longs, 4, "\0\0\0a\0\0\1\0", 8, "aaa\xff\xff\xff");
    const tag floats[] = { BITS(1, 32), PHOTOMETRIC(1), SAMPLES(1), FORMAT(3) };
    assert_tiff(true, floats, 4, "\x42\xc3\x80\0\x7f\xc0\0\0", 8, "aaa\0\0\0");
}

static void colours_of_every_kind(void **state)
{
    (void)state;
    const tag rgb[] = { BITS(3, 8, 8, 8), PHOTOMETRIC(2), SAMPLES(3) };
    assert_tiff(false, rgb, 3, "abcdef", 6, "abcdef");
    const tag wide[] = { BITS(3, 16, 16, 16), PHOTOMETRIC(2), SAMPLES(3) };
    assert_tiff(true, wide, 3, "a1b2c3d4e5f6", 12, "abcdef");
    assert_tiff(false, wide, 3, "1a2b3c4d5e6f", 12, "abcdef");
    const tag loose[] = { BITS(4, 8, 8, 8, 8), PHOTOMETRIC(2), SAMPLES(4), EXTRA(2) };
    assert_tiff(false, loose, 4, "abc\1def\0", 8, "abcdef");
    /* alpha that was multiplied in is divided out */
    const tag bound[] = { BITS(4, 8, 8, 8, 8), PHOTOMETRIC(2), SAMPLES(4), EXTRA(1) };
    assert_tiff(false, bound, 4, "\x10\x20\x40\x80zzz\0", 8, "\x1f\x3f\x7f\0\0\0");
    const tag cmyk[] = { BITS(4, 8, 8, 8, 8), PHOTOMETRIC(5), SAMPLES(4) };
    assert_tiff(false, cmyk, 3, "\0\0\0\0\xff\0\0\0", 8, "\xff\xff\xff\0\xff\xff");
    const tag palette[] = {
        BITS(1, 1),
        PHOTOMETRIC(3),
        SAMPLES(1),
        { 320, 6, { 'a' << 8, 'd' << 8, 'b' << 8 | 255, 'e' << 8, 'c' << 8, 'f' << 8 } }
    };
    assert_tiff(true, palette, 4, "\x40", 1, "abcdef");
}

static void planes_and_tiles_are_put_together(void **state)
{
    (void)state;
    enum { TILE = 16 };
    char tile[TILE * TILE * 3] = "abcdef";
    const tag tags[] = {
        BITS(3, 8, 8, 8),           PHOTOMETRIC(2),       SAMPLES(3),
        { 322, 1, { TILE } },       { 323, 1, { TILE } }, { 324, 0, { 8 } },
        { 325, 0, { sizeof tile } }
    };
    assert_tiff(false, tags, 7, tile, sizeof tile, "abcdef");
}

static void the_orientation_is_applied(void **state)
{
    (void)state;
    const tag tags[] = { BITS(3, 8, 8, 8), PHOTOMETRIC(2), SAMPLES(3), ORIENTATION(3) };
    assert_tiff(true, tags, 4, "abcdef", 6, "defabc");
}

static void refuse(const tag *tags, int n, afn_status code, const char *text)
{
    afn_image image;
    afn_buf b = make_tiff(true, tags, n, "abcdefgh", 8);
    assert_fails(code, text, afn_image_decode(&image, b.data, b.size, NULL));
    assert_null(image.pixels);
    afn_buf_free(&b);
}

static void kinds_that_nobody_reads_are_named(void **state)
{
    (void)state;
    const tag lab[] = { BITS(3, 8, 8, 8), PHOTOMETRIC(8), SAMPLES(3) };
    refuse(lab, 3, AFN_EUNSUPPORTED, "photometric 8 with 3 samples of 8 bits");
    const tag twelve[] = { BITS(1, 12), PHOTOMETRIC(1), SAMPLES(1) };
    refuse(twelve, 3, AFN_EUNSUPPORTED, "1 samples of 12 bits");
    const tag many[] = { BITS(1, 8), PHOTOMETRIC(2), SAMPLES(7) };
    refuse(many, 3, AFN_EUNSUPPORTED, "7 samples for a pixel");
    const tag packing[] = { BITS(1, 8), PHOTOMETRIC(1), SAMPLES(1), COMPRESSION(999) };
    refuse(packing, 4, AFN_EFORMAT, "tiff: ");
}

static void too_many_pixels_are_refused(void **state)
{
    (void)state;
    afn_image image;
    const tag rgb[] = { BITS(3, 8, 8, 8), PHOTOMETRIC(2), SAMPLES(3) };
    afn_buf b = make_tiff(false, rgb, 3, "abcdef", 6);
    for (size_t at = 16; at < b.size - 12; at += 12) /* width and height: 65535 */
        if (b.data[at + 1] == 1 && (b.data[at] == 0 || b.data[at] == 1))
            memcpy(b.data + at + 8, "\xff\xff", 2);
    assert_fails(AFN_EUNSUPPORTED, "65535x65535 pixels, limit is",
                 afn_image_decode(&image, b.data, b.size, NULL));
    afn_buf_free(&b);
}

static void no_part_of_a_file_decodes(void **state)
{
    (void)state;
    const tag gray[] = { BITS(1, 8), PHOTOMETRIC(1), SAMPLES(1) };
    afn_buf b = make_tiff(false, gray, 3, "ab", 2);
    assert_no_part_decodes(b.data, b.size - 4); /* the next directory may be missing */
    decode_failing(b.data, b.size, 2);          /* pixels, a row */
    afn_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gray_of_every_depth),
        cmocka_unit_test(wide_gray_is_clipped),
        cmocka_unit_test(colours_of_every_kind),
        cmocka_unit_test(planes_and_tiles_are_put_together),
        cmocka_unit_test(the_orientation_is_applied),
        cmocka_unit_test(kinds_that_nobody_reads_are_named),
        cmocka_unit_test(too_many_pixels_are_refused),
        cmocka_unit_test(no_part_of_a_file_decodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
