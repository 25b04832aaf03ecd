/* SPDX-License-Identifier: Apache-2.0 */
/* WebPs made by libwebp's own encoder, whole, animated by hand, and cut. */
#include "afn_test.h"

#include <webp/encode.h>

#include "image/codec.h"
#include "image/exif.h"
#include "make_picture.h"

static void add_le(afn_buf *b, uint32_t v, int n)
{
    for (int i = 0; i < n; i++) afn_buf_add(b, &(uint8_t){ (uint8_t)(v >> 8 * i) }, 1);
}

static void add_chunk(afn_buf *b, const char *name, const void *data, size_t n)
{
    afn_buf_add(b, name, 4);
    add_le(b, (uint32_t)n, 4);
    afn_buf_add(b, data, n);
    if (n % 2) add_le(b, 0, 1);
}

/* A lossless picture; the chunk with its pixels begins at byte 12. */
static uint8_t *lossless(const uint8_t *rgba, int width, int height, size_t *size)
{
    uint8_t *out = NULL;
    *size = WebPEncodeLosslessRGBA(rgba, width, height, 4 * width, &out);
    assert_true(*size > 20);
    return out;
}

/* RIFF with a VP8X header for a canvas of 3x2, flags as in the specification. */
static afn_buf begin_extended(uint8_t flags)
{
    afn_buf b = { 0 };
    afn_buf_add(&b, "RIFF\0\0\0\0WEBP", 12);
    add_chunk(&b, "VP8X", (uint8_t[10]){ flags, 0, 0, 0, 2, 0, 0, 1, 0, 0 }, 10);
    return b;
}

static void finish(afn_buf *b)
{
    const size_t n = b->size - 8;
    for (int i = 0; i < 4; i++) b->data[4 + i] = (char)(n >> 8 * i);
}

static const uint8_t six[24] = "abc\xff"
                               "def\xff"
                               "ghi\xff"
                               "jkl\x80"
                               "mno\x01"
                               "pqr\xff";

static void lossless_pixels_lose_their_alpha(void **state)
{
    (void)state;
    size_t size;
    uint8_t *webp = lossless(six, 3, 2, &size);
    assert_decodes(webp, size, 3, "abcdefghijklmnopqr", 18);
    assert_no_part_decodes(webp, size);
    decode_failing(webp, size, 1);
    WebPFree(webp);
}

static void lossy_pixels_are_near(void **state)
{
    (void)state;
    uint8_t rgb[48 * 3], *webp = NULL;
    for (int i = 0; i < 48 * 3; i++) rgb[i] = test_ink(i / 3 % 8, i / 3 / 8, i % 3);
    const size_t size = WebPEncodeRGB(rgb, 8, 6, 24, 90, &webp);
    afn_image image;
    assert_ok(afn_image_decode(&image, webp, size, NULL));
    for (int i = 0; i < 48 * 3; i++)
        assert_in_range(image.pixels[i] + 12 - rgb[i], 0, 24);
    afn_image_free(&image);
    WebPFree(webp);
}

static void the_first_frame_is_drawn_on_black(void **state)
{
    (void)state;
    enum { ANIMATED = 2, ALPHA = 16 };
    size_t size;
    uint8_t *webp = lossless((const uint8_t *)"xyz\x40", 1, 1, &size);
    afn_buf b = begin_extended(ANIMATED | ALPHA), frame = { 0 };
    add_chunk(&b, "ANIM", "\xff\xff\xff\xff\0\0", 6);
    add_le(&frame, 1, 3); /* left / 2 */
    add_le(&frame, 0, 3);
    add_le(&frame, 0, 3); /* width - 1 */
    add_le(&frame, 0, 3);
    add_le(&frame, 100, 3);
    add_le(&frame, 0, 1);
    afn_buf_add(&frame, webp + 12, size - 12);
    for (int i = 0; i < 2; i++) add_chunk(&b, "ANMF", frame.data, frame.size);
    finish(&b);
    assert_decodes(b.data, b.size, 3, "\0\0\0\0\0\0xyz\0\0\0\0\0\0\0\0\0", 18);
    afn_buf_free(&frame);
    afn_buf_free(&b);
    WebPFree(webp);
}

static void exif_turns_it(void **state)
{
    (void)state;
    enum { EXIF = 8 };
    size_t size;
    uint8_t exif[EXIF_BYTES];
    uint8_t *webp = lossless(six, 3, 2, &size);
    afn_buf b = begin_extended(EXIF | 16);
    afn_buf_add(&b, webp + 12, size - 12);
    make_exif(exif, 6);
    add_chunk(&b, "EXIF", exif, sizeof exif);
    finish(&b);
    assert_decodes(b.data, b.size, 2, "jklabcmnodefpqrghi", 18);
    afn_buf_free(&b);
    WebPFree(webp);
}

static void too_large_a_canvas_is_refused(void **state)
{
    (void)state;
    size_t size;
    afn_image image;
    uint8_t *webp = lossless((const uint8_t *)"xyz\x40", 1, 1, &size);
    afn_buf b = begin_extended(2);
    memcpy(b.data + 24, "\xff\x3f\0\xff\x3f\0", 6); /* 16384 x 16384 */
    add_chunk(&b, "ANIM", "\0\0\0\0\0\0", 6);
    afn_buf frame = { 0 };
    for (int i = 0; i < 16; i++) add_le(&frame, 0, 1);
    afn_buf_add(&frame, webp + 12, size - 12);
    add_chunk(&b, "ANMF", frame.data, frame.size);
    finish(&b);
    assert_fails(AFN_EUNSUPPORTED, "16384x16384 pixels, limit is",
                 afn_image_decode(&image, b.data, b.size, NULL));
    afn_buf_free(&frame);
    afn_buf_free(&b);
    WebPFree(webp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_pixels_lose_their_alpha),
        cmocka_unit_test(lossy_pixels_are_near),
        cmocka_unit_test(the_first_frame_is_drawn_on_black),
        cmocka_unit_test(exif_turns_it),
        cmocka_unit_test(too_large_a_canvas_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
