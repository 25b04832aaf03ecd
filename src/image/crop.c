/* SPDX-License-Identifier: Apache-2.0 */
/* Centre crop, padded with black where the picture is smaller: the rules of
 * torchvision.transforms.functional.center_crop. */
#include "image/image.h"

#include <string.h>

int64_t afn_image__crop_start(int64_t have, int64_t want)
{
    if (want > have) return -((want - have) / 2); /* the odd pixel goes behind */
    const int64_t spare = have - want, half = spare / 2;
    /* Python's round(spare / 2.0): a half goes to the even neighbour. */
    return spare % 2 ? half + half % 2 : half;
}

afn_status afn_image_center_crop(afn_image *out, const afn_image *in, int64_t width,
                                 int64_t height)
{
    afn_status st = AFN_OK;
    *out = (afn_image){ 0 };
    AFN_TRY(afn_image__check(in));
    const int64_t n = afn_image_channels(in);
    AFN_TRY(afn_image__alloc_channels(out, width, height, (int)n));

    const int64_t x = afn_image__crop_start(in->width, width);
    const int64_t y = afn_image__crop_start(in->height, height);
    const int64_t from = x > 0 ? x : 0, to = x < 0 ? -x : 0; /* first column */
    const int64_t copied = width < in->width ? width : in->width;
    for (int64_t i = 0; i < height; i++) {
        uint8_t *row = out->pixels + n * width * i;
        memset(row, 0, (size_t)(width * n));
        if (y + i < 0 || y + i >= in->height) continue;
        memcpy(row + n * to, in->pixels + n * (in->width * (y + i) + from),
               (size_t)(copied * n));
    }
done:
    return st;
}
