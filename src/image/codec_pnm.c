/* SPDX-License-Identifier: Apache-2.0 */
/* PBM, PGM and PPM, as text (P1, P2, P3) and binary (P4, P5, P6):
 *
 *   "P5", whitespace, width, height, greatest value (not in P1, P4), one whitespace,
 *   samples; # begins a comment up to the end of the line
 *
 * Samples are scaled to 8 bits and rounded half to even, as Python does.  Gray with
 * more than 8 bits is scaled to 16 and then clipped to 8: Pillow's conversion of its
 * mode I. Source     https://netpbm.sourceforge.net/doc/; Pillow, PpmImagePlugin.py */
#include "image/codec.h"

#include <math.h>
#include <string.h>

enum { MAX_DIGITS = 10, MAX_VALUE = 65535 };

typedef struct decoder {
    const uint8_t *bytes;
    size_t size, at;
    int64_t max_pixels;
    char kind;             /* '1' .. '6' */
    int64_t width, height; /* pixels */
    int64_t top;           /* the greatest value; 1 in bitmaps */
    int channels;
} decoder;

static bool is_space(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Up to the end of the line, whose mark is taken too. */
static void skip_comment(decoder *d)
{
    while (d->at < d->size) {
        const int c = d->bytes[d->at++];
        if (c == '\n' || c == '\r') return;
    }
}

/* The next number, and the one character behind it; a comment may even stand inside. */
static afn_status read_number(decoder *d, int64_t *out)
{
    int digits = 0;
    *out = 0;
    while (d->at < d->size) {
        const int c = d->bytes[d->at++];
        if (c == '#') {
            skip_comment(d);
        } else if (is_space(c)) {
            if (digits) break;
        } else if (c < '0' || c > '9') {
            return afn_fail(AFN_EFORMAT, "byte %zu is no part of a number", d->at - 1);
        } else {
            *out = *out * 10 + (c - '0');
            if (++digits > MAX_DIGITS)
                return afn_fail(AFN_EFORMAT, "number of more than %d digits",
                                (int)MAX_DIGITS);
        }
    }
    return digits ? AFN_OK : afn_fail(AFN_EFORMAT, "file is truncated");
}

static bool is_text(const decoder *d)
{
    return d->kind <= '3';
}

static bool is_bitmap(const decoder *d)
{
    return d->kind == '1' || d->kind == '4';
}

/* Bytes of a row of a binary file. */
static size_t row_bytes(const decoder *d)
{
    if (is_bitmap(d)) return ((size_t)d->width + 7) / 8;
    return (size_t)d->width * (size_t)d->channels * (d->top > 255 ? 2 : 1);
}

static afn_status read_header(decoder *d)
{
    afn_status st = AFN_OK;
    d->kind = (char)d->bytes[1];
    d->channels = d->kind == '3' || d->kind == '6' ? 3 : 1;
    d->at = 2;
    d->top = 1;
    AFN_TRY(read_number(d, &d->width));
    AFN_TRY(read_number(d, &d->height));
    if (!is_bitmap(d)) AFN_TRY(read_number(d, &d->top));
    AFN_REQUIRE(d->top >= 1 && d->top <= MAX_VALUE, AFN_EFORMAT,
                "greatest value %lld, need 1 to %d", (long long)d->top, (int)MAX_VALUE);
    AFN_TRY(afn_image__check_size(d->max_pixels, d->width, d->height));

    /* Text has at least a digit for each sample, though digits of bitmaps may touch. */
    const size_t rows = (size_t)d->height, left = d->size - d->at;
    const size_t samples = (size_t)d->width * rows * (size_t)d->channels;
    const size_t need = !is_text(d)    ? row_bytes(d) * rows
                        : is_bitmap(d) ? samples
                                       : 2 * samples - 1;
    AFN_REQUIRE(need <= left, AFN_EFORMAT,
                "%lldx%lld pixels in %zu bytes, file is truncated", (long long)d->width,
                (long long)d->height, left);
done:
    return st;
}

/* A sample as Pillow's convert("RGB") leaves it. */
static uint8_t to_8_bits(const decoder *d, int64_t v)
{
    const bool wide_gray = d->channels == 1 && d->top > 255;
    if (d->top == (wide_gray ? MAX_VALUE : 255)) return (uint8_t)(v > 255 ? 255 : v);
    const double out_top = wide_gray ? MAX_VALUE : 255;
    const double scaled = rint((double)v / (double)d->top * out_top);
    return (uint8_t)(scaled > 255 ? 255 : scaled);
}

/* A sample is a third of a pixel, or gray and all of it. */
static void put(uint8_t **to, const decoder *d, uint8_t v)
{
    const int copies = d->channels == 3 ? 1 : 3;
    for (int i = 0; i < copies; i++) *(*to)++ = v;
}

static afn_status read_bit(decoder *d, int64_t *out)
{
    while (d->at < d->size) {
        const int c = d->bytes[d->at++];
        if (c == '#') {
            skip_comment(d);
        } else if (!is_space(c)) {
            *out = c - '0';
            if (c == '0' || c == '1') return AFN_OK;
            return afn_fail(AFN_EFORMAT, "byte %zu is neither 0 nor 1", d->at - 1);
        }
    }
    return afn_fail(AFN_EFORMAT, "file is truncated");
}

static afn_status read_text(decoder *d, afn_image *image)
{
    uint8_t *to = image->pixels;
    for (int64_t i = 0; i < d->width * d->height * d->channels; i++) {
        int64_t v;
        const afn_status st = is_bitmap(d) ? read_bit(d, &v) : read_number(d, &v);
        if (st != AFN_OK) return st;
        if (v > d->top)
            return afn_fail(AFN_EFORMAT, "value %lld, greatest is %lld", (long long)v,
                            (long long)d->top);
        put(&to, d, is_bitmap(d) ? (v ? 0 : 255) : to_8_bits(d, v));
    }
    return AFN_OK;
}

static void read_binary(const decoder *d, afn_image *image)
{
    const size_t bytes = row_bytes(d);
    const int64_t samples = d->width * d->channels;
    uint8_t *to = image->pixels;
    for (int64_t y = 0; y < d->height; y++) {
        const uint8_t *p = d->bytes + d->at + bytes * (size_t)y;
        for (int64_t i = 0; i < samples; i++) {
            if (is_bitmap(d))
                put(&to, d, p[i / 8] >> (7 - i % 8) & 1 ? 0 : 255);
            else if (d->top > 255)
                put(&to, d, to_8_bits(d, p[2 * i] << 8 | p[2 * i + 1]));
            else
                put(&to, d, to_8_bits(d, p[i]));
        }
    }
}

static afn_status decode(afn_image *out, afn_codec_job *job)
{
    afn_status st = AFN_OK;
    decoder d = { .bytes = job->bytes,
                  .size = job->size,
                  .max_pixels = job->max_pixels };
    AFN_TRY(read_header(&d));
    AFN_TRY(afn_image__alloc(out, d.width, d.height));
    if (is_text(&d))
        AFN_TRY(read_text(&d, out));
    else
        read_binary(&d, out);
done:
    if (st != AFN_OK) afn_image_free(out);
    return st;
}

static bool probe(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
           is_space(bytes[2]);
}

const afn_codec afn_codec_pnm = { .name = "pnm", .probe = probe, .decode = decode };
