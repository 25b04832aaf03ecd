/* SPDX-License-Identifier: Apache-2.0 */
/* BMP, Windows' and OS/2's, uncompressed, run-length encoded and with bit fields:
 *
 *   file:    "BM", u32 size, u32 0, u32 offset of the pixels      (all little-endian)
 *   header:  u32 bytes of it: 12 (u16 sides), 40, 52, 56, 64, 108 or 124 (i32 sides)
 *   then     masks of the colours (behind a header of 40), palette, pixels
 *
 * Rows are padded to 4 bytes and go from the bottom up, unless the height is negative.
 * Alpha is dropped.  The rules about doubtful files are Pillow's, but for three where
 * Pillow 9.4 errs: runs of 4-bit values with an odd count, runs that move on without
 * drawing, and 8-bit pictures with a palette of black and white are read as the format
 * says; pixels that a run-length encoding leaves out have value 0.
 * Source     https://learn.microsoft.com/windows/win32/gdi/bitmap-storage; Pillow,
 *            BmpImagePlugin.py */
#include "image/codec.h"

#include <string.h>

enum { FILE_HEADER = 14, OS2_HEADER = 12, WINDOWS_HEADER = 40, MASKS_END = 52 };
enum { RAW = 0, RLE8 = 1, RLE4 = 2, BITFIELDS = 3 };

/* A run is at most 255 pixels in two bytes. */
enum { MAX_RUN_GAIN = 128 };

/* Where one channel stands in a pixel of 16 to 32 bits. */
typedef struct field {
    uint32_t shift, top; /* value = pixel >> shift & top */
} field;

typedef struct decoder {
    const uint8_t *bytes;
    size_t size;
    int64_t max_pixels;
    size_t header, pixels_at; /* bytes of the header; place of the pixels */
    int64_t width, height;
    bool down; /* first row is the top one */
    uint32_t bits, compression;
    int64_t colours;
    uint8_t rgb[256][3]; /* palette */
    field channel[3];    /* red, green, blue of 16 and more bits */
} decoder;

static uint32_t le(const decoder *d, size_t at, int n)
{
    uint32_t v = 0;
    for (int i = 0; i < n; i++) v |= (uint32_t)d->bytes[at + (size_t)i] << 8 * i;
    return v;
}

static afn_status read_windows_header(decoder *d)
{
    const size_t at = FILE_HEADER;
    const uint32_t height = le(d, at + 8, 4);
    d->down = height >> 24 == 0xff; /* negative, and believable */
    d->width = le(d, at + 4, 4);
    d->height = d->down ? (int64_t)(UINT32_MAX - height) + 1 : (int64_t)height;
    d->bits = le(d, at + 14, 2);
    d->compression = le(d, at + 16, 4);
    d->colours = le(d, at + 32, 4);
    return AFN_OK;
}

static afn_status read_header(decoder *d)
{
    static const uint32_t known[] = { 12, 40, 52, 56, 64, 108, 124 };
    if (d->size < FILE_HEADER + 4) return afn_fail(AFN_EFORMAT, "file is truncated");
    d->pixels_at = le(d, 10, 4);
    d->header = le(d, FILE_HEADER, 4);
    bool good = false;
    for (size_t i = 0; i < AFN_COUNT(known); i++) good |= d->header == known[i];
    if (!good) return afn_fail(AFN_EFORMAT, "header of %zu bytes", d->header);
    if (d->size - FILE_HEADER < d->header)
        return afn_fail(AFN_EFORMAT, "file is truncated in the header");
    if (d->header != OS2_HEADER) return read_windows_header(d);
    d->width = le(d, FILE_HEADER + 4, 2);
    d->height = le(d, FILE_HEADER + 6, 2);
    d->bits = le(d, FILE_HEADER + 10, 2);
    return AFN_OK;
}

static afn_status check_kind(const decoder *d)
{
    const uint32_t b = d->bits, c = d->compression;
    if (b != 1 && b != 4 && b != 8 && b != 16 && b != 24 && b != 32)
        return afn_fail(AFN_EFORMAT, "%u bits for a pixel, need 1, 4, 8, 16, 24 or 32",
                        b);
    if (c > BITFIELDS)
        return afn_fail(AFN_EUNSUPPORTED, "compression %u, need 0 to 3", c);
    if ((c == RLE8 && b != 8) || (c == RLE4 && b != 4) || (c == BITFIELDS && b < 16))
        return afn_fail(AFN_EFORMAT, "compression %u with %u bits for a pixel", c, b);
    return afn_image__check_size(d->max_pixels, d->width, d->height);
}

static bool set_field(field *f, uint32_t mask)
{
    *f = (field){ 0, 0 };
    if (!mask) return true;
    while (!(mask >> f->shift & 1)) f->shift++;
    f->top = mask >> f->shift;
    return (f->top & (f->top + 1)) == 0; /* bits side by side */
}

/* Masks of pixels of 16 and more bits; returns where the palette begins. */
static afn_status read_masks(decoder *d, size_t *palette)
{
    static const uint32_t five[3] = { 0x7c00, 0x3e0, 0x1f };
    static const uint32_t eight[3] = { 0xff0000, 0xff00, 0xff };
    uint32_t mask[3];
    memcpy(mask, d->bits == 16 ? five : eight, sizeof mask);
    *palette = FILE_HEADER + d->header;
    if (d->compression == BITFIELDS) {
        const size_t at = FILE_HEADER + WINDOWS_HEADER; /* inside a longer header */
        const size_t end = FILE_HEADER + MASKS_END;
        if (d->size < end) return afn_fail(AFN_EFORMAT, "file is truncated in masks");
        if (d->header == WINDOWS_HEADER) *palette = end;
        const bool given = le(d, at, 4) || le(d, at + 4, 4) || le(d, at + 8, 4);
        for (int c = 0; given && c < 3; c++) mask[c] = le(d, at + 4 * (size_t)c, 4);
    }
    for (int c = 0; c < 3; c++)
        if (!set_field(&d->channel[c], mask[c]))
            return afn_fail(AFN_EFORMAT, "mask %08x has a gap", mask[c]);
    return AFN_OK;
}

/* Values without a colour of their own are gray, as in Pillow. */
static afn_status read_palette(decoder *d, size_t at)
{
    const size_t entry = d->header == OS2_HEADER ? 3 : 4;
    if (d->bits > 8) {
        if (!d->pixels_at) d->pixels_at = at;
        return AFN_OK;
    }
    const int64_t all = (int64_t)1 << d->bits;
    if (!d->colours) d->colours = all;
    if (d->colours > 65536)
        return afn_fail(AFN_EFORMAT, "palette of %lld colours", (long long)d->colours);
    for (int i = 0; i < 256; i++) memset(d->rgb[i], i, 3);
    for (int64_t i = 0; i < all && i < d->colours; i++) {
        const size_t from = at + entry * (size_t)i;
        if (from + entry > d->size) break;
        for (size_t c = 0; c < 3; c++) d->rgb[i][c] = d->bytes[from + 2 - c];
    }
    /* Some files say that pixels follow the header, where the palette is. */
    const bool lies = d->pixels_at == FILE_HEADER + d->header;
    if (!d->pixels_at || lies) d->pixels_at = at + entry * (size_t)d->colours;
    return AFN_OK;
}

static size_t row_bytes(const decoder *d)
{
    return ((size_t)d->width * d->bits + 7) / 8;
}

static afn_status check_data(const decoder *d)
{
    const size_t left = d->pixels_at < d->size ? d->size - d->pixels_at : 0;
    const size_t padded = (row_bytes(d) + 3) / 4 * 4;
    const size_t rows = (size_t)d->height;
    const bool runs = d->compression == RLE8 || d->compression == RLE4;
    const size_t need = runs ? (size_t)d->width * rows / MAX_RUN_GAIN + 1
                             : padded * (rows - 1) + row_bytes(d);
    if (need > left)
        return afn_fail(AFN_EFORMAT, "%lldx%lld pixels in %zu bytes, file is truncated",
                        (long long)d->width, (long long)d->height, left);
    return AFN_OK;
}

static uint8_t *row_of(const decoder *d, const afn_image *image, int64_t y)
{
    return image->pixels + 3 * d->width * (d->down ? y : d->height - 1 - y);
}

static void unpack_row(const decoder *d, uint8_t *rgb, const uint8_t *p)
{
    const uint32_t bits = d->bits, top = bits < 16 ? (1u << bits) - 1 : 0;
    for (int64_t i = 0; i < d->width; i++, rgb += 3) {
        if (bits < 16) {
            const size_t bit = (size_t)i * bits;
            const uint32_t v = p[bit / 8] >> (8 - bits - bit % 8) & top;
            memcpy(rgb, d->rgb[v], 3);
            continue;
        }
        uint32_t v = 0;
        for (uint32_t b = 0; b < bits / 8; b++) v |= (uint32_t)*p++ << 8 * b;
        for (int c = 0; c < 3; c++) {
            const field f = d->channel[c];
            const uint64_t value = v >> f.shift & f.top;
            rgb[c] = (uint8_t)(f.top ? value * 255 / f.top : 0);
        }
    }
}

static void unpack_rows(const decoder *d, afn_image *image)
{
    const size_t padded = (row_bytes(d) + 3) / 4 * 4;
    for (int64_t y = 0; y < d->height; y++)
        unpack_row(d, row_of(d, image, y),
                   d->bytes + d->pixels_at + padded * (size_t)y);
}

/* The place that runs have come to. */
typedef struct pen {
    int64_t x, y;
    size_t at; /* next byte */
} pen;

/* n pixels at the pen; value i stands in p, or one of two alternates; what would stick
 * out of the row is not drawn. */
static void draw(const decoder *d, afn_image *image, pen *at, int n, const uint8_t *p,
                 bool repeat)
{
    for (int i = 0; i < n && at->x < d->width; i++, at->x++) {
        const uint8_t byte = repeat ? *p : p[d->bits == 4 ? i / 2 : i];
        const int v = d->bits == 8 ? byte : i % 2 ? byte & 15 : byte >> 4;
        memcpy(row_of(d, image, at->y) + 3 * at->x, d->rgb[v], 3);
    }
}

enum { END_OF_ROW = 0, END_OF_PICTURE = 1, MOVE = 2 };

static afn_status run_rows(const decoder *d, afn_image *image)
{
    const uint8_t *const p = d->bytes;
    pen at = { .at = d->pixels_at };
    for (int64_t i = 0; i < d->width * d->height; i++)
        memcpy(image->pixels + 3 * i, d->rgb[0], 3);
    while (at.y < d->height) {
        if (d->size - at.at < 2) break;
        const int count = p[at.at], code = p[at.at + 1];
        at.at += 2;
        const size_t left = d->size - at.at;
        if (count) {
            draw(d, image, &at, count, p + at.at - 1, true);
        } else if (code == END_OF_ROW) {
            at.x = 0;
            at.y++;
        } else if (code == END_OF_PICTURE) {
            return AFN_OK;
        } else if (code == MOVE && left >= 2) {
            at.x += p[at.at];
            at.y += p[at.at + 1];
            at.at += 2;
        } else {
            const size_t bytes = ((size_t)code * d->bits + 7) / 8;
            if (code == MOVE || bytes > left) break;
            draw(d, image, &at, code, p + at.at, false);
            at.at += bytes + bytes % 2 < left ? bytes + bytes % 2 : left;
        }
        /* No mark at the end of the last row is needed. */
        if (at.y == d->height - 1 && at.x >= d->width) return AFN_OK;
    }
    if (at.y >= d->height) return AFN_OK;
    return afn_fail(AFN_EFORMAT, "file is truncated at row %lld of %lld",
                    (long long)at.y, (long long)d->height);
}

static afn_status decode(afn_image *out, afn_codec_job *job)
{
    afn_status st = AFN_OK;
    decoder d = { .bytes = job->bytes,
                  .size = job->size,
                  .max_pixels = job->max_pixels };
    size_t palette;
    AFN_TRY(read_header(&d));
    AFN_TRY(check_kind(&d));
    AFN_TRY(read_masks(&d, &palette));
    AFN_TRY(read_palette(&d, palette));
    AFN_TRY(check_data(&d));
    AFN_TRY(afn_image__alloc(out, d.width, d.height));
    if (d.compression == RLE8 || d.compression == RLE4)
        AFN_TRY(run_rows(&d, out));
    else
        unpack_rows(&d, out);
done:
    if (st != AFN_OK) afn_image_free(out);
    return st;
}

static bool probe(const uint8_t *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 'B' && bytes[1] == 'M';
}

const afn_codec afn_codec_bmp = { .name = "bmp", .probe = probe, .decode = decode };
