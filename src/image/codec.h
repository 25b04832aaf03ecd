/* SPDX-License-Identifier: Apache-2.0 */
/* Picture formats.  One format per file, src/image/codec_<name>.c, listed in codec.c;
 * the rest of the library knows a format by this table alone. */
#ifndef AFN_IMAGE_CODEC_H
#define AFN_IMAGE_CODEC_H

#include "image/image.h"

/* One picture to decode: what is given, and what there is to say about it. */
typedef struct afn_codec_job {
    const uint8_t *bytes;
    size_t size;
    int64_t max_pixels;     /* refuse more: see afn_image__check_size() */
    int64_t min_side;       /* above 0: fewer pixels will do; see afn_decode_opts */
    bool wants_orientation; /* or else do not look for it */
    bool wants_alpha;       /* 4 channels, where the format knows what alpha is */

    int orientation; /* result: of EXIF, 1 to 8, 0 = not told; pixels are as stored */
} afn_codec_job;

typedef struct afn_codec {
    const char *name; /* begins its error messages: "jpeg" */

    /* Do these bytes begin like this format?  Looks at the signature only. */
    bool (*probe)(const uint8_t *bytes, size_t size);

    /* Called only after probe() said yes; *out is zeroed and stays so on failure.
     * Pixels come from afn_image__alloc(), once the size in the header is believable.
     * May be called by many threads at once. */
    afn_status (*decode)(afn_image *out, afn_codec_job *job);
} afn_codec;

/* One in each codec_<name>.c. */
extern const afn_codec afn_codec_jpeg, afn_codec_png, afn_codec_webp, afn_codec_gif,
    afn_codec_tiff, afn_codec_bmp, afn_codec_pnm;

/* AFN_EUNSUPPORTED for more pixels than max_pixels, AFN_EFORMAT for a side of 0; sides
 * are below 2^32. */
afn_status afn_image__check_size(int64_t max_pixels, int64_t width, int64_t height);

/* afn_fail() with the words of a codec library, made to look like ours: a first letter
 * in lower case, unless an abbreviation begins. */
afn_status afn_image__fail_as(afn_status code, const char *text);

/* Four inks of a pixel, inverted (255 = none), to RGB.
 * Source     Pillow, Convert.c cmyk2rgb */
static inline void afn_image__ink_to_rgb(uint8_t rgb[3], const uint8_t inverted[4])
{
    const int white = inverted[3];
    for (int c = 0; c < 3; c++) {
        const int t = (255 - inverted[c]) * white + 128;
        rgb[c] = (uint8_t)(white - (((t >> 8) + t) >> 8)); /* the product / 255 */
    }
}

#endif
