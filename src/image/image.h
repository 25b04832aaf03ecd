/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/image.  What other folders use is public: see afina/image.h; the
 * rest here is shared by the files of this folder.  Hides the codec libraries and the
 * arithmetic of sampling. */
#ifndef AFN_IMAGE_H
#define AFN_IMAGE_H

#include "afina/image.h"
#include "tensor/tensor.h"

/* Most pixels of a picture that we make. */
#define AFN_MAX_PIXELS ((int64_t)1 << 28)

/* A new picture; pixels are not set.  *out is zeroed on failure.
 * Errors     AFN_EINVAL for a side below 1 or over AFN_MAX_PIXELS, AFN_ENOMEM */
afn_status afn_image__alloc(afn_image *out, int64_t width, int64_t height);

/* The same of 3 or 4 channels. */
afn_status afn_image__alloc_channels(afn_image *out, int64_t width, int64_t height,
                                     int channels);

/* AFN_EINVAL unless there are pixels, and sides and channels are in range. */
afn_status afn_image__check(const afn_image *image);

/* AFN_EINVAL unless sides and filter are in range: for those who allocate by them. */
afn_status afn_image__check_preprocess(const afn_preprocess *p);

/* afn_preprocess_apply() that keeps the channels that the picture has.
 *   out      (crop, crop, channels of in), filled */
afn_status afn_image__preprocess(const afn_preprocess *p, const afn_image *in,
                                 uint8_t *out);

/* See that *in has 3 or 4 channels: where it has others, *in becomes *made, a copy
 * whose alpha is dropped, or is 255. made     zeroed where nothing was made; free it
 * after *in Errors     AFN_EINVAL for a picture without pixels, AFN_ENOMEM */
afn_status afn_image__as_channels(const afn_image **in, afn_image *made, int channels);

/* How a picture is to come that becomes these channels of a network's input. */
int afn_image__source_channels(int channels);

/* A copy of a picture of 4 channels, alpha multiplied into the colours; and n pixels of
 * 4 channels back again, in place.
 * Errors     AFN_ENOMEM */
afn_status afn_image__multiply_alpha(afn_image *out, const afn_image *in);
void afn_image__divide_alpha(uint8_t *pixels, int64_t n);

/* RGB pixels as the channels that a network takes.
 *   out      (n, channels), filled; may be pixels where channels is not 1
 *   pixels   (n, afn_image__source_channels(channels))
 * Errors     AFN_EUNSUPPORTED for other channels than 1, 3 and 4 */
afn_status afn_image__to_channels(uint8_t *out, const uint8_t *pixels, size_t n,
                                  int channels);

/* The picture as a JPEG of this quality, 1 to 100.
 *   out      appended to
 * Errors     AFN_EINVAL, AFN_ENOMEM */
afn_status afn_image__encode_jpeg(afn_buf *out, const afn_image *image, int quality);

/* Where a crop of `want` pixels begins in a side of `have` pixels, by the rules of
 * torchvision's CenterCrop; negative where the side is to be padded in front. */
int64_t afn_image__crop_start(int64_t have, int64_t want);

/* A part of a resized picture: columns x .. x+w-1, rows y .. y+h-1 of what resizing to
 * (width, height) gives. */
typedef struct afn_resize_part {
    int64_t width, height; /* of the whole result; up to 2^31-1 each */
    int64_t x, y, w, h;    /* inside it */
    afn_filter filter;
} afn_resize_part;

/* Compute that part only, with the same bits as cutting it out of the whole.
 * Alpha is multiplied in before what mixes pixels, and divided out again, as Pillow
 * does. out      rows of (w, channels of in), `stride` bytes apart Errors AFN_ENOMEM */
afn_status afn_image__resize_part(uint8_t *out, size_t stride, const afn_image *in,
                                  const afn_resize_part *part);

#endif
