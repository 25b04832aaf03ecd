/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of pictures, read without a codec: size, depth, colours and orientation.
 * One row of format[] for each format; every offset is checked, nothing is allocated.
 *
 *   JPEG  segments of (0xff, marker, length u16be, data): SOFn has the size, APP1
 *         "Exif" the orientation
 *   PNG   chunks of (length u32be, type[4], data, crc[4]): IHDR, tRNS, eXIf
 *   WebP  chunks of (type[4], length u32le, data, to even length): VP8X, VP8 or VP8L,
 *         EXIF
 *   GIF   header with the screen's size; blocks up to the first picture, one of which
 *         may make a colour transparent
 *   TIFF  directory of (tag u16, type u16, count u32, value or offset u32)
 *   BMP   header of 12 bytes or of 40 and more
 *   PNM   "P1" to "P6", then numbers in text
 *
 * Source     ITU-T T.81; https://www.w3.org/TR/png-3/; RFC 9649; CompuServe's GIF89a;
 *            TIFF 6.0; Microsoft's BITMAPINFOHEADER; https://netpbm.sourceforge.net */
#include <string.h>

#include "image/exif.h"

static uint32_t be(const uint8_t *p, int n)
{
    uint32_t v = 0;
    for (int i = 0; i < n; i++) v = v << 8 | p[i];
    return v;
}

static uint32_t le(const uint8_t *p, int n)
{
    uint32_t v = 0;
    while (n-- > 0) v = v << 8 | p[n];
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

/* ---- WebP ---- */

static void read_webp_chunk(afn_image_info *out, const uint8_t *type, const uint8_t *p,
                            size_t n)
{
    if (memcmp(type, "VP8X", 4) == 0 && n >= 10) {
        out->alpha = (p[0] & 0x10) != 0;
        out->width = le(p + 4, 3) + 1;
        out->height = le(p + 7, 3) + 1;
    }
    const bool sized = out->width > 0; /* the canvas says it, not the frame */
    if (memcmp(type, "VP8 ", 4) == 0 && n >= 10 && !sized) {
        out->width = le(p + 6, 2) & 0x3fff;
        out->height = le(p + 8, 2) & 0x3fff;
    }
    if (memcmp(type, "VP8L", 4) == 0 && n >= 5 && !sized) {
        const uint32_t bits = le(p + 1, 4);
        out->width = (bits & 0x3fff) + 1;
        out->height = (bits >> 14 & 0x3fff) + 1;
        out->alpha = (bits >> 28 & 1) != 0;
    }
    if (memcmp(type, "EXIF", 4) == 0) read_orientation(out, p, n);
}

static void describe_webp(afn_image_info *out, const uint8_t *p, size_t size)
{
    enum { SIGNATURE = 12, HEADER = 8 };
    out->bits = 8;
    for (size_t at = SIGNATURE; at + HEADER <= size;) {
        const size_t n = le(p + at + 4, 4), left = size - at - HEADER;
        if (n > left) return;
        read_webp_chunk(out, p + at, p + at + HEADER, n);
        at += HEADER + n + (n & 1);
    }
}

/* ---- GIF ---- */

/* End of sub-blocks of (length u8, data), which a length of 0 ends. */
static size_t gif_skip(const uint8_t *p, size_t size, size_t at)
{
    while (at < size && p[at]) at += (size_t)p[at] + 1;
    return at + 1;
}

static void describe_gif(afn_image_info *out, const uint8_t *p, size_t size)
{
    enum { HEADER = 13, CONTROL = 0xf9 };
    if (size < HEADER) return;
    out->width = le(p + 6, 2);
    out->height = le(p + 8, 2);
    out->bits = 8; /* of the palette's colours */
    size_t at = HEADER;
    if (p[10] & 0x80) at += (size_t)6 << (p[10] & 7); /* palette of 3 bytes a colour */
    while (at + 4 <= size && p[at] == 0x21) {
        if (p[at + 1] == CONTROL && p[at + 2] >= 4) out->alpha = p[at + 3] & 1;
        at = gif_skip(p, size, at + 2);
    }
    if (at + 9 > size || p[at] != 0x2c) return;
    /* A first picture that sticks out makes the screen larger, as Pillow has it. */
    const int64_t right = le(p + at + 1, 2) + le(p + at + 5, 2);
    const int64_t bottom = le(p + at + 3, 2) + le(p + at + 7, 2);
    if (right > out->width) out->width = right;
    if (bottom > out->height) out->height = bottom;
}

/* ---- TIFF ---- */

typedef struct tiff {
    const uint8_t *p;
    size_t size;
    bool big; /* byte order */
} tiff;

static uint32_t tiff_number(const tiff *t, size_t at, int n)
{
    return t->big ? be(t->p + at, n) : le(t->p + at, n);
}

/* First value of an entry at `at`: SHORT or LONG, in place or where it points to. */
static uint32_t tiff_value(const tiff *t, size_t at)
{
    enum { SHORT = 3, LONG = 4 };
    const uint32_t type = tiff_number(t, at + 2, 2), count = tiff_number(t, at + 4, 4);
    const int bytes = type == SHORT ? 2 : type == LONG ? 4 : 0;
    size_t where = at + 8;
    if (!bytes || !count) return 0;
    if (count > 4 / (uint32_t)bytes) where = tiff_number(t, where, 4);
    if (where > t->size || t->size - where < (size_t)bytes) return 0;
    return tiff_number(t, where, bytes);
}

static void read_tiff_tag(afn_image_info *out, uint32_t tag, uint32_t value)
{
    switch (tag) {
    case 256:
        out->width = value;
        break;
    case 257:
        out->height = value;
        break;
    case 258:
        out->bits = (int)(value <= 64 ? value : 0);
        break;
    case 262: /* photometric interpretation */
        out->gray = value <= 1;
        out->cmyk = value == 5;
        break;
    case 274:
        if (value >= 1 && value <= 8) out->orientation = (int)value;
        break;
    case 338:
        out->alpha = value == 1 || value == 2;
        break; /* extra samples */
    default:
        break;
    }
}

static void describe_tiff(afn_image_info *out, const uint8_t *p, size_t size)
{
    enum { HEADER = 8, ENTRY = 12 };
    const tiff t = { p, size, p[0] == 'M' };
    if (size < HEADER) return;
    out->bits = 1; /* where no tag says so */
    size_t at = tiff_number(&t, 4, 4);
    if (at > size || size - at < 2) return;
    const uint32_t entries = tiff_number(&t, at, 2);
    at += 2;
    for (uint32_t i = 0; i < entries && size - at >= ENTRY; i++, at += ENTRY)
        read_tiff_tag(out, tiff_number(&t, at, 2), tiff_value(&t, at));
}

/* ---- BMP ---- */

static void describe_bmp(afn_image_info *out, const uint8_t *p, size_t size)
{
    enum { FILE_HEADER = 14, OLD = 12, INFO = 40, WITH_ALPHA = 56 };
    if (size < FILE_HEADER + OLD) return;
    const uint32_t header = le(p + 14, 4);
    out->bits = 8;
    if (header == OLD) {
        out->width = le(p + 18, 2);
        out->height = le(p + 20, 2);
    } else if (header >= INFO && size >= FILE_HEADER + INFO) {
        const int32_t height = (int32_t)le(p + 22, 4); /* negative: top row first */
        out->width = (int32_t)le(p + 18, 4);
        out->height = height < 0 ? -(int64_t)height : height;
        if (header >= WITH_ALPHA && size >= FILE_HEADER + WITH_ALPHA)
            out->alpha = le(p + 28, 2) == 32 && le(p + 66, 4) != 0;
    }
}

/* ---- PNM ---- */

/* Next number of the header, -1 where there is none; blanks and comments go before. */
static int64_t pnm_number(const uint8_t *p, size_t size, size_t *at)
{
    int64_t v = -1;
    for (bool comment = false; *at < size; ++*at) {
        const uint8_t c = p[*at];
        if (c == '#') comment = true;
        if (c == '\n' || c == '\r') comment = false;
        if (!comment && c >= '0' && c <= '9') break;
        if (!comment && (!c || !strchr(" \t\n\v\f\r", c))) return -1;
    }
    for (; *at < size && p[*at] >= '0' && p[*at] <= '9' && v < INT32_MAX; ++*at)
        v = (v < 0 ? 0 : v * 10) + p[*at] - '0';
    return v;
}

static void describe_pnm(afn_image_info *out, const uint8_t *p, size_t size)
{
    const int kind = size > 1 ? p[1] - '0' : 0;
    size_t at = 2;
    if (kind < 1 || kind > 6) {
        *out = (afn_image_info){ 0 };
        return;
    }
    const bool bitmap = kind == 1 || kind == 4;
    const int64_t width = pnm_number(p, size, &at), height = pnm_number(p, size, &at);
    const int64_t most = bitmap ? 1 : pnm_number(p, size, &at);
    if (width < 0 || height < 0 || most < 0) return;
    out->width = width;
    out->height = height;
    out->bits = bitmap ? 1 : most > 255 ? 16 : 8;
    out->gray = kind % 3 != 0;
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
    { "webp", "RIFF????WEBP", 12, describe_webp },
    { "gif", "GIF8", 4, describe_gif },
    { "tiff", "II*\0", 4, describe_tiff },
    { "tiff", "MM\0*", 4, describe_tiff },
    { "bmp", "BM", 2, describe_bmp },
    { "pnm", "P", 1, describe_pnm },
};

/* '?' of a signature is any byte. */
static bool begins(const uint8_t *bytes, size_t size, const char *magic, size_t n)
{
    if (size < n) return false;
    for (size_t i = 0; i < n; i++)
        if (magic[i] != '?' && bytes[i] != (uint8_t)magic[i]) return false;
    return true;
}

void afn_image_describe(afn_image_info *out, const void *bytes, size_t size)
{
    *out = (afn_image_info){ 0 };
    for (size_t i = 0; i < AFN_COUNT(format); i++) {
        if (!begins(bytes, size, format[i].magic, format[i].magic_bytes)) continue;
        out->format = format[i].name;
        out->orientation = 1;
        format[i].describe(out, bytes, size);
        return;
    }
}
