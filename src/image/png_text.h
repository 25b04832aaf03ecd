/* SPDX-License-Identifier: Apache-2.0 */
/* EXIF in the text of a PNG, where programs put it before there was a chunk for it. */
#ifndef AFN_IMAGE_PNG_TEXT_H
#define AFN_IMAGE_PNG_TEXT_H

#include "image/image.h"

/* Orientation in the data of a tEXt or (deflated) zTXt chunk, if it is a raw EXIF
 * profile; otherwise `before`, what is known so far.  Damage is no error: the answer is
 * `before`. */
int afn_image__png_text_orientation(int before, const uint8_t *data, size_t size,
                                    bool deflated);

#endif
