/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps of every kind, made by hand, and wrong in one way each. */
#include "afn_test.h"

#include "image/codec.h"
#include "make_picture.h"

static void add_le(afn_buf *b, uint32_t v, int n)
{
    for (int i = 0; i < n; i++) afn_buf_add(b, &(uint8_t){ (uint8_t)(v >> 8 * i) }, 1);
}

typedef struct bmp_head {
    uint32_t header; /* bytes: 12, 40, ... */
    int32_t width, height;
    uint32_t bits, compression, colours;
    uint32_t mask[3]; /* used where the compression says so */
} bmp_head;

/* File and bitmap header; the pixels are to follow `between` bytes of palette. */
static afn_buf bmp_begin(bmp_head h, uint32_t between)
{
    afn_buf b = { 0 };
    const uint32_t masks = h.compression == 3 && h.header == 40 ? 12 : 0;
    afn_buf_add(&b, "BM", 2);
    add_le(&b, 0, 4);
    add_le(&b, 0, 4);
    add_le(&b, 14 + h.header + masks + between, 4);
    const int side = h.header == 12 ? 2 : 4;
    add_le(&b, h.header, 4);
    add_le(&b, (uint32_t)h.width, side);
    add_le(&b, (uint32_t)h.height, side);
    add_le(&b, 1, 2);
    add_le(&b, h.bits, 2);
    if (h.header > 12) {
        add_le(&b, h.compression, 4);
        for (int i = 0; i < 3; i++) add_le(&b, 0, 4);
        add_le(&b, h.colours, 4);
        add_le(&b, 0, 4);
    }
    for (int i = 0; i < 3 && (masks || h.header > 40); i++) add_le(&b, h.mask[i], 4);
    while (b.size < 14 + h.header + masks) add_le(&b, 0, 1);
    return b;
}

static void assert_bmp(bmp_head h, const char *palette, size_t colours,
                       const char *data, size_t n, const char *rgb)
{
    afn_buf b = bmp_begin(h, (uint32_t)colours);
    afn_buf_add(&b, palette, colours);
    afn_buf_add(&b, data, n);
    const int64_t height = h.height < 0 ? -h.height : h.height;
    assert_decodes(b.data, b.size, h.width, rgb, (size_t)(h.width * height) * 3);
    afn_buf_free(&b);
}

static void refuse_bmp(bmp_head h, afn_status code, const char *text)
{
    afn_image image;
    afn_buf b = bmp_begin(h, 0);
    afn_buf_add(&b, "abcdefgh", 8);
    assert_fails(code, text, afn_image_decode(&image, b.data, b.size, NULL));
    assert_null(image.pixels);
    afn_buf_free(&b);
}

static void rows_go_up_unless_the_height_is_negative(void **state)
{
    (void)state;
    const char data[] = "cba\0fed"; /* blue first, rows of 4 bytes */
    assert_bmp((bmp_head){ 40, 1, 2, 24, 0, 0, { 0 } }, "", 0, data, 7, "defabc");
    assert_bmp((bmp_head){ 40, 1, -2, 24, 0, 0, { 0 } }, "", 0, data, 7, "abcdef");
    assert_bmp((bmp_head){ 12, 1, 2, 24, 0, 0, { 0 } }, "", 0, data, 7, "defabc");
}

static void every_depth_decodes(void **state)
{
    (void)state;
    static const char palette[] = "cba\0fed\0ihg";
    assert_bmp((bmp_head){ 40, 2, 1, 1, 0, 2, { 0 } }, palette, 8, "\x40\0\0\0", 4,
               "abcdef");
    assert_bmp((bmp_head){ 40, 3, 1, 4, 0, 3, { 0 } }, palette, 12, "\x12\0\0\0", 4,
               "defghiabc");
    assert_bmp((bmp_head){ 40, 2, 1, 8, 0, 3, { 0 } }, palette, 12, "\2\3\0\0", 4,
               "ghi\3\3\3"); /* a value without a colour is gray */
    assert_bmp((bmp_head){ 12, 2, 1, 1, 0, 0, { 0 } }, "cbafed", 6, "\x40\0\0\0", 4,
               "abcdef");
    assert_bmp((bmp_head){ 40, 2, 1, 16, 0, 0, { 0 } }, "", 0, "\x1f\x7c\x01\0", 4,
               "\xff\0\xff\0\0\x08");
    assert_bmp((bmp_head){ 40, 1, 1, 32, 0, 0, { 0 } }, "", 0, "cba\x07", 4, "abc");
}

static void masks_say_where_colours_are(void **state)
{
    (void)state;
    for (uint32_t header = 40; header <= 124; header += 84) {
        assert_bmp((bmp_head){ header, 2, 1, 16, 3, 0, { 0xf800, 0x7e0, 0x1f } }, "", 0,
                   "\xe0\x07\x20\0", 4, "\0\xff\0\0\x04\0");
        assert_bmp((bmp_head){ header, 1, 1, 32, 3, 0, { 0xff, 0xff00, 0xff0000 } }, "",
                   0, "abcd", 4, "abc");
        refuse_bmp((bmp_head){ header, 1, 1, 32, 3, 0, { 0xf0f, 0xf000, 0xff0000 } },
                   AFN_EFORMAT, "mask 00000f0f has a gap");
    }
}

static void runs_are_drawn(void **state)
{
    (void)state;
    static const char palette[] = "000\0cba\0fed\0ihg";
    /* two of 1; one to the right and one up; of 3 given values one fits */
    const char eight[] = "\2\1\0\2\1\1\0\3\2\3\1\0\0\1";
    assert_bmp((bmp_head){ 40, 4, 2, 8, 1, 4, { 0 } }, palette, 16, eight, 14,
               "000000000defabcabc000000");
}

static void four_bit_runs_alternate(void **state)
{
    (void)state;
    static const char palette[] = "000\0cba\0fed\0ihg";
    const char four[] = "\3\x12\0\0\0\3\x32\x10\0\1"; /* runs 1 2 1; given 3 2 1 */
    assert_bmp((bmp_head){ 40, 3, 2, 4, 2, 4, { 0 } }, palette, 16, four, 10,
               "ghidefabcabcdefabc");
}

static void runs_stay_inside_the_picture(void **state)
{
    (void)state;
    static const char palette[] = "000\0cba\0";
    assert_bmp((bmp_head){ 40, 2, 1, 8, 1, 2, { 0 } }, palette, 8, "\xff\1\xff\1\0\1",
               6, "abcabc");
    assert_bmp((bmp_head){ 40, 2, 1, 8, 1, 2, { 0 } }, palette, 8, "\0\2\0\xff\5\1", 6,
               "000000");
    assert_bmp((bmp_head){ 40, 2, 1, 8, 1, 2, { 0 } }, palette, 8, "\0\1", 2, "000000");
}

static void odd_headers_are_refused(void **state)
{
    (void)state;
    const bmp_head good = { 40, 1, 1, 24, 0, 0, { 0 } };
    bmp_head h = good;
    h.bits = 5;
    refuse_bmp(h, AFN_EFORMAT, "5 bits for a pixel");
    h = good;
    h.header = 41;
    refuse_bmp(h, AFN_EFORMAT, "header of 41 bytes");
    h = good;
    h.compression = 4;
    refuse_bmp(h, AFN_EUNSUPPORTED, "compression 4");
    h.compression = 1;
    refuse_bmp(h, AFN_EFORMAT, "compression 1 with 24 bits");
    h = good;
    h.width = 0;
    refuse_bmp(h, AFN_EFORMAT, "0x1 pixels");
    h.width = h.height = 100000;
    refuse_bmp(h, AFN_EUNSUPPORTED, "limit is");
    h.height = 1000;
    refuse_bmp(h, AFN_EFORMAT, "in 8 bytes, file is truncated");
    h = good;
    h.bits = 8;
    h.colours = 1 << 20;
    refuse_bmp(h, AFN_EFORMAT, "palette of 1048576 colours");
    h.colours = 0;
    h.compression = 1;
    h.width = h.height = 10000;
    refuse_bmp(h, AFN_EFORMAT, "file is truncated");
}

static void no_part_of_a_file_decodes(void **state)
{
    (void)state;
    afn_buf b = bmp_begin((bmp_head){ 40, 1, 2, 24, 0, 0, { 0 } }, 0);
    afn_buf_add(&b, "cba\0fed", 7);
    assert_no_part_decodes(b.data, b.size);
    decode_failing(b.data, b.size, 1);
    afn_buf_free(&b);
    b = bmp_begin((bmp_head){ 40, 3, 1, 8, 1, 2, { 0 } }, 8);
    afn_buf_add(&b, "000\0cba\0\3\1", 10);
    assert_no_part_decodes(b.data, b.size);
    afn_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_go_up_unless_the_height_is_negative),
        cmocka_unit_test(every_depth_decodes),
        cmocka_unit_test(masks_say_where_colours_are),
        cmocka_unit_test(runs_are_drawn),
        cmocka_unit_test(four_bit_runs_alternate),
        cmocka_unit_test(runs_stay_inside_the_picture),
        cmocka_unit_test(odd_headers_are_refused),
        cmocka_unit_test(no_part_of_a_file_decodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
