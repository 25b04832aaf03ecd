/* SPDX-License-Identifier: Apache-2.0 */
/* Gaussian blur with the weights of torchvision's gaussian_blur(), which convolves with
 * a two-dimensional kernel in single precision and rounds to even.  Two passes of one
 * dimension give the same but for the order of the sums: a value that lies on the edge
 * between two may fall to the other one. */
#include <math.h>
#include <string.h>

#include "image/pixels.h"

/* (size), adding up to 1 */
static void make_weights(float *k, int size, double sigma)
{
    const float half = (float)(size - 1) * 0.5f;
    float sum = 0;
    for (int i = 0; i < size; i++) {
        const float x = ((float)i - half) / (float)sigma;
        k[i] = expf(-0.5f * x * x);
        sum += k[i];
    }
    for (int i = 0; i < size; i++) k[i] /= sum;
}

/* Pixel i of a side, mirrored at its ends as often as it takes. */
static int64_t mirror(int64_t i, int64_t side)
{
    if (side == 1) return 0;
    const int64_t period = 2 * (side - 1);
    const int64_t at = ((i % period) + period) % period;
    return at < side ? at : period - at;
}

/* Row y of the vertical pass.
 *   sum      (3 * width), filled */
static void blur_down(float *restrict sum, const afn_image *in, int64_t y,
                      const float *k, int size)
{
    const int64_t n = 3 * in->width;
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int t = 0; t < size; t++) {
        const uint8_t *row = in->pixels + n * mirror(y + t - size / 2, in->height);
        const float weight = k[t];
        for (int64_t i = 0; i < n; i++) sum[i] += weight * (float)row[i];
    }
}

/* One row of the horizontal pass.
 *   row      (width + size - 1, 3): with its margins */
static void blur_across(uint8_t *restrict out, const float *restrict row, int64_t width,
                        const float *k, int size)
{
    for (int64_t i = 0; i < 3 * width; i++) {
        float v = 0;
        for (int t = 0; t < size; t++) v += k[t] * row[i + 3 * t];
        out[i] = (uint8_t)(v >= 255 ? 255 : rintf(v));
    }
}

/* Mirror the pixels of a row into its margins of half the taps. */
static void fill_margins(float *row, int64_t width, int64_t margin)
{
    for (int64_t x = -margin; x < width + margin; x++) {
        if (x >= 0 && x < width) continue;
        memcpy(row + 3 * (x + margin), row + 3 * (mirror(x, width) + margin),
               3 * sizeof *row);
    }
}

afn_status afn_pixels__blur(uint8_t *out, const afn_image *in, int size, double sigma)
{
    afn_status st = AFN_OK;
    const int64_t margin = size / 2;
    float *k = afn_alloc_array((size_t)size, sizeof *k);
    float *row = afn_alloc_array((size_t)(3 * (in->width + 2 * margin)), sizeof *row);
    AFN_REQUIRE(k && row, AFN_ENOMEM, "out of memory");
    make_weights(k, size, sigma);
    for (int64_t y = 0; y < in->height; y++) {
        blur_down(row + 3 * margin, in, y, k, size);
        fill_margins(row, in->width, margin);
        blur_across(out + 3 * in->width * y, row, in->width, k, size);
    }
done:
    afn_free(k);
    afn_free(row);
    return st;
}
