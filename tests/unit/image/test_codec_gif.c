/* SPDX-License-Identifier: Apache-2.0 */
/* GIFs made by hand: each pixel is a code of its own, with the table cleared in
 * between, so that no code is wider than three bits. */
#include "afn_test.h"

#include "image/codec.h"
#include "make_picture.h"

enum { CLEAR = 4, END = 5, CODE_BITS = 3 };

typedef struct gif_frame {
    uint8_t left, top, width, height;
    bool interlaced, local;
    int transparent; /* -1 = none */
} gif_frame;

static void add_palette(afn_buf *b, const char *colours)
{
    afn_buf_add(b, colours, 12);
}

/* The pixels as one block of codes. */
static void add_codes(afn_buf *b, const char *pixel, size_t n)
{
    uint8_t data[255] = { 0 };
    size_t bit = 0;
    for (size_t i = 0; i < 2 * n + 1; i++) {
        const int code = i == 2 * n ? END : i % 2 ? pixel[i / 2] : CLEAR;
        for (int k = 0; k < CODE_BITS; k++, bit++)
            data[bit / 8] |= (uint8_t)((code >> k & 1) << bit % 8);
    }
    const uint8_t bytes = (uint8_t)((bit + 7) / 8);
    afn_buf_add(b, "\2", 1);
    afn_buf_add(b, &bytes, 1);
    afn_buf_add(b, data, bytes);
}

/* A screen of 3x2 with this frame; palettes have four colours. */
static afn_buf make_gif(gif_frame f, const char *pixel)
{
    afn_buf b = { 0 };
    afn_buf_add(&b, "GIF89a\3\0\2\0\x81\0\0", 13);
    add_palette(&b, "abcdefghijkl");
    afn_buf_add(&b, "!\xfe\3hey\0", 7); /* a comment */
    if (f.transparent >= 0) {
        const uint8_t control[8] = { '!', 0xf9, 4, 1, 0, 0, (uint8_t)f.transparent, 0 };
        afn_buf_add(&b, control, 8);
    }
    const uint8_t head[10] = {
        ',', f.left,
        0,   f.top,
        0,   f.width,
        0,   f.height,
        0,   (uint8_t)((f.local ? 0x81 : 0) | (f.interlaced ? 64 : 0))
    };
    afn_buf_add(&b, head, 10);
    if (f.local) add_palette(&b, "ABCDEFGHIJKL");
    add_codes(&b, pixel, (size_t)f.width * f.height);
    afn_buf_add(&b, "\0;", 2);
    return b;
}

static void assert_gif(gif_frame f, const char *pixel, int64_t width, const char *rgb)
{
    afn_buf b = make_gif(f, pixel);
    assert_decodes(b.data, b.size, width, rgb, strlen(rgb));
    afn_buf_free(&b);
}

static void a_frame_that_fills_the_screen(void **state)
{
    (void)state;
    const gif_frame f = { 0, 0, 3, 2, false, false, -1 };
    assert_gif(f, "\0\1\2\3\2\1", 3, "abcdefghijklghidef");
    const gif_frame local = { 0, 0, 3, 2, false, true, -1 };
    assert_gif(local, "\0\1\2\3\2\1", 3, "ABCDEFGHIJKLGHIDEF");
}

static void a_small_frame_stands_on_transparent_or_first_colour(void **state)
{
    (void)state;
    gif_frame f = { 1, 1, 1, 1, false, false, -1 };
    assert_gif(f, "\2", 3, "abcabcabcabcghiabc");
    f.transparent = 3;
    assert_gif(f, "\2", 3, "jkljkljkljklghijkl");
}

static void a_frame_that_sticks_out_widens_the_picture(void **state)
{
    (void)state;
    const gif_frame f = { 2, 0, 2, 1, false, false, -1 };
    assert_gif(f, "\1\2", 4, "abcabcdefghiabcabcabcabc");
}

static void interlaced_rows_find_their_place(void **state)
{
    (void)state;
    const gif_frame f = { 0, 0, 1, 5, true, false, -1 }; /* rows 0, 4, 2, 1, 3 */
    assert_gif(f, "\0\1\2\3\0", 3, "abcabcabcjklabcabcghiabcabcabcabcabcdefabcabc");
}

static void stray_bytes_between_blocks_are_passed_over(void **state)
{
    (void)state;
    const gif_frame f = { 0, 0, 3, 2, false, false, -1 };
    afn_buf b = make_gif(f, "\0\1\2\3\2\1"), stray = { 0 };
    afn_buf_add(&stray, b.data, 25);
    afn_buf_add(&stray, "\0\0x", 3);
    afn_buf_add(&stray, b.data + 25, b.size - 25);
    assert_decodes(stray.data, stray.size, 3, "abcdefghijklghidef", 18);
    afn_buf_free(&stray);
    afn_buf_free(&b);
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    afn_image image;
    const gif_frame f = { 0, 0, 3, 2, false, false, -1 }, empty = { .transparent = -1 };
    afn_buf b = make_gif(f, "\0\1\2\3\2\1");
    assert_fails(AFN_EFORMAT, "no picture",
                 afn_image_decode(&image, "GIF89a\3\0\2\0\0\0\0;", 14, NULL));
    memcpy(b.data + 6, "\xff\xff\xff\xff", 4);
    assert_fails(AFN_EUNSUPPORTED, "65535x65535 pixels, limit",
                 afn_image_decode(&image, b.data, b.size, NULL));
    memcpy(b.data + 6, "\0\x20\0\x20", 4);
    assert_fails(AFN_EFORMAT, "8192x8192 pixels in",
                 afn_image_decode(&image, b.data, b.size, NULL));
    afn_buf_free(&b);
    b = make_gif(empty, "");
    assert_fails(AFN_EFORMAT, "frame of 0x0",
                 afn_image_decode(&image, b.data, b.size, NULL));
    afn_buf_free(&b);
}

/* All but the mark of the end, or as in Pillow the last pixel and what follows. */
static void no_part_of_a_file_decodes(void **state)
{
    (void)state;
    const gif_frame f = { 0, 0, 3, 2, false, false, -1 };
    afn_buf b = make_gif(f, "\0\1\2\3\2\1");
    assert_no_part_decodes(b.data, b.size - 4);
    decode_failing(b.data, b.size, 2); /* pixels, a row of the frame */
    afn_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_that_fills_the_screen),
        cmocka_unit_test(a_small_frame_stands_on_transparent_or_first_colour),
        cmocka_unit_test(a_frame_that_sticks_out_widens_the_picture),
        cmocka_unit_test(interlaced_rows_find_their_place),
        cmocka_unit_test(stray_bytes_between_blocks_are_passed_over),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(no_part_of_a_file_decodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
