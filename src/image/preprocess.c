/* SPDX-License-Identifier: Apache-2.0 */
/* From a picture to a network's input: torchvision's Resize(int) and CenterCrop in one
 * go.  Only the pixels that survive the crop are computed, so a picture of 10000x1 does
 * not become one of 2560000x256 on its way to 224x224. */
#include "image/image.h"

#include <string.h>

enum { MAX_RESIZE = 1 << 16, MAX_CROP = 1 << 14 };

afn_preprocess afn_preprocess_imagenet(void)
{
    return (afn_preprocess){
        .resize = 256,
        .crop = 224,
        .filter = AFN_FILTER_BILINEAR,
        .mean = { 0.485f, 0.456f, 0.406f }, /* torchvision, IMAGENET1K_V1 */
        .std = { 0.229f, 0.224f, 0.225f },  /* likewise */
        .exif = true,
    };
}

afn_decode_opts afn_preprocess_decoding(const afn_preprocess *p)
{
    afn_decode_opts o = afn_decode_defaults();
    o.exif = p->exif;
    if (p->fast) o.min_side = p->resize;
    return o;
}

afn_status afn_image__check_preprocess(const afn_preprocess *p)
{
    if (p->resize < 0 || p->resize > MAX_RESIZE)
        return afn_fail(AFN_EINVAL, "resize to %d, need 0 to %d", p->resize,
                        (int)MAX_RESIZE);
    if (p->crop < 1 || p->crop > MAX_CROP)
        return afn_fail(AFN_EINVAL, "crop of %d, need 1 to %d", p->crop, (int)MAX_CROP);
    if ((unsigned)p->filter >= AFN_N_FILTERS)
        return afn_fail(AFN_EINVAL, "filter %d, need 0 to %d", (int)p->filter,
                        AFN_N_FILTERS - 1);
    return AFN_OK;
}

/* Size after Resize(s): the shorter side becomes s, the longer int(s * long / short),
 * with Python's division of integers (both exact in a double). */
static afn_status resized_size(afn_resize_part *out, const afn_image *in, int s)
{
    const bool wide = in->width > in->height;
    const int64_t shorter = wide ? in->height : in->width;
    const int64_t longer = wide ? in->width : in->height;
    const int64_t scaled = (int64_t)((double)(s * longer) / (double)shorter);
    if (scaled > INT32_MAX)
        return afn_fail(AFN_EINVAL, "%lldx%lld pixels, too long to resize to %d",
                        (long long)in->width, (long long)in->height, s);
    out->width = wide ? scaled : s;
    out->height = wide ? s : scaled;
    return AFN_OK;
}

afn_status afn_preprocess_apply(const afn_preprocess *p, const afn_image *in,
                                uint8_t *out)
{
    afn_status st = AFN_OK;
    AFN_TRY(afn_image__check_preprocess(p));
    AFN_TRY(afn_image__check(in));

    afn_resize_part part = { .width = in->width, .height = in->height };
    part.filter = p->filter;
    if (p->resize) AFN_TRY(resized_size(&part, in, p->resize));

    const int64_t crop = p->crop;
    const int64_t x = afn_image__crop_start(part.width, crop);
    const int64_t y = afn_image__crop_start(part.height, crop);
    part.x = x > 0 ? x : 0;
    part.y = y > 0 ? y : 0;
    part.w = crop < part.width ? crop : part.width;
    part.h = crop < part.height ? crop : part.height;

    const int64_t left = x < 0 ? -x : 0, top = y < 0 ? -y : 0; /* black border */
    if (part.w < crop || part.h < crop) memset(out, 0, (size_t)(crop * crop) * 3);
    AFN_TRY(afn_image__resize_part(out + 3 * (crop * top + left), (size_t)crop * 3, in,
                                   &part));
done:
    return st;
}
