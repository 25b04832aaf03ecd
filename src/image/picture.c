/* SPDX-License-Identifier: Apache-2.0 */
/* A picture's memory. */
#include "image/image.h"

afn_status afn_image__alloc(afn_image *out, int64_t width, int64_t height)
{
    *out = (afn_image){ 0 };
    if (width < 1 || height < 1 || width > AFN_MAX_PIXELS / height)
        return afn_fail(AFN_EINVAL, "%lldx%lld pixels, need 1 to %lld in all",
                        (long long)width, (long long)height, (long long)AFN_MAX_PIXELS);
    uint8_t *pixels = afn_alloc_aligned((size_t)(width * height) * 3);
    if (!pixels) return afn_fail(AFN_ENOMEM, "out of memory");
    *out = (afn_image){ .width = width, .height = height, .pixels = pixels };
    return AFN_OK;
}

afn_status afn_image__check(const afn_image *image)
{
    const int64_t w = image->width, h = image->height;
    if (!image->pixels || w < 1 || h < 1 || w > AFN_MAX_PIXELS / h)
        return afn_fail(AFN_EINVAL, "picture has %lldx%lld pixels", (long long)w,
                        (long long)h);
    return AFN_OK;
}

void afn_image_free(afn_image *image)
{
    if (!image) return;
    afn_free(image->pixels);
    *image = (afn_image){ 0 };
}
