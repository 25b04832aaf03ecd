/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes that begin like a PNG, through the decoder.  Checksums in front of the
 * pixels are put right first, or nothing would get past them; slow sizes are left out.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "image/image.h"

enum { MAX_BYTES = 1 << 16, MAX_FUZZ_PIXELS = 1 << 18 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* Correct the checksums up to the pixels; false for a picture too large to try. */
static bool repair(uint8_t *p, size_t size)
{
    for (size_t at = 8; size - at >= 12;) {
        const size_t length = u32be(p + at);
        if (length > size - at - 12) return true;
        if (memcmp(p + at + 4, "IHDR", 4) == 0 && length >= 8) {
            const uint64_t width = u32be(p + at + 8), height = u32be(p + at + 12);
            if (width && height > MAX_FUZZ_PIXELS / width) return false;
        }
        if (memcmp(p + at + 4, "IDAT", 4) == 0) return true;
        const uint32_t crc = crc32_of(p + at + 4, length + 4);
        for (int i = 0; i < 4; i++)
            p[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + length;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t magic[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 26, '\n' };
    afn_image image;
    if (size > MAX_BYTES) return 0;
    const size_t skip = size >= 8 && memcmp(data, magic, 8) == 0 ? 8 : 0;
    const size_t n = size - skip + 8;
    uint8_t *p = afn_alloc(n); /* of the exact size, so that reading past it is seen */
    if (!p) return 0;
    memcpy(p, magic, 8);
    if (n > 8) memcpy(p + 8, data + skip, n - 8);
    if (repair(p, n)) {
        (void)afn_image_decode(&image, p, n, NULL);
        afn_image_free(&image);
    }
    afn_free(p);
    return 0;
}
