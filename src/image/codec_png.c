/* SPDX-License-Identifier: Apache-2.0 */
/* PNG.  The chunks are walked here, with Pillow's rules about which damage is fatal:
 * checksums count up to the pixel data and not behind, pixel data ends at the first
 * chunk of another kind, whole chunks must follow.  libpng then gets a stream made of
 * the header and the pixel data only, so that it inflates, unfilters and deinterlaces,
 * and nothing else: no text, profile or palette of a stranger reaches it.
 *
 *   file:   signature, chunks of (length u32be, type[4], data, crc u32be), ...
 *   fed:    signature, IHDR, IDAT ... IDAT, IEND
 *
 * libpng reports errors by longjmp.  All state lives in one struct, which the function
 * with the setjmp only borrows: no local of a function that is jumped over is used.
 * Where this differs from Pillow 9.4: metadata is not looked into, so bad metadata is
 * no error; a zlib stream that ends early is one, where Pillow may leave rows black; an
 * animation without a still picture is refused.
 * Source     https://www.w3.org/TR/png-3/; Pillow, PngImagePlugin.py */
#include "image/codec.h"

#include <ctype.h>
#include <limits.h>
#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "image/exif.h"
#include "image/png_text.h"

enum { SIGNATURE = 8, HEADER = 8, CRC = 4, IHDR = 13, N_SPANS = 5 };
enum { GRAY = 0, RGB = 2, PALETTE = 3, GRAY_ALPHA = 4, RGB_ALPHA = 6 };

/* No deflate stream grows by more: 258 bytes for 2 bits. */
enum { MAX_INFLATE = 1032 };

static const uint8_t signature[SIGNATURE] = {
    0x89, 'P', 'N', 'G', '\r', '\n', 26, '\n'
};
static const uint8_t crc_and_iend[] = { 0,   0,   0,   0,   0,    0,    0,    0,
                                        'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82 };

typedef struct span {
    const uint8_t *data;
    size_t size;
} span;

typedef struct chunk {
    char type[5];
    span data;      /* cut off where the file ends */
    size_t missing; /* bytes of data that the file lacks */
} chunk;

typedef struct decoder {
    const uint8_t *bytes;
    size_t size, at; /* at: the next chunk */
    int64_t max_pixels;

    uint32_t width, height;
    int depth, colour;
    bool interlaced, has_header;
    span palette;        /* of PLTE, empty without */
    span clear;          /* of tRNS, likewise: alphas of the palette, or one colour */
    int64_t channels;    /* of the picture: 4 only where it has alpha */
    uint8_t rgb[256][4]; /* colour of every 1-byte value of a pixel, and its alpha */

    size_t idat_bytes;
    uint8_t head[SIGNATURE + HEADER + IHDR + CRC];
    uint8_t
        last_header[HEADER]; /* of a pixel chunk that is cut off, length corrected */
    span feed[N_SPANS];      /* what libpng still has to read */
    int fed;

    jmp_buf on_error;
    afn_status st; /* set before a jump */
    bool no_memory;
    int64_t
        rows_left; /* to be inflated; an interlaced picture has about twice as many */
    int64_t expanded; /* rows of the picture that are RGB already */
    bool wants_orientation;
    int of_exif, of_text; /* orientation, by an eXIf chunk or a text that holds EXIF */
    png_structp png;
    png_infop info;
    afn_image image;
} decoder;

static uint32_t u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_u32be(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* CRC-32 of ISO 3309 (polynomial 0xedb88320), four bits at a time. */
static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    static const uint32_t step[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ step[crc & 15];
        crc = crc >> 4 ^ step[crc & 15];
    }
    return ~crc;
}

/* The chunk at d->at; false where there is none, or its type is not four letters.
 * Does not move on. */
static bool peek(const decoder *d, chunk *c)
{
    if (d->size - d->at < HEADER) return false;
    const uint8_t *p = d->bytes + d->at;
    const size_t length = u32be(p), left = d->size - d->at - HEADER;
    memcpy(c->type, p + 4, 4);
    c->type[4] = 0;
    for (int i = 0; i < 4; i++)
        if (!isalnum((unsigned char)c->type[i]) && c->type[i] != '_') return false;
    c->missing = length > left ? length - left : 0;
    c->data = (span){ p + HEADER, length - c->missing };
    return true;
}

static bool is(const chunk *c, const char *type)
{
    return strcmp(c->type, type) == 0;
}

/* Move behind the chunk; its data is complete. */
static void skip(decoder *d, const chunk *c)
{
    const size_t left = d->size - d->at, whole = HEADER + c->data.size + CRC;
    d->at += whole < left ? whole : left;
}

static bool crc_matches(const decoder *d, const chunk *c)
{
    const size_t left = d->size - d->at - HEADER - c->data.size;
    return left >= CRC && crc32_of(c->data.data - 4, c->data.size + 4) ==
                              u32be(c->data.data + c->data.size);
}

static bool depth_is_legal(int depth, int colour)
{
    switch (colour) {
    case GRAY:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case PALETTE:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case RGB:
    case GRAY_ALPHA:
    case RGB_ALPHA:
        return depth == 8 || depth == 16;
    default:
        return false;
    }
}

static afn_status read_header(decoder *d, const chunk *c)
{
    const uint8_t *p = c->data.data;
    if (c->data.size < IHDR)
        return afn_fail(AFN_EFORMAT, "IHDR of %zu bytes, need 13", c->data.size);
    d->width = u32be(p);
    d->height = u32be(p + 4);
    d->depth = p[8];
    d->colour = p[9];
    d->interlaced = p[12] != 0;
    d->has_header = true;
    if (p[11]) return afn_fail(AFN_EFORMAT, "IHDR: filter method %d, need 0", p[11]);
    if (!depth_is_legal(d->depth, d->colour))
        return afn_fail(AFN_EFORMAT, "IHDR: %d bits with colour type %d", d->depth,
                        d->colour);
    return AFN_OK;
}

static afn_status read_palette(decoder *d, const chunk *c)
{
    if (!d->has_header || d->colour != PALETTE) return AFN_OK;
    if (c->data.size > 256 * 3)
        return afn_fail(AFN_EFORMAT, "PLTE of %zu bytes, need up to 768", c->data.size);
    d->palette = c->data;
    return AFN_OK;
}

static bool has_alpha(const decoder *d)
{
    return d->colour >= GRAY_ALPHA || d->clear.size > 0;
}

/* Look for EXIF in a chunk of any kind. */
static void note_orientation(decoder *d, const chunk *c)
{
    if (!d->wants_orientation || c->missing) return;
    if (is(c, "eXIf"))
        d->of_exif = afn_image__exif_orientation(c->data.data, c->data.size);
    else if (is(c, "zTXt") || is(c, "tEXt"))
        d->of_text = afn_image__png_text_orientation(d->of_text, c->data.data,
                                                     c->data.size, is(c, "zTXt"));
}

/* Everything in front of the pixels. */
static afn_status walk_front(decoder *d)
{
    afn_status st = AFN_OK;
    chunk c;
    for (d->at = SIGNATURE;; skip(d, &c)) {
        AFN_REQUIRE(peek(d, &c), AFN_EFORMAT, "no chunk at byte %zu", d->at);
        if (is(&c, "IDAT")) break;
        AFN_REQUIRE(!c.missing, AFN_EFORMAT, "file is truncated in %s", c.type);
        AFN_REQUIRE(!is(&c, "IEND") && !is(&c, "fdAT"), AFN_EFORMAT,
                    "no pixels before %s", c.type);
        AFN_REQUIRE(crc_matches(d, &c), AFN_EFORMAT, "%s: wrong checksum", c.type);
        if (is(&c, "IHDR")) AFN_TRY(read_header(d, &c));
        if (is(&c, "PLTE")) AFN_TRY(read_palette(d, &c));
        if (is(&c, "tRNS")) d->clear = c.data;
        note_orientation(d, &c);
    }
    AFN_REQUIRE(d->has_header, AFN_EFORMAT, "no IHDR before the pixels");
    AFN_TRY(afn_image__check_size(d->max_pixels, d->width, d->height));
done:
    return st;
}

/* Palette pictures go through libpng as gray ones: the same bytes, and no check that
 * every value has a colour. */
static span made_header(decoder *d)
{
    uint8_t *p = d->head;
    memcpy(p, signature, SIGNATURE);
    put_u32be(p + 8, IHDR);
    memcpy(p + 12, "IHDR", 4);
    put_u32be(p + 16, d->width);
    put_u32be(p + 20, d->height);
    p[24] = (uint8_t)d->depth;
    p[25] = (uint8_t)(d->colour == PALETTE ? GRAY : d->colour);
    p[28] = d->interlaced;
    put_u32be(p + 29, crc32_of(p + 12, 4 + IHDR));
    return (span){ p, sizeof d->head };
}

/* The run of pixel chunks, as spans to feed.  A last one that is cut off is fed with
 * its true length: there may be enough of it. */
static void walk_pixels(decoder *d)
{
    const size_t first = d->at;
    chunk c;
    bool cut = false;
    d->feed[0] = made_header(d);
    while (!cut && peek(d, &c) && is(&c, "IDAT")) {
        d->idat_bytes += c.data.size;
        cut = c.missing || d->size - d->at - HEADER - c.data.size < CRC;
        if (!cut) skip(d, &c);
    }
    d->feed[1] = (span){ d->bytes + first, d->at - first };
    d->feed[4] = (span){ crc_and_iend + CRC, sizeof crc_and_iend - CRC };
    if (!cut) return;
    put_u32be(d->last_header, (uint32_t)c.data.size);
    memcpy(d->last_header + 4, "IDAT", 4);
    d->feed[2] = (span){ d->last_header, HEADER };
    d->feed[3] = c.data;
    d->feed[4] = (span){ crc_and_iend, sizeof crc_and_iend };
    d->at = d->size;
}

/* What follows must be whole chunks up to IEND or something that is no chunk at all. */
static afn_status walk_back(decoder *d)
{
    for (chunk c; peek(d, &c) && !is(&c, "IEND"); skip(d, &c)) {
        if (c.missing) return afn_fail(AFN_EFORMAT, "file is truncated in %s", c.type);
        note_orientation(d, &c);
    }
    return AFN_OK;
}

/* Bytes of one row of `width` pixels, with the filter byte in front. */
static uint64_t raw_row_bytes(const decoder *d, uint64_t width)
{
    static const int channels[] = {
        [GRAY] = 1, [RGB] = 3, [PALETTE] = 1, [GRAY_ALPHA] = 2, [RGB_ALPHA] = 4
    };
    return (width * (uint64_t)(channels[d->colour] * d->depth) + 7) / 8 + 1;
}

/* Refuse, before memory is taken, a picture that its data cannot hold. */
static afn_status check_believable(const decoder *d)
{
    const uint64_t needed = (raw_row_bytes(d, d->width) - 1) * d->height;
    if (needed / MAX_INFLATE > d->idat_bytes)
        return afn_fail(AFN_EFORMAT, "%ux%u pixels in %zu bytes, file is truncated",
                        d->width, d->height, d->idat_bytes);
    return AFN_OK;
}

/* Values without a colour of their own are gray, as in Pillow. */
static void make_colours(decoder *d)
{
    const int top = d->colour == PALETTE || d->depth > 8 ? 255 : (1 << d->depth) - 1;
    for (int i = 0; i < 256; i++) {
        memset(d->rgb[i], i < top ? i * (255 / top) : 255, 3);
        if ((size_t)i < d->palette.size / 3)
            memcpy(d->rgb[i], d->palette.data + 3 * i, 3);
        d->rgb[i][3] =
            d->colour == PALETTE && (size_t)i < d->clear.size ? d->clear.data[i] : 255;
    }
}

static void on_error(png_structp png, png_const_charp message)
{
    decoder *d = png_get_error_ptr(png);
    d->st = d->no_memory ? afn_fail(AFN_ENOMEM, "out of memory")
                         : afn_image__fail_as(AFN_EFORMAT, message);
    longjmp(d->on_error, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static png_voidp on_alloc(png_structp png, png_alloc_size_t bytes)
{
    void *p = afn_alloc_aligned(bytes);
    decoder *d = png_get_mem_ptr(png);
    if (!p) d->no_memory = true;
    return p;
}

static void on_free(png_structp png, png_voidp p)
{
    (void)png;
    afn_free(p);
}

static void on_read(png_structp png, png_bytep out, size_t n)
{
    decoder *d = png_get_io_ptr(png);
    while (n && d->fed < N_SPANS) {
        span *s = &d->feed[d->fed];
        if (!s->size) {
            d->fed++;
            continue;
        }
        const size_t part = n < s->size ? n : s->size;
        memcpy(out, s->data, part);
        s->data += part;
        s->size -= part;
        out += part;
        n -= part;
    }
    if (n) png_error(png, "file is truncated");
}

/* Called by libpng when a row is inflated and unfiltered. */
static void on_row(png_structp png, png_row_infop info, png_bytep row)
{
    decoder *d = png_get_user_transform_ptr(png);
    (void)info;
    (void)row;
    d->rows_left--;
}

static int64_t count_rows(const decoder *d)
{
    int64_t n = 0;
    if (!d->interlaced) return d->height;
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
        if (PNG_PASS_COLS(d->width, pass)) n += PNG_PASS_ROWS(d->height, pass);
    return n;
}

static void set_up(decoder *d)
{
    png_structp png = d->png;
    png_set_read_fn(png, d, on_read);
    png_set_user_limits(png, INT_MAX, INT_MAX);
    png_set_chunk_malloc_max(png, 0);
    png_set_benign_errors(png, 1);
    png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
    png_read_info(png, d->info);
    png_set_packing(png); /* 1, 2 and 4 bits: a byte for each pixel, not scaled */
    if (d->depth == 16 && d->colour != GRAY) png_set_strip_16(png);
    if (d->colour >= GRAY_ALPHA && d->channels == 3) png_set_strip_alpha(png);
    png_set_read_user_transform_fn(png, on_row);
    png_set_user_transform_info(png, d, 0, 0);
    d->rows_left = count_rows(d);
}

/* Bytes of a pixel as libpng gives it: colours, with alpha where it is wanted; a byte
 * to look up, and alpha likewise; or 16-bit gray. */
static int64_t read_bytes(const decoder *d)
{
    const bool alpha = d->colour >= GRAY_ALPHA && d->channels == 4;
    if (d->colour == RGB || d->colour == RGB_ALPHA) return alpha ? 4 : 3;
    return (d->colour == GRAY && d->depth == 16) || alpha ? 2 : 1;
}

/* Where libpng's row goes: the end of the picture's row, to be expanded from the left.
 */
static uint8_t *raw_row(const decoder *d, int64_t y)
{
    const int64_t w = d->image.width;
    return d->image.pixels + d->channels * w * y + (d->channels - read_bytes(d)) * w;
}

/* Does tRNS name this colour?  Its low bytes count, as in Pillow. */
static bool is_clear(const decoder *d, const uint8_t *rgb)
{
    const bool gray = d->colour == GRAY;
    if (d->colour == PALETTE || d->clear.size < (gray ? 2u : 6u)) return false;
    for (int c = 0; c < 3; c++)
        if (rgb[c] != d->clear.data[gray ? 1 : 2 * c + 1]) return false;
    return true;
}

/* A row to RGB and alpha, in place.  Never writes what is still to be read, as a pixel
 * is written once it is read and the next begins behind it. */
static void expand_row_alpha(const decoder *d, int64_t y)
{
    const int64_t w = d->image.width, bytes = read_bytes(d);
    uint8_t *to = d->image.pixels + 4 * w * y;
    const uint8_t *raw = raw_row(d, y);
    for (int64_t i = 0; bytes < 4 && i < w; i++, to += 4, raw += bytes) {
        uint8_t p[4] = { 0, 0, 0, 255 };
        if (d->colour == RGB) {
            memcpy(p, raw, 3);
        } else if (d->colour == GRAY && d->depth == 16) {
            memset(p, raw[0] ? 255 : raw[1], 3); /* clipped: see expand_row() */
        } else {
            memcpy(p, d->rgb[raw[0]], 4);
            if (d->colour == GRAY_ALPHA) p[3] = raw[1];
        }
        if (is_clear(d, p)) p[3] = 0;
        memcpy(to, p, 4);
    }
}

/* A row to RGB, in place.  Never writes what is still to be read: the pixel i ends at
 * byte 3i+2, the next value begins at 2w+i+1 (or w+2i+2). */
static void expand_row_rgb(const decoder *d, int64_t y)
{
    const int64_t w = d->image.width;
    uint8_t *rgb = d->image.pixels + 3 * w * y;
    const uint8_t *raw = raw_row(d, y);
    switch (read_bytes(d)) {
    case 1:
        for (int64_t i = 0; i < w; i++) {
            const uint8_t *colour = d->rgb[raw[i]];
            for (int c = 0; c < 3; c++) rgb[3 * i + c] = colour[c];
        }
        break;
    case 2: /* clipped, not scaled: Pillow's conversion of its mode I */
        for (int64_t i = 0; i < w; i++) {
            const uint8_t v = raw[2 * i] ? 255 : raw[2 * i + 1];
            for (int c = 0; c < 3; c++) rgb[3 * i + c] = v;
        }
        break;
    default:
        break;
    }
}

static void expand_row(const decoder *d, int64_t y)
{
    if (d->channels == 4)
        expand_row_alpha(d, y);
    else
        expand_row_rgb(d, y);
}

static afn_status decode_steps(decoder *d)
{
    set_up(d);
    const int passes = png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    if (png_get_rowbytes(d->png, d->info) != (size_t)(read_bytes(d) * d->image.width))
        return afn_fail(AFN_EFORMAT, "row of unexpected size");
    for (int pass = 0; pass < passes; pass++)
        for (int64_t y = 0; y < d->image.height; y++) {
            png_read_row(d->png, raw_row(d, y), NULL);
            if (pass == passes - 1) expand_row(d, d->expanded++);
        }
    return AFN_OK;
}

static afn_status decode_guarded(decoder *d)
{
    /* The last row is out: what is wrong behind it, mostly a missing end of the zlib
     * stream, does not matter. */
    if (setjmp(d->on_error)) return d->rows_left ? d->st : AFN_OK;
    d->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, d, on_error, on_warning, d,
                                      on_alloc, on_free);
    d->info = d->png ? png_create_info_struct(d->png) : NULL;
    if (!d->info) return afn_fail(AFN_ENOMEM, "out of memory");
    return decode_steps(d);
}

static afn_status decode(afn_image *out, afn_codec_job *job)
{
    afn_status st = AFN_OK;
    decoder d = { .bytes = job->bytes,
                  .size = job->size,
                  .max_pixels = job->max_pixels,
                  .rows_left = 1,
                  .wants_orientation = job->wants_orientation };

    AFN_TRY(walk_front(&d));
    walk_pixels(&d);
    AFN_TRY(check_believable(&d));
    make_colours(&d);
    d.channels = job->wants_alpha && has_alpha(&d) ? 4 : 3;
    AFN_TRY(afn_image__alloc_channels(&d.image, d.width, d.height, (int)d.channels));
    AFN_TRY(decode_guarded(&d));
    while (d.expanded < d.image.height) expand_row(&d, d.expanded++);
    AFN_TRY(walk_back(&d));
    job->orientation = d.of_exif ? d.of_exif : d.of_text;
    *out = d.image;
    d.image = (afn_image){ 0 };
done:
    if (d.png) png_destroy_read_struct(&d.png, &d.info, NULL);
    afn_image_free(&d.image);
    return st;
}

static bool probe(const uint8_t *bytes, size_t size)
{
    return size >= SIGNATURE && memcmp(bytes, signature, SIGNATURE) == 0;
}

const afn_codec afn_codec_png = { .name = "png", .probe = probe, .decode = decode };
