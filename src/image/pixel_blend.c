/* SPDX-License-Identifier: Apache-2.0 */
/* Blends of a picture with a poorer one, as ImageEnhance makes them: in single
 * precision, cut off to whole numbers and not rounded.
 * Source: Pillow, src/libImaging/Blend.c, Filter.c, Convert.c; PIL/ImageEnhance.py */
#include <string.h>

#include "image/pixels.h"

static int64_t count_of(const afn_image *image)
{
    return image->width * image->height;
}

/* poor + alpha (rich - poor), cut off and clipped. */
static uint8_t blend(uint8_t poor, uint8_t rich, float alpha)
{
    const float v = (float)poor + alpha * (float)((int)rich - (int)poor);
    return (uint8_t)(v <= 0 ? 0 : v >= 255 ? 255 : (int)v);
}

/* Brightness as Pillow's convert("L") weighs it: ITU-R 601-2 in 16 bits. */
static uint8_t luma(const uint8_t *p)
{
    return (uint8_t)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 0x8000u) >> 16);
}

/* Blend every value with one and the same. */
static void blend_with_constant(afn_image *image, uint8_t poor, float alpha)
{
    uint8_t table[256];
    if (alpha == 1) return;
    for (int i = 0; i < 256; i++) table[i] = blend(poor, (uint8_t)i, alpha);
    for (int64_t i = 0; i < 3 * count_of(image); i++)
        image->pixels[i] = table[image->pixels[i]];
}

void afn_pixels__brightness(afn_image *image, double factor)
{
    blend_with_constant(image, 0, (float)factor);
}

void afn_pixels__contrast(afn_image *image, double factor)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < count_of(image); i++) sum += luma(image->pixels + 3 * i);
    const double mean = (double)sum / (double)count_of(image);
    blend_with_constant(image, (uint8_t)(int)(mean + 0.5), (float)factor);
}

void afn_pixels__saturation(afn_image *image, double factor)
{
    const float alpha = (float)factor;
    if (alpha == 1) return;
    for (int64_t i = 0; i < count_of(image); i++) {
        uint8_t *p = image->pixels + 3 * i;
        const uint8_t gray = luma(p);
        for (int c = 0; c < 3; c++) p[c] = blend(gray, p[c], alpha);
    }
}

void afn_pixels__grayscale(afn_image *image)
{
    for (int64_t i = 0; i < count_of(image); i++) {
        uint8_t *p = image->pixels + 3 * i;
        p[0] = p[1] = p[2] = luma(p);
    }
}

/* ImageFilter.SMOOTH of n values between three rows: weights 1/13, the middle 5/13,
 * summed in Pillow's order, from the row below upwards. */
static void smooth_row(uint8_t *restrict out, const uint8_t *above, const uint8_t *row,
                       const uint8_t *below, int64_t n)
{
    const float edge = 1.0f / 13.0f, middle = 5.0f / 13.0f;
    for (int64_t i = 0; i < n; i++) {
        float v = 0.5f;
        v += below[i - 3] * edge + below[i] * edge + below[i + 3] * edge;
        v += row[i - 3] * edge + row[i] * middle + row[i + 3] * edge;
        v += above[i - 3] * edge + above[i] * edge + above[i + 3] * edge;
        out[i] = (uint8_t)(v >= 255 ? 255 : (int)v);
    }
}

/* The border stays as it is. */
static void smooth(uint8_t *out, const afn_image *in)
{
    const int64_t stride = 3 * in->width;
    memcpy(out, in->pixels, (size_t)(stride * in->height));
    if (in->width < 3) return;
    for (int64_t y = 1; y < in->height - 1; y++) {
        const uint8_t *row = in->pixels + stride * y + 3;
        smooth_row(out + stride * y + 3, row - stride, row, row + stride, stride - 6);
    }
}

void afn_pixels__sharpness(uint8_t *out, const afn_image *in, double factor)
{
    const float alpha = (float)factor;
    smooth(out, in);
    for (int64_t i = 0; i < 3 * count_of(in); i++)
        out[i] = blend(out[i], in->pixels[i], alpha);
}
