/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/image: changes to the pixels of a picture, each with the arithmetic of
 * Pillow 9.4, so that augmentation sees what torchvision's does.  Sizes stay.
 *
 *   pixel_flip.c    mirrored
 *   pixel_blend.c   between a picture and a poorer one: brightness, contrast,
 * saturation, sharpness pixel_hue.c     through HSV with 8 bits each pixel_tone.c the
 * same table for every pixel: posterize, solarize, autocontrast, equalize
 *   pixel_affine.c  where a pixel comes from: rotation, shear, translation
 *   pixel_blur.c    Gaussian blur, the only one that Pillow is not the measure of */
#ifndef AFN_IMAGE_PIXELS_H
#define AFN_IMAGE_PIXELS_H

#include "image/image.h"

/* ---- in place ---- */

void afn_pixels__flip_horizontal(afn_image *image);
void afn_pixels__flip_vertical(afn_image *image);

/* ImageEnhance: 1 changes nothing, 0 gives black, gray of the mean brightness, or gray
 * pixels; beyond 1 more than there was. */
void afn_pixels__brightness(afn_image *image, double factor);
void afn_pixels__contrast(afn_image *image, double factor);
void afn_pixels__saturation(afn_image *image, double factor);

/* convert("L"), three times. */
void afn_pixels__grayscale(afn_image *image);

/* torchvision's adjust_hue(): turn by this part of the circle, -0.5 to 0.5. */
void afn_pixels__hue(afn_image *image, double turn);

/* ImageOps of these names. */
void afn_pixels__posterize(afn_image *image, int bits); /* kept of each value, 0 to 8 */
void afn_pixels__solarize(afn_image *image, double threshold); /* inverts from there */
void afn_pixels__autocontrast(afn_image *image);
void afn_pixels__equalize(afn_image *image);

/* ---- from one picture to another of the same size ---- */

/* ImageEnhance.Sharpness.
 *   out      (height, width, 3), filled */
void afn_pixels__sharpness(uint8_t *out, const afn_image *in, double factor);

/* What a pixel (x, y) of a result is taken from: (m[0] x + m[1] y + m[2],
 * m[3] x + m[4] y + m[5]), both at the centres of pixels. */
typedef struct afn_affine {
    double m[6];
} afn_affine;

/* Image.transform(size, AFFINE, m, resample), black where there is no source.
 *   smooth   bilinear instead of nearest */
void afn_pixels__transform(uint8_t *out, const afn_image *in, const afn_affine *a,
                           bool smooth);

/* Image.rotate(degrees, resample): counter-clockwise about the centre. */
void afn_pixels__rotate(uint8_t *out, const afn_image *in, double degrees, bool smooth);

/* torchvision's affine() without rotation or scale: shears (degrees) about the corner
 * (0, 0), and moves (whole pixels). */
void afn_pixels__shear(uint8_t *out, const afn_image *in, double x_degrees,
                       double y_degrees);
void afn_pixels__translate(uint8_t *out, const afn_image *in, int64_t x, int64_t y);

/* torchvision's gaussian_blur(): `size` taps each way (odd), borders reflected.
 * Errors     AFN_ENOMEM */
afn_status afn_pixels__blur(uint8_t *out, const afn_image *in, int size, double sigma);

#endif
