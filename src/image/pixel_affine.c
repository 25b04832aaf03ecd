/* SPDX-License-Identifier: Apache-2.0 */
/* Pixels taken from elsewhere in a picture by an affine map, and the maps of rotation,
 * shear and translation.  Which pixel is the nearest is decided by Pillow's roundings:
 * sums of steps where the map only scales and moves, 16.16 fixed point otherwise.
 * Source: Pillow, src/libImaging/Geometry.c, PIL/Image.py (rotate);
 * torchvision, _get_inverse_affine_matrix() */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/pixels.h"

static const double pi = 3.14159265358979323846;

static bool inside(const afn_image *in, int64_t x, int64_t y)
{
    return x >= 0 && x < in->width && y >= 0 && y < in->height;
}

static const uint8_t *pixel(const afn_image *in, int64_t x, int64_t y)
{
    return in->pixels + 3 * (in->width * y + x);
}

/* Position in whole pixels, -1 below 0. */
static int64_t whole(double v)
{
    return v < 0 ? -1 : v < 1e9 ? (int64_t)v : (int64_t)1000000000;
}

/* ---- nearest ---- */

/* Nothing turns: a column for every x, a line for every y. */
static void scale_nearest(uint8_t *out, const afn_image *in, const afn_affine *a)
{
    const double *m = a->m;
    double at_y = m[5] + m[4] * 0.5;
    for (int64_t y = 0; y < in->height; y++, at_y += m[4]) {
        double at_x = m[2] + m[0] * 0.5;
        for (int64_t x = 0; x < in->width; x++, at_x += m[0], out += 3)
            if (inside(in, whole(at_x), whole(at_y)))
                memcpy(out, pixel(in, whole(at_x), whole(at_y)), 3);
    }
}

static int64_t fixed(double v)
{
    return (int64_t)floor(v * 65536.0 + 0.5);
}

static void fixed_nearest(uint8_t *out, const afn_image *in, const afn_affine *a)
{
    const double *m = a->m;
    const int64_t m0 = fixed(m[0]), m1 = fixed(m[1]), m3 = fixed(m[3]),
                  m4 = fixed(m[4]);
    int64_t from_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5);
    int64_t from_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
    for (int64_t y = 0; y < in->height; y++, from_x += m1, from_y += m4) {
        int64_t at_x = from_x, at_y = from_y;
        for (int64_t x = 0; x < in->width; x++, at_x += m0, at_y += m3, out += 3)
            if (inside(in, at_x >> 16, at_y >> 16))
                memcpy(out, pixel(in, at_x >> 16, at_y >> 16), 3);
    }
}

/* The same in floating point, for what 16 bits do not hold. */
static void real_nearest(uint8_t *out, const afn_image *in, const afn_affine *a)
{
    const double *m = a->m;
    double from_x = m[2] + m[1] * 0.5 + m[0] * 0.5;
    double from_y = m[5] + m[4] * 0.5 + m[3] * 0.5;
    for (int64_t y = 0; y < in->height; y++, from_x += m[1], from_y += m[4]) {
        double at_x = from_x, at_y = from_y;
        for (int64_t x = 0; x < in->width; x++, at_x += m[0], at_y += m[3], out += 3)
            if (inside(in, whole(at_x), whole(at_y)))
                memcpy(out, pixel(in, whole(at_x), whole(at_y)), 3);
    }
}

static bool fits_fixed(const afn_image *in, const afn_affine *a)
{
    const double *m = a->m;
    for (int corner = 0; corner < 4; corner++) {
        const double x = corner & 1 ? (double)in->width : 0;
        const double y = corner & 2 ? (double)in->height : 0;
        if (fabs(x * m[0] + y * m[1] + m[2]) >= 32768.0) return false;
        if (fabs(x * m[3] + y * m[4] + m[5]) >= 32768.0) return false;
    }
    return true;
}

/* ---- bilinear ---- */

static int64_t clamp(int64_t v, int64_t size)
{
    return v < 0 ? 0 : v < size ? v : size - 1;
}

/* Between the four pixels around (x, y); cut off to whole numbers. */
static void blend_four(uint8_t *out, const afn_image *in, double x, double y)
{
    const int64_t ix = (int64_t)floor(x), iy = (int64_t)floor(y);
    const double dx = x - (double)ix, dy = y - (double)iy;
    const int64_t left = clamp(ix, in->width), right = clamp(ix + 1, in->width);
    const int64_t top = clamp(iy, in->height), bottom = clamp(iy + 1, in->height);
    const uint8_t *a = pixel(in, left, top), *b = pixel(in, right, top);
    const uint8_t *c = pixel(in, left, bottom), *d = pixel(in, right, bottom);
    for (int k = 0; k < 3; k++) {
        const double above = a[k] + (b[k] - a[k]) * dx;
        const double below = c[k] + (d[k] - c[k]) * dx;
        out[k] = (uint8_t)(above + (below - above) * dy);
    }
}

static void bilinear(uint8_t *out, const afn_image *in, const afn_affine *a)
{
    const double *m = a->m;
    for (int64_t y = 0; y < in->height; y++)
        for (int64_t x = 0; x < in->width; x++, out += 3) {
            const double cx = (double)x + 0.5, cy = (double)y + 0.5;
            const double at_x = m[0] * cx + m[1] * cy + m[2];
            const double at_y = m[3] * cx + m[4] * cy + m[5];
            if (at_x >= 0 && at_x < (double)in->width && at_y >= 0 &&
                at_y < (double)in->height)
                blend_four(out, in, at_x - 0.5, at_y - 0.5);
        }
}

void afn_pixels__transform(uint8_t *out, const afn_image *in, const afn_affine *a,
                           bool smooth)
{
    memset(out, 0, (size_t)(3 * in->width * in->height));
    if (smooth)
        bilinear(out, in, a);
    else if (a->m[1] == 0 && a->m[3] == 0)
        scale_nearest(out, in, a);
    else if (fits_fixed(in, a))
        fixed_nearest(out, in, a);
    else
        real_nearest(out, in, a);
}

/* ---- maps ---- */

/* Python's round(v, 15): to the nearest decimal, which no product gives exactly. */
static double round15(double v)
{
    char text[40];
    snprintf(text, sizeof text, "%.15f", v);
    return strtod(text, NULL);
}

static double radians(double degrees)
{
    return degrees * (pi / 180.0);
}

/* A quarter turn counter-clockwise of a square. */
static void quarter(uint8_t *out, const afn_image *in, bool three)
{
    const int64_t n = in->width;
    for (int64_t y = 0; y < n; y++)
        for (int64_t x = 0; x < n; x++, out += 3)
            memcpy(out, three ? pixel(in, y, n - 1 - x) : pixel(in, n - 1 - y, x), 3);
}

static void half(uint8_t *out, const afn_image *in)
{
    for (int64_t i = in->width * in->height - 1; i >= 0; i--, out += 3)
        memcpy(out, in->pixels + 3 * i, 3);
}

void afn_pixels__rotate(uint8_t *out, const afn_image *in, double degrees, bool smooth)
{
    double turn = fmod(degrees, 360.0);
    if (turn < 0) turn += 360.0;
    if (turn == 0) {
        memcpy(out, in->pixels, (size_t)(3 * in->width * in->height));
    } else if (turn == 180) {
        half(out, in);
    } else if ((turn == 90 || turn == 270) && in->width == in->height) {
        quarter(out, in, turn == 270);
    } else {
        const double angle = -radians(turn);
        const double cx = (double)in->width / 2.0, cy = (double)in->height / 2.0;
        afn_affine a = { { round15(cos(angle)), round15(sin(angle)), 0,
                           round15(-sin(angle)), round15(cos(angle)), 0 } };
        const double *m = a.m;
        const double x = m[0] * -cx + m[1] * -cy + m[2];
        const double y = m[3] * -cx + m[4] * -cy + m[5];
        a.m[2] = x + cx;
        a.m[5] = y + cy;
        afn_pixels__transform(out, in, &a, smooth);
    }
}

void afn_pixels__shear(uint8_t *out, const afn_image *in, double x_degrees,
                       double y_degrees)
{
    const double sx = radians(x_degrees), sy = radians(y_degrees);
    /* torchvision's terms for no rotation, in its order of operations */
    const double a = cos(-sy) / cos(sy);
    const double b = -cos(-sy) * tan(sx) / cos(sy);
    const double c = sin(-sy) / cos(sy);
    const double d = -sin(-sy) * tan(sx) / cos(sy) + 1.0;
    afn_pixels__transform(out, in, &(afn_affine){ { d, -b, 0, -c, a, 0 } }, false);
}

void afn_pixels__translate(uint8_t *out, const afn_image *in, int64_t x, int64_t y)
{
    const double cx = (double)in->width * 0.5, cy = (double)in->height * 0.5;
    const afn_affine a = { { 1, 0, (-cx - (double)x) + cx, 0, 1,
                             (-cy - (double)y) + cy } };
    afn_pixels__transform(out, in, &a, false);
}
