/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes that begin like a JPEG, through the decoder; slow sizes are left out. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "image/image.h"

enum { MAX_BYTES = 1 << 16, MAX_FUZZ_PIXELS = 1 << 18 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Does a frame header of these bytes claim more pixels than are worth the time? */
static int is_large(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i + 8 < size; i++) {
        if (p[i] != 0xff || p[i + 1] < 0xc0 || p[i + 1] > 0xcf) continue;
        const int64_t height = p[i + 5] << 8 | p[i + 6],
                      width = p[i + 7] << 8 | p[i + 8];
        if (width * height > MAX_FUZZ_PIXELS) return 1;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t magic[3] = { 0xff, 0xd8, 0xff };
    afn_image image;
    if (size > MAX_BYTES || is_large(data, size)) return 0;
    if (size >= 3 && memcmp(data, magic, 3) == 0) {
        (void)afn_image_decode(&image, data, size, NULL);
        afn_image_free(&image);
        return 0;
    }
    /* A copy of the exact size, so that reading past the end is seen. */
    uint8_t *p = afn_alloc(size + 3);
    if (!p) return 0;
    memcpy(p, magic, 3);
    if (size) memcpy(p + 3, data, size);
    (void)afn_image_decode(&image, p, size + 3, NULL);
    afn_image_free(&image);
    afn_free(p);
    return 0;
}
