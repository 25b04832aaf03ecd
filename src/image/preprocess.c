/* SPDX-License-Identifier: Apache-2.0 */
/* From a picture to a network's input: torchvision's Resize(int) and CenterCrop in one
 * go, and other ways to make a square of it.  Only the pixels that survive the crop are
 * computed, so a picture of 10000x1 does not become one of 2560000x256 on its way to
 * 224x224. */
#include "image/image.h"

#include <math.h>
#include <string.h>

enum { MAX_RESIZE = 1 << 16, MAX_CROP = 1 << 14 };

static const char *const fit_names[] = { [AFN_FIT_CROP] = "crop",
                                         [AFN_FIT_SQUASH] = "squash",
                                         [AFN_FIT_LETTERBOX] = "letterbox",
                                         [AFN_FIT_PAD] = "pad" };
static_assert(AFN_COUNT(fit_names) == AFN_N_FITS, "a name for every fit");

const char *afn_fit_mode_name(afn_fit_mode f)
{
    return (unsigned)f < AFN_N_FITS ? fit_names[f] : "unknown";
}

afn_status afn_fit_mode_parse(afn_fit_mode *out, const char *name)
{
    for (int i = 0; i < AFN_N_FITS; i++) {
        if (strcmp(fit_names[i], name) != 0) continue;
        *out = (afn_fit_mode)i;
        return AFN_OK;
    }
    return afn_fail(AFN_EINVAL, "fit \"%s\", need crop, squash, letterbox or pad",
                    name);
}

afn_preprocess afn_preprocess_imagenet(void)
{
    return (afn_preprocess){
        .fit = AFN_FIT_CROP,
        .resize = 256,
        .crop = 224,
        .filter = AFN_FILTER_BILINEAR,
        .mean = { 0.485f, 0.456f, 0.406f }, /* torchvision, IMAGENET1K_V1 */
        .std = { 0.229f, 0.224f, 0.225f },  /* likewise */
        .exif = true,
    };
}

int afn_preprocess_channels(const afn_preprocess *p)
{
    return p->channels ? p->channels : 3;
}

size_t afn_preprocess_bytes(const afn_preprocess *p)
{
    return (size_t)p->crop * (size_t)p->crop * (size_t)afn_preprocess_channels(p);
}

afn_decode_opts afn_preprocess_decoding(const afn_preprocess *p)
{
    afn_decode_opts o = afn_decode_defaults();
    o.exif = p->exif;
    o.channels = afn_image__source_channels(afn_preprocess_channels(p));
    if (p->fast) o.min_side = p->fit == AFN_FIT_CROP ? p->resize : p->crop;
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
    if (p->channels < 0 || p->channels > AFN_MAX_CHANNELS)
        return afn_fail(AFN_EINVAL, "%d channels, need 1 to %d", p->channels,
                        (int)AFN_MAX_CHANNELS);
    if ((unsigned)p->fit >= AFN_N_FITS)
        return afn_fail(AFN_EINVAL, "fit %d, need 0 to %d", (int)p->fit,
                        AFN_N_FITS - 1);
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

/* Python's round(): a half goes to the even neighbour. */
static int64_t round_even(double v)
{
    return (int64_t)nearbyint(v);
}

/* Size after Pillow's ImageOps.contain((s, s)): the longer side becomes s. */
static void contained_size(afn_resize_part *out, const afn_image *in, int64_t s)
{
    const double w = (double)in->width, h = (double)in->height;
    out->width = w >= h ? s : round_even(w / h * (double)s);
    out->height = w > h ? round_even(h / w * (double)s) : s;
    if (out->width < 1) out->width = 1;
    if (out->height < 1) out->height = 1;
}

/* What the picture is resized to, and what is left of that: a place in the square. */
typedef struct place {
    afn_resize_part part;
    int64_t left, top; /* black border in front of it */
} place;

static afn_status find_crop(place *out, const afn_preprocess *p, const afn_image *in)
{
    afn_resize_part *part = &out->part;
    const int64_t crop = p->crop;
    if (p->resize) {
        const afn_status st = resized_size(part, in, p->resize);
        if (st != AFN_OK) return st;
    }
    const int64_t x = afn_image__crop_start(part->width, crop);
    const int64_t y = afn_image__crop_start(part->height, crop);
    part->x = x > 0 ? x : 0;
    part->y = y > 0 ? y : 0;
    part->w = crop < part->width ? crop : part->width;
    part->h = crop < part->height ? crop : part->height;
    out->left = x < 0 ? -x : 0;
    out->top = y < 0 ? -y : 0;
    return AFN_OK;
}

/* All of the picture is seen. */
static void find_whole(place *out, const afn_preprocess *p, const afn_image *in)
{
    afn_resize_part *part = &out->part;
    const int64_t side = p->crop;
    const bool fits = in->width <= side && in->height <= side;
    if (p->fit == AFN_FIT_SQUASH)
        part->width = part->height = side;
    else if (p->fit == AFN_FIT_LETTERBOX || !fits)
        contained_size(part, in, side);
    part->w = part->width;
    part->h = part->height;
    out->left = round_even((double)(side - part->w) * 0.5);
    out->top = round_even((double)(side - part->h) * 0.5);
}

afn_status afn_image__preprocess(const afn_preprocess *p, const afn_image *in,
                                 uint8_t *out)
{
    afn_status st = AFN_OK;
    place at = { 0 };
    AFN_TRY(afn_image__check_preprocess(p));
    AFN_TRY(afn_image__check(in));

    at.part = (afn_resize_part){ .width = in->width,
                                 .height = in->height,
                                 .filter = p->filter };
    if (p->fit == AFN_FIT_CROP)
        AFN_TRY(find_crop(&at, p, in));
    else
        find_whole(&at, p, in);

    const int64_t side = p->crop, n = afn_image_channels(in);
    if (at.part.w < side || at.part.h < side) memset(out, 0, (size_t)(side * side * n));
    AFN_TRY(afn_image__resize_part(out + n * (side * at.top + at.left),
                                   (size_t)(side * n), in, &at.part));
done:
    return st;
}

/* Through another buffer: gray, and what no picture has. */
static afn_status apply_converted(const afn_preprocess *p, const afn_image *in,
                                  uint8_t *out)
{
    afn_status st = AFN_OK;
    const size_t n = (size_t)p->crop * (size_t)p->crop;
    uint8_t *rgb = afn_alloc_aligned(3 * n);
    AFN_REQUIRE(rgb, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_image__preprocess(p, in, rgb));
    AFN_TRY(afn_image__to_channels(out, rgb, n, afn_preprocess_channels(p)));
done:
    afn_free(rgb);
    return st;
}

afn_status afn_preprocess_apply(const afn_preprocess *p, const afn_image *in,
                                uint8_t *out)
{
    afn_status st = AFN_OK;
    afn_image converted = { 0 };
    const int channels = afn_preprocess_channels(p);
    const int source = afn_image__source_channels(channels);
    AFN_TRY(afn_image__check_preprocess(p));
    AFN_TRY(afn_image__as_channels(&in, &converted, source));
    AFN_TRY(channels == source ? afn_image__preprocess(p, in, out)
                               : apply_converted(p, in, out));
done:
    afn_image_free(&converted);
    return st;
}
