/* SPDX-License-Identifier: Apache-2.0 */
/* The one thing that is taken from a camera's metadata: which way is up. */
#ifndef AFN_IMAGE_EXIF_H
#define AFN_IMAGE_EXIF_H

#include "image/image.h"

/* Orientation in a block of EXIF, with or without "Exif\0\0" in front: 1 to 8, or 0
 * where there is none that makes sense.  Nothing else in the block matters, so nothing
 * else can be wrong with it. */
int afn_image__exif_orientation(const uint8_t *exif, size_t size);

/* Turn a picture whose stored form has this orientation upright; below 2 and above 8
 * there is nothing to do.
 * Errors     AFN_ENOMEM, the picture is as it was */
afn_status afn_image__turn(afn_image *image, int orientation);

#endif
