/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures as 8-bit RGB, with alpha where it is asked for, and the steps from a picture
 * to a network's input, with the same pixels as torchvision on Pillow. */
#ifndef AFINA_IMAGE_H
#define AFINA_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pixels, rows from the top. */
typedef struct afn_image {
    int64_t width, height;
    uint8_t *pixels; /* (height, width, channels), owned; free with afn_image_free() */
    int channels;    /* 3 = RGB, 4 = RGB and alpha, which is not multiplied into the
                      * colours; 0 = 3 */
} afn_image;

/* Its channels, 3 or 4. */
AFN_API int afn_image_channels(const afn_image *image);

/* How to decode. */
typedef struct afn_decode_opts {
    bool exif; /* turn the picture as its EXIF orientation says, default true; false: as
                * stored, which is what torchvision's loader gives */
    int64_t max_pixels; /* refuse larger pictures, before memory is taken; default (and
                         * 0) 178,956,970, where Pillow raises DecompressionBombError;
                         * nothing over 2^28 is decoded */
    int64_t min_side; /* above 0: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size,
                       * which is several times faster and approximate: the smallest
                       * whose shorter side keeps at least so many pixels, as Pillow's
                       * draft() does; default 0: all pixels */
    int channels;     /* 3 (default, and 0) = RGB; 4 = RGB and alpha */
} afn_decode_opts;
AFN_API afn_decode_opts afn_decode_defaults(void);

/* Decode a picture to RGB as Pillow's convert("RGB") does: gray is widened, alpha
 * dropped, palettes and CMYK resolved; or, where 4 channels are asked for, as
 * convert("RGBA") does: alpha is 255 where the picture has none, or is of a format
 * whose alpha is not read.  Formats are told apart by content.
 *
 *   opts     NULL means defaults
 * Memory     *out owns its pixels; zeroed on failure
 * Threads    any number may decode at once
 * Errors     AFN_EFORMAT       not a picture, truncated or damaged: where Pillow raises
 *            AFN_EUNSUPPORTED  a picture of a kind not built in, or over max_pixels
 *            AFN_ENOMEM */
AFN_API afn_status afn_image_decode(afn_image *out, const void *bytes, size_t size,
                                    const afn_decode_opts *opts);

/* The same from a file; messages begin with the path. */
AFN_API afn_status afn_image_read(afn_image *out, const char *path,
                                  const afn_decode_opts *opts);
AFN_API void afn_image_free(afn_image *image); /* a zeroed image is a no-op */

/* Write a picture as a JPEG of good quality, without its alpha; the file appears whole
 * or not at all.
 * Errors     AFN_EINVAL for a picture without pixels, AFN_ENOTFOUND, AFN_EIO,
 *            AFN_ENOMEM */
AFN_API afn_status afn_image_write_jpeg(const afn_image *image, const char *path);

/* What a picture's header says, without decoding it. */
typedef struct afn_image_info {
    const char *format;    /* "jpeg", "png", "webp", "gif", "tiff", "bmp" or "pnm";
                            * NULL where the header is not understood */
    int64_t width, height; /* as stored: before the orientation is applied */
    int bits;              /* of a value: 8, 16, ... */
    bool gray, alpha, cmyk;
    int orientation; /* EXIF: 1 = upright, 2 to 8 = mirrored or turned */
} afn_image_info;

/* Of a picture that can be decoded; of any other, what could be understood.  Formats
 * that it does not know leave *out zeroed. */
AFN_API void afn_image_describe(afn_image_info *out, const void *bytes, size_t size);

/* The format that bytes begin like: "jpeg", "png", "HEIC", ..., also where this build
 * cannot read it; NULL = no picture.
 *   size     the first 16 bytes of a file are enough */
AFN_API const char *afn_image_format(const void *bytes, size_t size);

typedef enum afn_filter {
    AFN_FILTER_BILINEAR, /* torchvision's default */
    AFN_FILTER_BICUBIC,
    AFN_FILTER_NEAREST,
    AFN_FILTER_BOX,
    AFN_FILTER_HAMMING,
    AFN_FILTER_LANCZOS,
    AFN_N_FILTERS
} afn_filter;

/* Pillow's name in lower case: "bilinear". */
AFN_API const char *afn_filter_name(afn_filter f);
/* AFN_EINVAL for an unknown name. */
AFN_API afn_status afn_filter_parse(afn_filter *out, const char *name);

/* Pillow's Image.resize((width, height), filter), bit for bit, of RGB and of RGBA: but
 * for nearest, alpha is multiplied into the colours before and divided out after.
 * Errors     AFN_EINVAL for a side below 1 or a picture over 2^28 pixels, AFN_ENOMEM */
AFN_API afn_status afn_image_resize(afn_image *out, const afn_image *in, int64_t width,
                                    int64_t height, afn_filter filter);

/* torchvision's CenterCrop((height, width)): rounds half to even, pads with black where
 * the picture is smaller.
 * Errors     AFN_EINVAL for a side below 1 or over 2^28 pixels, AFN_ENOMEM */
AFN_API afn_status afn_image_center_crop(afn_image *out, const afn_image *in,
                                         int64_t width, int64_t height);

/* How a picture of any shape becomes a square. */
typedef enum afn_fit_mode {
    AFN_FIT_CROP,      /* "crop": torchvision's Resize(resize), CenterCrop(crop) */
    AFN_FIT_SQUASH,    /* "squash": all of it, proportions lost: Resize((crop, crop)) */
    AFN_FIT_LETTERBOX, /* "letterbox": all of it in proportion, the longer side as long
                        * as the square, centred on black: Pillow's ImageOps.pad() */
    AFN_FIT_PAD,       /* "pad": the same, but what is smaller is not enlarged */
    AFN_N_FITS
} afn_fit_mode;

AFN_API const char *afn_fit_mode_name(afn_fit_mode f);
/* AFN_EINVAL for an unknown name. */
AFN_API afn_status afn_fit_mode_parse(afn_fit_mode *out, const char *name);

/* Most channels of a network's input. */
enum { AFN_MAX_CHANNELS = 16 };

/* From a picture to a network's input; stored in every model file. */
typedef struct afn_preprocess {
    afn_fit_mode fit;
    int resize;        /* shorter side after Resize, up to 65536; 0 = no resize; only of
                        * AFN_FIT_CROP */
    int crop;          /* side of the square that comes out, 1 to 16384 */
    afn_filter filter; /* of the resize */
    int channels;      /* of what comes out: 3 = RGB, 1 = gray as Pillow's convert("L")
                        * makes it, 4 = RGB and alpha; others are made by programs
                        * alone; 0 = 3 */
    float mean[AFN_MAX_CHANNELS]; /* [channels], of values in [0, 1]; 0 = none */
    float std[AFN_MAX_CHANNELS];  /* likewise; 1 = none */
    bool exif;                    /* see afn_decode_opts */
    bool fast; /* decode large JPEGs approximately, to what the resize needs; see
                * min_side */
} afn_preprocess;

/* ImageNet's: fit crop, resize 256, crop 224, bilinear, torchvision's mean and std;
 * pictures are turned as their EXIF orientation says. */
AFN_API afn_preprocess afn_preprocess_imagenet(void);

/* Its channels, and the bytes of a picture that went through it. */
AFN_API int afn_preprocess_channels(const afn_preprocess *p);
AFN_API size_t afn_preprocess_bytes(const afn_preprocess *p);

/* How pictures are to be decoded that go through p. */
AFN_API afn_decode_opts afn_preprocess_decoding(const afn_preprocess *p);

/* Resize and crop, without the floating-point part: the plan's first step normalises.
 * Only pixels that survive the crop are computed.
 *   out      (crop, crop, channels), filled
 * Threads    any number at once
 * Errors     AFN_EINVAL for sides out of range, AFN_EUNSUPPORTED for channels that
 *            pictures have not, AFN_ENOMEM */
AFN_API afn_status afn_preprocess_apply(const afn_preprocess *p, const afn_image *in,
                                        uint8_t *out);

#ifdef __cplusplus
}
#endif
#endif
