/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of pictures, read without a codec: size, depth, colours and orientation.
 * One row of format[] for each format; every offset is checked, nothing is allocated.
 *
 *   JPEG  segments of (0xff, marker, length u16be, data): SOFn has the size, APP1
 * "Exif" the orientation PNG   chunks of (length u32be, type[4], data, crc[4]): IHDR,
 * tRNS, eXIf Source     ITU-T T.81; https://www.w3.org/TR/png-3/ */
#include <string.h>

#include "image/exif.h"

static uint32_t be(const uint8_t *p, int n)
{
    uint32_t v = 0;
    for (int i = 0; i < n; i++) v = v << 8 | p[i];
    return v;
}

static void read_orientation(afn_image_info *out, const uint8_t *exif, size_t size)
{
    const int orientation = afn_image__exif_orientation(exif, size);
    if (orientation) out->orientation = orientation;
}

/* ---- JPEG ---- */

static bool is_frame(int marker) /* SOF0 to SOF15 but DHT, JPG and DAC */
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
           marker != 0xcc;
}

static void read_frame(afn_image_info *out, const uint8_t *p, size_t size)
{
    if (size < 6) return;
    out->bits = p[0];
    out->height = be(p + 1, 2);
    out->width = be(p + 3, 2);
    out->gray = p[5] == 1;
    out->cmyk = p[5] == 4;
}

static void describe_jpeg(afn_image_info *out, const uint8_t *p, size_t size)
{
    static const uint8_t exif[] = { 'E', 'x', 'i', 'f', 0, 0 };
    size_t at = 2;
    while (at + 4 <= size) {
        const int marker = p[at + 1];
        if (p[at] != 0xff || marker == 0xff) { /* filler, or a lost place */
            at++;
            continue;
        }
        if (marker == 0xd9 || marker == 0xda) return; /* the end, or pixels */
        if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
            at += 2; /* markers without data */
            continue;
        }
        const size_t length = be(p + at + 2, 2), left = size - at - 2;
        if (length < 2 || length > left) return;
        const uint8_t *data = p + at + 4;
        if (is_frame(marker)) read_frame(out, data, length - 2);
        if (marker == 0xe1 && length >= 8 && memcmp(data, exif, sizeof exif) == 0)
            read_orientation(out, data, length - 2);
        at += 2 + length;
    }
}

/* ---- PNG ---- */

static void read_chunk(afn_image_info *out, const uint8_t *type, const uint8_t *data,
                       size_t n)
{
    if (memcmp(type, "IHDR", 4) == 0 && n >= 13) {
        out->width = be(data, 4);
        out->height = be(data + 4, 4);
        out->bits = data[8];
        out->gray = data[9] == 0 || data[9] == 4;
        out->alpha = data[9] >= 4;
    }
    if (memcmp(type, "tRNS", 4) == 0) out->alpha = true;
    if (memcmp(type, "eXIf", 4) == 0) read_orientation(out, data, n);
}

static void describe_png(afn_image_info *out, const uint8_t *p, size_t size)
{
    enum { SIGNATURE = 8, HEADER = 8, CRC = 4 };
    for (size_t at = SIGNATURE; at + HEADER <= size;) {
        const size_t n = be(p + at, 4), left = size - at - HEADER;
        if (n > left) return;
        read_chunk(out, p + at + 4, p + at + HEADER, n);
        if (left - n < CRC) return;
        at += HEADER + n + CRC;
    }
}

/* ---- all ---- */

static const struct {
    const char *name;
    const char *magic;
    size_t magic_bytes;
    void (*describe)(afn_image_info *out, const uint8_t *bytes, size_t size);
} format[] = {
    { "jpeg", "\xff\xd8\xff", 3, describe_jpeg },
    { "png", "\x89PNG\r\n\x1a\n", 8, describe_png },
};

void afn_image_describe(afn_image_info *out, const void *bytes, size_t size)
{
    *out = (afn_image_info){ 0 };
    for (size_t i = 0; i < AFN_COUNT(format); i++) {
        if (size < format[i].magic_bytes) continue;
        if (memcmp(bytes, format[i].magic, format[i].magic_bytes) != 0) continue;
        out->format = format[i].name;
        out->orientation = 1;
        format[i].describe(out, bytes, size);
        return;
    }
}
