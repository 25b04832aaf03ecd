/* SPDX-License-Identifier: Apache-2.0 */
/* From a picture's channels to those of a network's input. */
#include "image/image.h"

#include <string.h>

/* Pillow's convert("L"), ITU-R 601-2 in 16 bits; a gray pixel keeps its value. */
static uint8_t luma(const uint8_t *p)
{
    return (uint8_t)((p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16);
}

int afn_image__source_channels(int channels)
{
    return channels == 4 ? 4 : 3;
}

afn_status afn_image__to_channels(uint8_t *out, const uint8_t *pixels, size_t n,
                                  int channels)
{
    if (channels != 1 && channels != 3 && channels != 4)
        return afn_fail(AFN_EUNSUPPORTED,
                        "pictures have 1, 3 or 4 channels, the network takes %d",
                        channels);
    if (channels > 1 && out != pixels) memcpy(out, pixels, (size_t)channels * n);
    for (size_t i = 0; channels == 1 && i < n; i++) out[i] = luma(pixels + 3 * i);
    return AFN_OK;
}
