/* SPDX-License-Identifier: Apache-2.0 */
/* A picture's memory. */
#include "image/image.h"

int afn_image_channels(const afn_image *image)
{
    return image->channels ? image->channels : 3;
}

afn_status afn_image__alloc_channels(afn_image *out, int64_t width, int64_t height,
                                     int channels)
{
    *out = (afn_image){ 0 };
    if (width < 1 || height < 1 || width > AFN_MAX_PIXELS / height)
        return afn_fail(AFN_EINVAL, "%lldx%lld pixels, need 1 to %lld in all",
                        (long long)width, (long long)height, (long long)AFN_MAX_PIXELS);
    uint8_t *pixels = afn_alloc_aligned((size_t)(width * height * channels));
    if (!pixels) return afn_fail(AFN_ENOMEM, "out of memory");
    *out = (afn_image){ width, height, pixels, channels };
    return AFN_OK;
}

afn_status afn_image__alloc(afn_image *out, int64_t width, int64_t height)
{
    return afn_image__alloc_channels(out, width, height, 3);
}

afn_status afn_image__check(const afn_image *image)
{
    const int64_t w = image->width, h = image->height;
    if (!image->pixels || w < 1 || h < 1 || w > AFN_MAX_PIXELS / h)
        return afn_fail(AFN_EINVAL, "picture has %lldx%lld pixels", (long long)w,
                        (long long)h);
    if (afn_image_channels(image) != 3 && image->channels != 4)
        return afn_fail(AFN_EINVAL, "picture has %d channels, need 3 or 4",
                        image->channels);
    return AFN_OK;
}

void afn_image_free(afn_image *image)
{
    if (!image) return;
    afn_free(image->pixels);
    *image = (afn_image){ 0 };
}
