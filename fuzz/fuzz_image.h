/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes bytes as a picture, whatever format they claim to be; slow sizes are refused.
 */
#ifndef AFN_FUZZ_IMAGE_H
#define AFN_FUZZ_IMAGE_H

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "image/image.h"

enum { MAX_BYTES = 1 << 16, MAX_FUZZ_PIXELS = 1 << 18 };

static inline void decode_any(const uint8_t *data, size_t size)
{
    afn_image image;
    afn_decode_opts opts = afn_decode_defaults();
    opts.max_pixels = MAX_FUZZ_PIXELS;
    const afn_status st = afn_image_decode(&image, data, size, &opts);
    if ((st == AFN_OK) != (image.pixels != NULL)) abort();
    if (st == AFN_OK && image.width * image.height > MAX_FUZZ_PIXELS) abort();
    uint8_t sum = 0; /* every pixel was written: a sanitizer of memory would tell */
    for (int64_t i = 0; i < 3 * image.width * image.height; i++) sum ^= image.pixels[i];
    volatile uint8_t keep = sum;
    (void)keep;
    afn_image_free(&image);
}

/* The same with these bytes in front, unless data begins with them: most inputs would
 * be no picture at all otherwise. */
static inline int decode_as(const char *magic, size_t n, const uint8_t *data,
                            size_t size)
{
    if (size > MAX_BYTES) return 0;
    const bool begins = size >= n && memcmp(data, magic, n) == 0;
    const size_t front = begins ? 0 : n;
    uint8_t *p = malloc(front + size + !(front + size)); /* of the exact size */
    if (!p) return 0;
    memcpy(p, magic, front);
    if (size) memcpy(p + front, data, size);
    decode_any(p, front + size);
    free(p);
    return 0;
}

#endif
