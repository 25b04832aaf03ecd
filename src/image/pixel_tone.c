/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that map every value of a channel to another, as ImageOps makes them.
 * Source: Pillow, PIL/ImageOps.py */
#include <string.h>

#include "image/pixels.h"

typedef struct tables {
    uint8_t of[3][256]; /* per channel */
} tables;

static void map_pixels(afn_image *image, const tables *t)
{
    for (int64_t i = 0; i < 3 * image->width * image->height; i += 3)
        for (int c = 0; c < 3; c++)
            image->pixels[i + c] = t->of[c][image->pixels[i + c]];
}

/* How often each value occurs. */
static void count_values(int64_t count[3][256], const afn_image *image)
{
    memset(count, 0, 3 * sizeof count[0]);
    for (int64_t i = 0; i < 3 * image->width * image->height; i += 3)
        for (int c = 0; c < 3; c++) count[c][image->pixels[i + c]]++;
}

static uint8_t clip(int64_t v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

void afn_pixels__posterize(afn_image *image, int bits)
{
    const int mask = ~((1 << (8 - bits)) - 1);
    tables t;
    for (int i = 0; i < 256; i++)
        t.of[0][i] = t.of[1][i] = t.of[2][i] = (uint8_t)(i & mask);
    map_pixels(image, &t);
}

void afn_pixels__solarize(afn_image *image, double threshold)
{
    tables t;
    for (int i = 0; i < 256; i++)
        t.of[0][i] = t.of[1][i] = t.of[2][i] = (uint8_t)(i < threshold ? i : 255 - i);
    map_pixels(image, &t);
}

/* Stretch from the smallest and largest value there is to 0 and 255. */
static void stretch(uint8_t *table, const int64_t *count)
{
    int low = 0, high = 255;
    while (low < 255 && !count[low]) low++;
    while (high > 0 && !count[high]) high--;
    const double scale = high > low ? 255.0 / (high - low) : 1;
    const double offset = high > low ? -low * scale : 0;
    for (int i = 0; i < 256; i++) table[i] = clip((int64_t)(i * scale + offset));
}

void afn_pixels__autocontrast(afn_image *image)
{
    int64_t count[3][256];
    tables t;
    count_values(count, image);
    for (int c = 0; c < 3; c++) stretch(t.of[c], count[c]);
    map_pixels(image, &t);
}

/* Spread so that equally many pixels fall to equal ranges of values. */
static void level(uint8_t *table, const int64_t *count)
{
    int64_t all = 0, last = 0;
    for (int i = 0; i < 256; i++) {
        all += count[i];
        if (count[i]) last = count[i];
    }
    const int64_t step =
        (all - last) / 255; /* 0 also where one value is all there is */
    int64_t n = step / 2;
    for (int i = 0; i < 256; i++) {
        table[i] = step ? clip(n / step) : (uint8_t)i;
        n += count[i];
    }
}

void afn_pixels__equalize(afn_image *image)
{
    int64_t count[3][256];
    tables t;
    count_values(count, image);
    for (int c = 0; c < 3; c++) level(t.of[c], count[c]);
    map_pixels(image, &t);
}
