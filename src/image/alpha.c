/* SPDX-License-Identifier: Apache-2.0 */
/* Transparency as a fourth channel: how a picture gets and loses it, and how it is
 * multiplied into the colours, and out again, around what mixes neighbouring pixels, so
 * that a transparent pixel lends no colour.
 * Source: Pillow, src/libImaging/Convert.c rgba2rgbA, rgbA2rgba */
#include <string.h>

#include "image/image.h"

enum { RGB = 3, RGBA = 4 };

static afn_status with_channels(afn_image *out, const afn_image *in, int channels)
{
    const int from = afn_image_channels(in);
    const int shared = from < channels ? from : channels;
    const afn_status st =
        afn_image__alloc_channels(out, in->width, in->height, channels);
    for (int64_t i = 0; st == AFN_OK && i < in->width * in->height; i++) {
        uint8_t *to = out->pixels + channels * i;
        if (channels == RGBA) to[3] = 255;
        memcpy(to, in->pixels + from * i, (size_t)shared);
    }
    return st;
}

afn_status afn_image__as_channels(const afn_image **in, afn_image *made, int channels)
{
    *made = (afn_image){ 0 };
    afn_status st = afn_image__check(*in);
    if (st != AFN_OK || afn_image_channels(*in) == channels) return st;
    st = with_channels(made, *in, channels);
    if (st == AFN_OK) *in = made;
    return st;
}

static uint8_t multiplied(int v, int alpha)
{
    const int t = v * alpha + 128;
    return (uint8_t)(((t >> 8) + t) >> 8); /* the product / 255 */
}

static uint8_t divided(int v, int alpha)
{
    const int t = 255 * v / alpha;
    return (uint8_t)(t < 255 ? t : 255);
}

afn_status afn_image__multiply_alpha(afn_image *out, const afn_image *in)
{
    const afn_status st = with_channels(out, in, RGBA);
    for (int64_t i = 0; st == AFN_OK && i < in->width * in->height; i++) {
        uint8_t *p = out->pixels + RGBA * i;
        for (int c = 0; c < RGB; c++) p[c] = multiplied(p[c], p[3]);
    }
    return st;
}

void afn_image__divide_alpha(uint8_t *pixels, int64_t n)
{
    for (uint8_t *p = pixels; p < pixels + RGBA * n; p += RGBA)
        for (int c = 0; p[3] > 0 && p[3] < 255 && c < RGB; c++)
            p[c] = divided(p[c], p[3]);
}
