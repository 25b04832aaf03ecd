/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "image/pixels.h"

static void swap(uint8_t *a, uint8_t *b, int n)
{
    for (int i = 0; i < n; i++) {
        const uint8_t t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

void afn_pixels__flip_horizontal(afn_image *image)
{
    for (int64_t y = 0; y < image->height; y++) {
        uint8_t *left = image->pixels + 3 * image->width * y;
        uint8_t *right = left + 3 * (image->width - 1);
        for (; left < right; left += 3, right -= 3) swap(left, right, 3);
    }
}

void afn_pixels__flip_vertical(afn_image *image)
{
    const int row = (int)(3 * image->width);
    for (int64_t y = 0; y < image->height / 2; y++)
        swap(image->pixels + row * y, image->pixels + row * (image->height - 1 - y),
             row);
}
