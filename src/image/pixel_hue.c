/* SPDX-License-Identifier: Apache-2.0 */
/* Hue turned through HSV of 8 bits each: what it costs in colour is part of what
 * torchvision does.  Single and double precision alternate as in Pillow, whose results
 * depend on it.
 * Source: Pillow, src/libImaging/Convert.c; torchvision, adjust_hue() */
#include <math.h>

#include "image/pixels.h"

typedef struct hsv {
    uint8_t h, s, v;
} hsv;

static uint8_t clip(double v)
{
    return (uint8_t)(v <= 0 ? 0 : v >= 255 ? 255 : (int)v);
}

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

static hsv to_hsv(const uint8_t *p)
{
    const uint8_t max = largest(p), min = smallest(p);
    if (max == min) return (hsv){ 0, 0, max };
    const float range = (float)(max - min);
    const float r = (float)(max - p[0]) / range; /* how far each is from the largest */
    const float g = (float)(max - p[1]) / range;
    const float b = (float)(max - p[2]) / range;
    const float h = p[0] == max   ? b - g
                    : p[1] == max ? (float)(2.0 + (double)r - (double)b)
                                  : (float)(4.0 + (double)g - (double)r);
    const double turns = (double)h / 6.0 + 1.0; /* 5/6 to 11/6 */
    const float part = (float)(turns >= 1.0 ? turns - 1.0 : turns);
    const float s = range / (float)max;
    return (hsv){ clip((double)part * 255.0), clip((double)s * 255.0), max };
}

static void to_rgb(uint8_t *p, hsv c)
{
    if (!c.s) {
        p[0] = p[1] = p[2] = c.v;
        return;
    }
    const double sixths = (double)c.h * 6.0 / 255.0;
    const int i = (int)sixths;
    const float f = (float)(sixths - (double)i);
    const float s = (float)((double)c.s / 255.0);
    const double v = c.v;
    /* 1 - s f in single precision, as both factors are */
    const uint8_t low = clip(round(v * (1.0 - (double)s)));
    const uint8_t down = clip(round(v * (1.0 - (double)(s * f))));
    const uint8_t up = clip(round(v * (1.0 - (double)s * (1.0 - (double)f))));
    const uint8_t sector[6][3] = { { c.v, up, low }, { down, c.v, low },
                                   { low, c.v, up }, { low, down, c.v },
                                   { up, low, c.v }, { c.v, low, down } };
    for (int k = 0; k < 3; k++) p[k] = sector[i % 6][k];
}

void afn_pixels__hue(afn_image *image, double turn)
{
    const uint8_t add = (uint8_t)(int)(turn * 255); /* wraps, as it does there */
    for (int64_t i = 0; i < image->width * image->height; i++) {
        uint8_t *p = image->pixels + 3 * i;
        hsv c = to_hsv(p);
        c.h = (uint8_t)(c.h + add);
        to_rgb(p, c);
    }
}
