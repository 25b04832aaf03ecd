/* SPDX-License-Identifier: Apache-2.0 */
/* Hue turned through HSV of 8 bits each: what it costs in colour is part of what
 * torchvision does.  Single and double precision alternate as in Pillow, whose results
 * depend on it.
 * Source: Pillow, src/libImaging/Convert.c; torchvision, adjust_hue() */
#include "image/pixels.h"

typedef struct hsv {
    uint8_t h, s, v;
} hsv;

static uint8_t largest(const uint8_t *p)
{
    const uint8_t a = p[0] > p[1] ? p[0] : p[1];
    return a > p[2] ? a : p[2];
}

static uint8_t smallest(const uint8_t *p)
{
    const uint8_t a = p[0] < p[1] ? p[0] : p[1];
    return a < p[2] ? a : p[2];
}

/* Sixths of the circle, -1 to 5, from the two channels that are not the largest. */
static float sixths_of(const uint8_t *p, int max, float range)
{
    const float r = (float)(max - p[0]), g = (float)(max - p[1]);
    const float b = (float)(max - p[2]);
    if (p[0] == max) return b / range - g / range;
    if (p[1] == max) return (float)(2.0 + (double)(r / range) - (double)(b / range));
    return (float)(4.0 + (double)(g / range) - (double)(r / range));
}

static hsv to_hsv(const uint8_t *p)
{
    const uint8_t max = largest(p), min = smallest(p);
    if (max == min) return (hsv){ 0, 0, max };
    const float range = (float)(max - min);
    const double turns = (double)sixths_of(p, max, range) / 6.0 + 1.0; /* 5/6 to 11/6 */
    const float part = (float)(turns >= 1.0 ? turns - 1.0 : turns);
    const float s = range / (float)max;
    return (hsv){ (uint8_t)(int)((double)part * 255.0),
                  (uint8_t)(int)((double)s * 255.0), max };
}

/* What a hue means, the same for all pixels that have it. */
typedef struct place {
    int sector; /* of six */
    float f;    /* within it, 0 to 1 */
} place;

static place place_of(int h)
{
    const double sixths = (double)h * 6.0 / 255.0;
    const int i = (int)sixths;
    return (place){ i % 6, (float)(sixths - (double)i) };
}

/* round() of what is not negative. */
static uint8_t to_nearest(double v)
{
    const int whole = (int)v;
    return (uint8_t)(v - whole >= 0.5 ? whole + 1 : whole);
}

static void to_rgb(uint8_t *p, hsv c, const place *at)
{
    if (!c.s) {
        p[0] = p[1] = p[2] = c.v;
        return;
    }
    const float f = at->f;
    const float s = (float)((double)c.s / 255.0);
    const double v = c.v;
    /* 1 - s f in single precision, as both factors are */
    const uint8_t low = to_nearest(v * (1.0 - (double)s));
    const uint8_t down = to_nearest(v * (1.0 - (double)(s * f)));
    const uint8_t up = to_nearest(v * (1.0 - (double)s * (1.0 - (double)f)));
    const uint8_t sector[6][3] = { { c.v, up, low }, { down, c.v, low },
                                   { low, c.v, up }, { low, down, c.v },
                                   { up, low, c.v }, { c.v, low, down } };
    for (int k = 0; k < 3; k++) p[k] = sector[at->sector][k];
}

void afn_pixels__hue(afn_image *image, double turn)
{
    const uint8_t add = (uint8_t)(int)(turn * 255); /* wraps, as it does there */
    place turned[256];
    for (int h = 0; h < 256; h++) turned[h] = place_of((uint8_t)(h + add));
    for (int64_t i = 0; i < image->width * image->height; i++) {
        uint8_t *p = image->pixels + 3 * i;
        const hsv c = to_hsv(p);
        to_rgb(p, c, &turned[c.h]);
    }
}
