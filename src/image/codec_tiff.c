/* SPDX-License-Identifier: Apache-2.0 */
/* TIFF by libtiff: the first page, in strips or tiles, planes together or apart, of the
 * kinds of pixels that Pillow reads, turned into RGB as its convert("RGB") does:
 *
 *   gray of 1, 2, 4, 8 bits, white or black 0      widened
 *   gray of 16 and 32 bits, floats                 clipped to 0 .. 255, not scaled
 *   RGB of 8 and 16 bits, with more samples        high bytes; alpha divided out where
 *                                                  it was multiplied in, then dropped
 *                                                  where it is not asked for
 *   palettes of 1, 2, 4, 8 bits                    high bytes of the colours
 *   CMYK of 8 and 16 bits, YCbCr                   converted
 *
 * The orientation is always applied, as Pillow does for this format alone.
 * Source     TIFF 6.0; Pillow, TiffImagePlugin.py OPEN_INFO */
#include "image/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

#include "image/exif.h"

enum { TEXT_BYTES = 200, MAX_SAMPLES = 6 };

/* libtiff takes no more than this at once: a tile, or a table of offsets. */
static const tmsize_t max_alloc_bytes = (tmsize_t)256 << 20;

typedef struct decoder decoder;

/* n pixels to d->channels; p holds samples side by side, each of d->bits bits. */
typedef void (*unpack_fn)(const decoder *d, uint8_t *out, const uint8_t *p, int64_t n);

struct decoder {
    const uint8_t *bytes;
    size_t size, at;
    int64_t max_pixels;
    TIFF *tiff;
    char text[TEXT_BYTES]; /* libtiff's first complaint */

    uint32_t width, height;
    uint16_t bits, samples, format, photometric, planar, compression;
    uint16_t alpha; /* what the first further sample is: EXTRASAMPLE_... */
    bool has_extra;
    int channels;        /* of the result: 4 only where there is alpha */
    uint8_t rgb[256][3]; /* colours of up to 8 bits in one sample */
    unpack_fn unpack;
    uint8_t *raw;   /* what libtiff gives: a row or a tile, of one plane */
    uint8_t *whole; /* the same, planes woven together; NULL where they are */
};

/* ---- the file, for libtiff ---- */

static tmsize_t on_read(thandle_t user, void *to, tmsize_t n)
{
    decoder *d = user;
    const size_t left = d->size - d->at, want = n > 0 ? (size_t)n : 0;
    const size_t have = want < left ? want : left;
    memcpy(to, d->bytes + d->at, have);
    d->at += have;
    return (tmsize_t)have;
}

static tmsize_t on_write(thandle_t user, void *from, tmsize_t n)
{
    (void)user;
    (void)from;
    (void)n;
    return -1;
}

static toff_t on_seek(thandle_t user, toff_t to, int whence)
{
    decoder *d = user;
    const toff_t base = whence == SEEK_CUR ? d->at : whence == SEEK_END ? d->size : 0;
    const toff_t at = base + to;
    d->at = at < d->size ? (size_t)at : d->size;
    return at <= d->size ? at : (toff_t)-1;
}

static int on_close(thandle_t user)
{
    (void)user;
    return 0;
}

static toff_t on_size(thandle_t user)
{
    return ((decoder *)user)->size;
}

static int on_error(TIFF *tiff, void *user, const char *module, const char *fmt,
                    va_list args)
{
    decoder *d = user;
    (void)tiff;
    (void)module;
    if (!d->text[0]) vsnprintf(d->text, sizeof d->text, fmt, args);
    return 1; /* said: no other handler */
}

static int on_warning(TIFF *tiff, void *user, const char *module, const char *fmt,
                      va_list args)
{
    (void)tiff;
    (void)user;
    (void)module;
    (void)fmt;
    (void)args;
    return 1;
}

static afn_status broken(const decoder *d)
{
    return afn_image__fail_as(AFN_EFORMAT, d->text[0] ? d->text : "damaged");
}

static afn_status open_file(decoder *d)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return afn_fail(AFN_ENOMEM, "out of memory");
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, max_alloc_bytes);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, d);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, NULL);
    /* m: read, do not map.  h: only the head, the directory comes next. */
    d->tiff = TIFFClientOpenExt("", "rm", d, on_read, on_write, on_seek, on_close,
                                on_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    return d->tiff ? AFN_OK : broken(d);
}

/* ---- rows of samples to RGB ---- */

static uint8_t clip(double v)
{
    return (uint8_t)(v > 0 ? (v < 255 ? v : 255) : 0);
}

/* One sample of up to 8 bits, by a table. */
static void unpack_table(const decoder *d, uint8_t *out, const uint8_t *p, int64_t n)
{
    const uint32_t bits = d->bits, top = (1u << bits) - 1;
    for (int64_t i = 0; i < n; i++) {
        const size_t bit = (size_t)i * d->samples * bits;
        const uint32_t v = p[bit / 8] >> (8 - bits - bit % 8) & top;
        memcpy(out + d->channels * i, d->rgb[v], 3);
        if (d->channels == 4) out[4 * i + 3] = p[2 * i + 1]; /* so it has 8 bits */
    }
}

/* One sample of 16 or 32 bits. */
static double wide_sample(const decoder *d, const uint8_t *p, int64_t i)
{
    if (d->bits == 16) {
        uint16_t v;
        memcpy(&v, p + 2 * i, 2);
        return d->format == SAMPLEFORMAT_INT ? (double)(int16_t)v : v;
    }
    uint32_t v;
    float f;
    memcpy(&v, p + 4 * i, 4);
    memcpy(&f, p + 4 * i, 4);
    return d->format == SAMPLEFORMAT_IEEEFP ? (double)f : (double)(int32_t)v;
}

static void unpack_wide(const decoder *d, uint8_t *rgb, const uint8_t *p, int64_t n)
{
    for (int64_t i = 0; i < n; i++) memset(rgb + 3 * i, clip(wide_sample(d, p, i)), 3);
}

/* The high byte of sample s of pixel i. */
static int byte_of(const decoder *d, const uint8_t *p, int64_t i, int s)
{
    const int64_t at = i * d->samples + s;
    uint16_t v;
    if (d->bits == 8) return p[at];
    memcpy(&v, p + 2 * at, 2);
    return v >> 8;
}

static void unpack_rgb(const decoder *d, uint8_t *out, const uint8_t *p, int64_t n)
{
    const bool divide =
        d->samples > 3 && d->has_extra && d->alpha == EXTRASAMPLE_ASSOCALPHA;
    for (int64_t i = 0; i < n; i++) {
        const int a = divide ? byte_of(d, p, i, 3) : 255;
        for (int c = 0; c < 3; c++) {
            const int v = byte_of(d, p, i, c);
            out[d->channels * i + c] = a == 255 ? (uint8_t)v
                                       : a      ? clip(v * 255 / a)
                                                : 0;
        }
        if (d->channels == 4) out[4 * i + 3] = (uint8_t)byte_of(d, p, i, 3);
    }
}

static void unpack_cmyk(const decoder *d, uint8_t *rgb, const uint8_t *p, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        uint8_t white[4];
        for (int c = 0; c < 4; c++) white[c] = (uint8_t)(255 - byte_of(d, p, i, c));
        afn_image__ink_to_rgb(rgb + 3 * i, white);
    }
}

/* ---- what kind of picture it is ---- */

static void gray_table(decoder *d)
{
    const int top = (1 << d->bits) - 1;
    for (int i = 0; i <= top; i++) {
        const int v = d->photometric == PHOTOMETRIC_MINISWHITE ? top - i : i;
        memset(d->rgb[i], v * (255 / top), 3);
    }
}

static afn_status palette_table(decoder *d)
{
    uint16_t *red, *green, *blue;
    if (!TIFFGetField(d->tiff, TIFFTAG_COLORMAP, &red, &green, &blue))
        return afn_fail(AFN_EFORMAT, "no palette");
    for (int i = 0; i < 1 << d->bits; i++) {
        d->rgb[i][0] = (uint8_t)(red[i] >> 8);
        d->rgb[i][1] = (uint8_t)(green[i] >> 8);
        d->rgb[i][2] = (uint8_t)(blue[i] >> 8);
    }
    return AFN_OK;
}

static bool is_narrow(const decoder *d)
{
    return d->bits == 1 || d->bits == 2 || d->bits == 4 || d->bits == 8;
}

/* A further sample stands behind gray or a palette only with 8 bits, and is alpha. */
static bool one_sample(const decoder *d)
{
    return d->samples == 1 || (d->samples == 2 && d->bits == 8 && d->has_extra &&
                               d->alpha == EXTRASAMPLE_UNASSALPHA);
}

/* A further sample behind RGB is alpha unless it is said to be something else, or
 * nothing. */
static bool has_alpha(const decoder *d)
{
    const int colours = d->photometric == PHOTOMETRIC_RGB ? 3 : 1;
    const bool may_be = colours == 3 || d->photometric == PHOTOMETRIC_MINISWHITE ||
                        d->photometric == PHOTOMETRIC_MINISBLACK ||
                        d->photometric == PHOTOMETRIC_PALETTE;
    return may_be && d->samples > colours &&
           (!d->has_extra || d->alpha != EXTRASAMPLE_UNSPECIFIED);
}

static afn_status choose_gray(decoder *d)
{
    const bool is_uint = d->format == SAMPLEFORMAT_UINT;
    const bool wide =
        (d->bits == 16 && d->format != SAMPLEFORMAT_IEEEFP) || d->bits == 32;
    if (is_narrow(d) && is_uint && one_sample(d)) {
        gray_table(d);
        d->unpack = unpack_table;
    } else if (wide && d->samples == 1) {
        d->unpack = unpack_wide;
    }
    return AFN_OK;
}

static afn_status choose(decoder *d)
{
    const bool bytes = (d->bits == 8 || d->bits == 16) &&
                       d->format == SAMPLEFORMAT_UINT && d->samples <= MAX_SAMPLES;
    afn_status st = AFN_OK;
    switch (d->photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
        st = choose_gray(d);
        break;
    case PHOTOMETRIC_RGB:
        if (bytes && d->samples >= 3) d->unpack = unpack_rgb;
        break;
    case PHOTOMETRIC_PALETTE:
        if (!is_narrow(d) || !one_sample(d)) break;
        st = palette_table(d);
        d->unpack = unpack_table;
        break;
    case PHOTOMETRIC_SEPARATED:
        if (bytes && d->samples >= 4) d->unpack = unpack_cmyk;
        break;
    case PHOTOMETRIC_YCBCR: /* libtiff makes it RGB, if not by this then as a whole */
        if (d->bits != 8 || d->samples != 3) break;
        if (d->compression == COMPRESSION_JPEG && d->planar == PLANARCONFIG_CONTIG)
            TIFFSetField(d->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        d->unpack = unpack_rgb;
        break;
    default:
        break;
    }
    if (st == AFN_OK && !d->unpack)
        return afn_fail(AFN_EUNSUPPORTED,
                        "photometric %u with %u samples of %u bits, format %u",
                        d->photometric, d->samples, d->bits, d->format);
    return st;
}

static afn_status read_tags(decoder *d)
{
    uint16_t n_extra = 0, *extra = NULL;
    TIFF *t = d->tiff;
    if (!TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &d->width) ||
        !TIFFGetField(t, TIFFTAG_IMAGELENGTH, &d->height))
        return afn_fail(AFN_EFORMAT, "no width or height");
    TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &d->bits);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &d->samples);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &d->format);
    TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &d->planar);
    TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &d->compression);
    if (!TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &d->photometric))
        d->photometric = PHOTOMETRIC_MINISWHITE;
    if (TIFFGetFieldDefaulted(t, TIFFTAG_EXTRASAMPLES, &n_extra, &extra) && n_extra) {
        d->has_extra = true;
        d->alpha = extra[0];
    }
    if (d->samples < 1 || d->samples > MAX_SAMPLES)
        return afn_fail(AFN_EUNSUPPORTED, "%u samples for a pixel, need 1 to %d",
                        d->samples, (int)MAX_SAMPLES);
    if (d->samples == 1) d->planar = PLANARCONFIG_CONTIG; /* no matter */
    const afn_status st = afn_image__check_size(d->max_pixels, d->width, d->height);
    return st == AFN_OK ? choose(d) : st;
}

/* ---- reading ---- */

/* Weave the samples of one plane into pixels. */
static void weave(const decoder *d, int plane, int64_t pixels)
{
    const size_t bytes = d->bits / 8, step = bytes * d->samples;
    for (int64_t i = 0; i < pixels; i++)
        memcpy(d->whole + step * (size_t)i + bytes * (size_t)plane,
               d->raw + bytes * (size_t)i, bytes);
}

/* Bytes of `pixels` pixels side by side, in one plane or in all. */
static size_t row_bytes(const decoder *d, int64_t pixels)
{
    const size_t n = d->planar == PLANARCONFIG_SEPARATE ? 1 : d->samples;
    return ((size_t)pixels * n * d->bits + 7) / 8;
}

/* Room for what libtiff gives at once: raw_bytes, which hold `rows` rows of `width`
 * pixels, or its idea of the picture is another than ours. */
static afn_status make_room(decoder *d, tmsize_t raw_bytes, int64_t width, int64_t rows)
{
    size_t bytes;
    const bool apart = d->planar == PLANARCONFIG_SEPARATE;
    const int64_t pixels = width * rows;
    if (raw_bytes < 1 || (size_t)raw_bytes / (size_t)rows < row_bytes(d, width))
        return broken(d);
    if (raw_bytes > max_alloc_bytes)
        return afn_fail(AFN_EUNSUPPORTED, "needs %lld bytes at once",
                        (long long)raw_bytes);
    if (apart && d->bits % 8)
        return afn_fail(AFN_EUNSUPPORTED, "planes of %u bits", d->bits);
    d->raw = afn_alloc((size_t)raw_bytes);
    if (!d->raw || !afn_mul_size(&bytes, (size_t)pixels, d->samples * d->bits / 8u))
        return afn_fail(AFN_ENOMEM, "out of memory");
    if (!apart) return AFN_OK;
    d->whole = afn_alloc(bytes);
    return d->whole ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

static afn_status read_strips(decoder *d, afn_image *image)
{
    const bool apart = d->planar == PLANARCONFIG_SEPARATE;
    afn_status st = make_room(d, TIFFScanlineSize(d->tiff), d->width, 1);
    if (st != AFN_OK) return st;
    for (uint32_t y = 0; y < d->height; y++) {
        for (int plane = 0; plane < (apart ? d->samples : 1); plane++) {
            if (TIFFReadScanline(d->tiff, d->raw, y, (uint16_t)plane) < 0)
                return broken(d);
            if (apart) weave(d, plane, d->width);
        }
        d->unpack(d, image->pixels + (size_t)d->channels * d->width * y,
                  apart ? d->whole : d->raw, d->width);
    }
    return AFN_OK;
}

typedef struct tiling {
    uint32_t width, height;
} tiling;

static void unpack_tile(const decoder *d, afn_image *image, tiling tile, uint32_t x,
                        uint32_t y)
{
    const bool apart = d->planar == PLANARCONFIG_SEPARATE;
    const uint32_t w = d->width - x < tile.width ? d->width - x : tile.width;
    const uint32_t h = d->height - y < tile.height ? d->height - y : tile.height;
    const size_t row = ((size_t)tile.width * d->bits * d->samples + 7) / 8;
    for (uint32_t i = 0; i < h; i++)
        d->unpack(
            d, image->pixels + (size_t)d->channels * ((size_t)d->width * (y + i) + x),
            (apart ? d->whole : d->raw) + row * i, w);
}

static afn_status read_tiles(decoder *d, afn_image *image)
{
    const bool apart = d->planar == PLANARCONFIG_SEPARATE;
    tiling tile = { 0 };
    TIFFGetField(d->tiff, TIFFTAG_TILEWIDTH, &tile.width);
    TIFFGetField(d->tiff, TIFFTAG_TILELENGTH, &tile.height);
    if (!tile.width || !tile.height) return broken(d);
    const int64_t pixels = (int64_t)tile.width * tile.height;
    afn_status st = make_room(d, TIFFTileSize(d->tiff), tile.width, tile.height);
    if (st != AFN_OK) return st;
    for (uint32_t y = 0; y < d->height; y += tile.height)
        for (uint32_t x = 0; x < d->width; x += tile.width) {
            for (int plane = 0; plane < (apart ? d->samples : 1); plane++) {
                if (TIFFReadTile(d->tiff, d->raw, x, y, 0, (uint16_t)plane) < 0)
                    return broken(d);
                if (apart) weave(d, plane, pixels);
            }
            unpack_tile(d, image, tile, x, y);
        }
    return AFN_OK;
}

/* YCbCr that is not inside a JPEG: libtiff converts the picture, strip by strip. */
static afn_status read_ycbcr(decoder *d, afn_image *image)
{
    size_t pixels;
    if (!afn_mul_size(&pixels, d->width, d->height) ||
        pixels > (size_t)max_alloc_bytes / 4)
        return afn_fail(AFN_EUNSUPPORTED, "%ux%u pixels in YCbCr", d->width, d->height);
    d->raw = afn_alloc(4 * pixels);
    if (!d->raw) return afn_fail(AFN_ENOMEM, "out of memory");
    /* As stored: the orientation is applied later. */
    uint16_t stored = ORIENTATION_TOPLEFT;
    TIFFGetFieldDefaulted(d->tiff, TIFFTAG_ORIENTATION, &stored);
    if (!TIFFReadRGBAImageOriented(d->tiff, d->width, d->height,
                                   (uint32_t *)(void *)d->raw, stored, 1))
        return broken(d);
    for (size_t i = 0; i < pixels; i++) {
        uint32_t v;
        memcpy(&v, d->raw + 4 * i, 4);
        image->pixels[3 * i] = (uint8_t)TIFFGetR(v);
        image->pixels[3 * i + 1] = (uint8_t)TIFFGetG(v);
        image->pixels[3 * i + 2] = (uint8_t)TIFFGetB(v);
    }
    return AFN_OK;
}

static afn_status read_pixels(decoder *d, afn_image *image)
{
    const bool as_whole =
        d->photometric == PHOTOMETRIC_YCBCR &&
        (d->compression != COMPRESSION_JPEG || d->planar != PLANARCONFIG_CONTIG);
    if (as_whole) return read_ycbcr(d, image);
    return TIFFIsTiled(d->tiff) ? read_tiles(d, image) : read_strips(d, image);
}

static afn_status decode(afn_image *out, afn_codec_job *job)
{
    afn_status st = AFN_OK;
    uint16_t orientation = 0;
    decoder d = { .bytes = job->bytes,
                  .size = job->size,
                  .max_pixels = job->max_pixels };
    AFN_TRY(open_file(&d));
    AFN_TRY(read_tags(&d));
    d.channels = job->wants_alpha && has_alpha(&d) ? 4 : 3;
    AFN_TRY(afn_image__alloc_channels(out, d.width, d.height, d.channels));
    AFN_TRY(read_pixels(&d, out));
    if (TIFFGetField(d.tiff, TIFFTAG_ORIENTATION, &orientation))
        AFN_TRY(afn_image__turn(out, orientation));
done:
    if (d.tiff) TIFFClose(d.tiff);
    afn_free(d.raw);
    afn_free(d.whole);
    if (st != AFN_OK) afn_image_free(out);
    return st;
}

static bool probe(const uint8_t *bytes, size_t size)
{
    static const char magic[][4] = {
        "II*", { 'M', 'M', 0, '*' }, "II+", { 'M', 'M', 0, '+' }
    };
    for (size_t i = 0; size >= 4 && i < AFN_COUNT(magic); i++)
        if (memcmp(bytes, magic[i], 4) == 0) return true;
    return false;
}

const afn_codec afn_codec_tiff = { .name = "tiff", .probe = probe, .decode = decode };
