/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes that begin like a PNG, through the decoder.  Checksums in front of the
 * pixels are put right first, or nothing would get past them. */
#include "fuzz_image.h"

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

/* Correct the checksums up to the pixels. */
static void repair(uint8_t *p, size_t size)
{
    for (size_t at = 8; size - at >= 12;) {
        const size_t length = u32be(p + at);
        if (length > size - at - 12) return;
        if (memcmp(p + at + 4, "IDAT", 4) == 0) return;
        const uint32_t crc = crc32_of(p + at + 4, length + 4);
        for (int i = 0; i < 4; i++)
            p[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t magic[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 26, '\n' };
    if (size > MAX_BYTES) return 0;
    const size_t skip = size >= 8 && memcmp(data, magic, 8) == 0 ? 8 : 0;
    const size_t n = size - skip + 8;
    uint8_t *p = afn_alloc(n); /* of the exact size, so that reading past it is seen */
    if (!p) return 0;
    memcpy(p, magic, 8);
    if (n > 8) memcpy(p + 8, data + skip, n - 8);
    repair(p, n);
    decode_any(p, n);
    afn_free(p);
    return 0;
}
