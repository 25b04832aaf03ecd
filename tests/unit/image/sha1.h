/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-1 for tests that compare with published digests: plain and slow, FIPS 180-4. */
#ifndef AFN_TEST_SHA1_H
#define AFN_TEST_SHA1_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static inline uint32_t sha1_rotate(uint32_t v, int by)
{
    return v << by | v >> (32 - by);
}

static inline void sha1_block(uint32_t h[5], const uint8_t block[64])
{
    uint32_t w[80], s[5];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = sha1_rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 80; i++) {
        static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
        const uint32_t choose = (s[1] & s[2]) | (~s[1] & s[3]);
        const uint32_t majority = (s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3]);
        const uint32_t parity = s[1] ^ s[2] ^ s[3];
        const uint32_t f = i < 20 ? choose : i / 20 == 2 ? majority : parity;
        const uint32_t t = sha1_rotate(s[0], 5) + f + s[4] + k[i / 20] + w[i];
        s[4] = s[3];
        s[3] = s[2];
        s[2] = sha1_rotate(s[1], 30);
        s[1] = s[0];
        s[0] = t;
    }
    for (int i = 0; i < 5; i++) h[i] += s[i];
}

/* The digest in hexadecimal, 40 characters and a 0. */
static inline void sha1_hex(char out[41], const uint8_t *p, size_t n)
{
    uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    uint8_t tail[128] = { 0 };
    size_t at = 0;
    for (; n - at >= 64; at += 64) sha1_block(h, p + at);
    const size_t rest = n - at, blocks = rest < 56 ? 1 : 2;
    if (rest) memcpy(tail, p + at, rest);
    tail[rest] = 0x80;
    for (int i = 0; i < 8; i++)
        tail[64 * blocks - 1 - (size_t)i] = (uint8_t)((uint64_t)n * 8 >> (8 * i));
    for (size_t i = 0; i < blocks; i++) sha1_block(h, tail + 64 * i);
    for (int i = 0; i < 5; i++) snprintf(out + 8 * i, 9, "%08x", (unsigned)h[i]);
}

#endif
