/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures for tests, made in memory: a PNG chunk by chunk, so that each can be wrong
 * in one way, and a JPEG by libjpeg. */
#ifndef AFN_TEST_MAKE_PICTURE_H
#define AFN_TEST_MAKE_PICTURE_H

#include "afn_test.h"

#include <jpeglib.h>

#include "image/image.h"

static inline void add_u32be(afn_buf *b, uint32_t v)
{
    const uint8_t p[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
                           (uint8_t)v };
    afn_buf_add(b, p, 4);
}

static inline uint32_t test_crc32(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static inline void png_begin(afn_buf *b)
{
    afn_buf_add(b, "\x89PNG\r\n\x1a\n", 8);
}

static inline void png_chunk(afn_buf *b, const char *type, const void *data, size_t n)
{
    add_u32be(b, (uint32_t)n);
    const size_t from = b->size;
    afn_buf_add(b, type, 4);
    if (n) afn_buf_add(b, data, n);
    add_u32be(b, test_crc32(b->data + from, b->size - from));
}

typedef struct png_head {
    uint32_t width, height;
    uint8_t depth, colour, interlaced;
} png_head;

static inline void png_ihdr(afn_buf *b, png_head h)
{
    afn_buf body = { 0 };
    add_u32be(&body, h.width);
    add_u32be(&body, h.height);
    const uint8_t rest[5] = { h.depth, h.colour, 0, 0, h.interlaced };
    afn_buf_add(&body, rest, 5);
    png_chunk(b, "IHDR", body.data, body.size);
    afn_buf_free(&body);
}

/* A zlib stream of one stored block, to be put into IDAT. */
static inline void zlib_stored(afn_buf *b, const uint8_t *raw, size_t n)
{
    uint32_t s1 = 1, s2 = 0; /* Adler-32 */
    for (size_t i = 0; i < n; i++) {
        s1 = (s1 + raw[i]) % 65521;
        s2 = (s2 + s1) % 65521;
    }
    const uint8_t head[7] = {
        0x78, 0x01, 1, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)~n, (uint8_t)(~n >> 8)
    };
    afn_buf_add(b, head, sizeof head);
    afn_buf_add(b, raw, n);
    add_u32be(b, s2 << 16 | s1);
}

static inline void png_idat(afn_buf *b, const uint8_t *raw, size_t n)
{
    afn_buf z = { 0 };
    zlib_stored(&z, raw, n);
    png_chunk(b, "IDAT", z.data, z.size);
    afn_buf_free(&z);
}

/* A whole picture; raw holds the rows with their filter bytes. */
static inline void make_png(afn_buf *b, png_head h, const uint8_t *raw, size_t n)
{
    png_begin(b);
    png_ihdr(b, h);
    png_idat(b, raw, n);
    png_chunk(b, "IEND", NULL, 0);
}

/* A block of EXIF that says nothing but the orientation. */
enum { EXIF_BYTES = 22 };
static inline void make_exif(uint8_t out[EXIF_BYTES], int orientation)
{
    const uint8_t block[EXIF_BYTES] = { 'M', 'M',  0, 42, 0,
                                        0,   0,    8, 0,  1,
                                        1,   0x12, 0, 3,  0,
                                        0,   0,    1, 0,  (uint8_t)orientation };
    memcpy(out, block, EXIF_BYTES);
}

typedef struct jpeg_kind {
    int width, height, components; /* components 1, 3 or 4 */
    bool progressive;
    bool ycck; /* four components, stored as YCCK */
    int restart_rows;
} jpeg_kind;

/* What make_jpeg() draws: soft gradients, up to 64x64 without an edge. */
static inline uint8_t test_ink(int x, int y, int channel)
{
    return (uint8_t)(40 + 50 * channel + (x + y) / 2);
}

/* A picture of soft gradients; *bytes is to be freed with free(). */
static inline void make_jpeg(unsigned char **bytes, unsigned long *size, jpeg_kind kind)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr error;
    jpeg.err = jpeg_std_error(&error);
    jpeg_create_compress(&jpeg);
    *bytes = NULL;
    *size = 0;
    jpeg_mem_dest(&jpeg, bytes, size);
    jpeg.image_width = (JDIMENSION)kind.width;
    jpeg.image_height = (JDIMENSION)kind.height;
    jpeg.input_components = kind.components;
    jpeg.in_color_space = kind.components == 1   ? JCS_GRAYSCALE
                          : kind.components == 3 ? JCS_RGB
                                                 : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    if (kind.ycck) jpeg_set_colorspace(&jpeg, JCS_YCCK);
    if (kind.progressive) jpeg_simple_progression(&jpeg);
    jpeg.restart_in_rows = kind.restart_rows;
    jpeg_start_compress(&jpeg, TRUE);
    uint8_t *row = malloc((size_t)(kind.width * kind.components));
    assert_non_null(row);
    for (int y = 0; y < kind.height; y++) {
        for (int i = 0; i < kind.width * kind.components; i++)
            row[i] = test_ink(i / kind.components, y, i % kind.components);
        JSAMPROW rows[1] = { row };
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    free(row);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
}

/* Decode with the k-th allocation failing, for every k, until none fails; `least`
 * of them are ours to make. */
static inline void decode_failing(const void *bytes, size_t size, int least)
{
    int failed = 0;
    for (int64_t k = 1;; k++) {
        afn_image image;
        afn_alloc_fail_at(k);
        const afn_status st = afn_image_decode(&image, bytes, size, NULL);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            afn_image_free(&image);
            break;
        }
        assert_int_equal(st, AFN_ENOMEM);
        assert_null(image.pixels);
        failed++;
    }
    assert_true(failed >= least);
}

/* Decodes to these bytes of RGB. */
static inline void assert_decodes(const void *bytes, size_t size, int64_t width,
                                  const char *rgb, size_t n)
{
    afn_image image;
    assert_ok(afn_image_decode(&image, bytes, size, NULL));
    assert_int_equal(image.width, width);
    assert_int_equal(image.width * image.height * 3, n);
    assert_memory_equal(image.pixels, rgb, n);
    afn_image_free(&image);
}

/* Refused at every length below the whole: no byte behind the end is read, and nothing
 * is made up. */
static inline void assert_no_part_decodes(const void *bytes, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        afn_image image;
        uint8_t *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, bytes, n);
        const afn_status st = afn_image_decode(&image, copy, n, NULL);
        if (st == AFN_OK) fail_msg("%zu of %zu bytes decode", n, size);
        assert_null(image.pixels);
        free(copy);
    }
}

#endif
