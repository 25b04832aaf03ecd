/* SPDX-License-Identifier: Apache-2.0 */
/* What the headers of pictures say. */
#include "make_picture.h"

#include "image/image.h"

static void a_png_tells_its_depth_and_colours(void **state)
{
    (void)state;
    static const struct {
        uint8_t depth, colour;
        bool gray, alpha;
    } row[] = {
        { 8, 0, true, false },  { 16, 0, true, false }, { 8, 2, false, false },
        { 8, 3, false, false }, { 8, 4, true, true },   { 16, 6, false, true }
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_buf b = { 0 };
        afn_image_info info;
        png_begin(&b);
        png_ihdr(&b, (png_head){ 300, 70000, row[i].depth, row[i].colour, 0 });
        afn_image_describe(&info, b.data, b.size);
        assert_string_equal("png", info.format);
        assert_int_equal(300, info.width);
        assert_int_equal(70000, info.height);
        assert_int_equal(row[i].depth, info.bits);
        assert_int_equal(row[i].gray, info.gray);
        assert_int_equal(row[i].alpha, info.alpha);
        assert_int_equal(1, info.orientation);
        png_chunk(&b, "tRNS", "\0", 1);
        afn_image_describe(&info, b.data, b.size);
        assert_true(info.alpha);
        afn_buf_free(&b);
    }
}

/* An Exif structure with an orientation behind another entry. */
static size_t exif_in(uint8_t *out, bool big, int orientation)
{
    static const uint8_t little_head[] = { 'I', 'I', 42, 0, 8, 0, 0, 0, 2, 0 };
    static const uint8_t big_head[] = { 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 2 };
    uint8_t entry[24] = { 0x0f, 1, 2, 0, 1, 0, 0, 0, 'x', 0, 0, 0,
                          0x12, 1, 3, 0, 1, 0, 0, 0, 0,   0, 0, 0 };
    entry[20] = (uint8_t)orientation;
    if (big)
        for (int i = 0; i < 24; i += 12) {
            memcpy(entry + i, i ? "\x01\x12\0\3\0\0\0\1" : "\x01\x0f\0\2\0\0\0\1", 8);
            entry[i + 8] = 0;
            entry[i + 9] = (uint8_t)orientation;
        }
    memcpy(out, big ? big_head : little_head, 10);
    memcpy(out + 10, entry, 24);
    return 34;
}

static void the_orientation_is_read_in_both_byte_orders(void **state)
{
    (void)state;
    unsigned char *jpeg;
    unsigned long n;
    make_jpeg(&jpeg, &n, (jpeg_kind){ .width = 9, .height = 7, .components = 3 });
    for (int big = 0; big < 2; big++)
        for (int want = 0; want <= 9; want++) {
            uint8_t exif[64];
            const size_t size = exif_in(exif, big, want);
            const uint8_t head[4] = { 0xff, 0xe1, 0, (uint8_t)(size + 8) };
            afn_buf b = { 0 };
            afn_image_info info;
            afn_buf_add(&b, jpeg, 2);
            afn_buf_add(&b, head, 4);
            afn_buf_add(&b, "Exif\0", 6);
            afn_buf_add(&b, exif, size);
            afn_buf_add(&b, jpeg + 2, n - 2);
            afn_image_describe(&info, b.data, b.size);
            assert_string_equal("jpeg", info.format);
            assert_int_equal(9, info.width);
            assert_int_equal(7, info.height);
            assert_int_equal(8, info.bits);
            assert_int_equal(want >= 1 && want <= 8 ? want : 1, info.orientation);
            for (size_t cut = 0; cut < b.size;
                 cut++) /* of exact size, for sanitizers */
            {
                uint8_t *part = malloc(cut + 1);
                memcpy(part, b.data, cut);
                afn_image_describe(&info, part, cut);
                free(part);
            }
            afn_buf_free(&b);
        }
    free(jpeg);
}

static void gray_and_cmyk_jpegs_are_told_apart(void **state)
{
    (void)state;
    static const int components[] = { 1, 3, 4 };
    for (size_t i = 0; i < AFN_COUNT(components); i++) {
        unsigned char *jpeg;
        unsigned long n;
        afn_image_info info;
        make_jpeg(&jpeg, &n,
                  (jpeg_kind){ .width = 9, .height = 7, .components = components[i] });
        afn_image_describe(&info, jpeg, n);
        assert_int_equal(components[i] == 1, info.gray);
        assert_int_equal(components[i] == 4, info.cmyk);
        assert_false(info.alpha);
        free(jpeg);
    }
}

/* Each is told for what it is, and a cut anywhere reads nothing beyond: the parts are
 * of exact size, for sanitizers. */
static void other_formats_tell_size_depth_and_colours(void **state)
{
    (void)state;
    static const uint8_t gif[] = { 'G', 'I', 'F',  '8',  '9', 'a', 20, 0, 10, 0, 0,
                                   0,   0,   0x21, 0xf9, 4,   1,   0,  0, 3,  0, 0x2c,
                                   5,   0,   0,    0,    16,  0,   4,  0, 0 };
    static const uint8_t tiff[] = {
        'M', 'M', 0, 42, 0, 0,  0, 8,  0, 6,         /* six entries at 8 */
        1,   0,   0, 3,  0, 0,  0, 1,  1, 44, 0, 0,  /* width 300 */
        1,   1,   0, 4,  0, 0,  0, 1,  0, 1,  0, 0,  /* height 65536 */
        1,   2,   0, 3,  0, 0,  0, 4,  0, 0,  0, 86, /* depths behind the end */
        1,   6,   0, 3,  0, 0,  0, 1,  0, 2,  0, 0,  /* RGB */
        1,   18,  0, 3,  0, 0,  0, 1,  0, 6,  0, 0,  /* orientation 6 */
        1,   82,  0, 3,  0, 0,  0, 1,  0, 2,  0, 0,  /* with alpha */
        0,   0,   0, 0,  0, 16, 0, 16, 0, 16, 0, 16
    };
    static const uint8_t webp[] = { 'R', 'I', 'F', 'F', 22,  0,   0,   0, 'W',
                                    'E', 'B', 'P', 'V', 'P', '8', 'L', 5, 0,
                                    0,   0,   47,  43,  1,   2,   16,  0 };
    static const uint8_t bmp[14 + 40] = { 'B',  'M',         [14] = 40, [18] = 44,
                                          1,    [22] = 0xf6, 0xff,      0xff,
                                          0xff, 1,           0,         24 };
    static const char pnm[] = "P5 # 9\n300 10\n1000\n";
    static const struct {
        const char *format;
        const void *bytes;
        size_t size;
        int64_t width, height;
        int bits;
        bool gray, alpha;
        int orientation;
    } row[] = {
        { "gif", gif, sizeof gif, 21, 10, 8, false, true, 1 },
        { "tiff", tiff, sizeof tiff, 300, 65536, 16, false, true, 6 },
        { "webp", webp, sizeof webp, 300, 9, 8, false, true, 1 },
        { "bmp", bmp, sizeof bmp, 300, 10, 8, false, false, 1 },
        { "pnm", pnm, sizeof pnm - 1, 300, 10, 16, true, false, 1 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_image_info info;
        afn_image_describe(&info, row[i].bytes, row[i].size);
        assert_string_equal(row[i].format, info.format);
        assert_int_equal(row[i].width, info.width);
        assert_int_equal(row[i].height, info.height);
        assert_int_equal(row[i].bits, info.bits);
        assert_int_equal(row[i].gray, info.gray);
        assert_int_equal(row[i].alpha, info.alpha);
        assert_int_equal(row[i].orientation, info.orientation);
        for (size_t cut = 0; cut < row[i].size; cut++) {
            uint8_t *part = malloc(cut ? cut : 1);
            memcpy(part, row[i].bytes, cut);
            afn_image_describe(&info, part, cut);
            free(part);
        }
    }
}

static void other_bytes_leave_nothing(void **state)
{
    (void)state;
    afn_image_info info;
    afn_image_describe(&info, "plain text", 10);
    assert_null(info.format);
    assert_int_equal(0, info.width);
    afn_image_describe(&info, "", 0);
    assert_null(info.format);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_tells_its_depth_and_colours),
        cmocka_unit_test(the_orientation_is_read_in_both_byte_orders),
        cmocka_unit_test(gray_and_cmyk_jpegs_are_told_apart),
        cmocka_unit_test(other_formats_tell_size_depth_and_colours),
        cmocka_unit_test(other_bytes_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
