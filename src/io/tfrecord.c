/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tfrecord.h"

enum { HEAD = 12, TAIL = 4 }; /* bytes around those of a record */

uint32_t afn_crc32c(const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= b[i];
        for (int bit = 0; bit < 8; bit++) /* the polynomial with its bits reversed */
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

/* Turned and shifted, so that the check of text that contains checks is a good one. */
static uint32_t masked(const void *bytes, size_t n)
{
    const uint32_t crc = afn_crc32c(bytes, n);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_le(uint8_t *to, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get_le(const uint8_t *from, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++) v |= (uint64_t)from[i] << 8 * i;
    return v;
}

void afn_tfrecord_add(afn_buf *file, const void *bytes, size_t n)
{
    uint8_t head[HEAD], tail[TAIL];
    put_le(head, n, 8);
    put_le(head + 8, masked(head, 8), 4);
    put_le(tail, masked(bytes, n), TAIL);
    afn_buf_add(file, head, HEAD);
    afn_buf_add(file, bytes, n);
    afn_buf_add(file, tail, TAIL);
}

size_t afn_tfrecord_whole(const void *file, size_t n)
{
    const uint8_t *b = file;
    size_t at = 0;
    while (n - at >= HEAD + TAIL) {
        const uint8_t *data = b + at + HEAD;
        const uint64_t length = get_le(b + at, 8);
        if (get_le(b + at + 8, 4) != masked(b + at, 8) ||
            length > n - at - HEAD - TAIL ||
            get_le(data + length, TAIL) != masked(data, (size_t)length))
            break;
        at += HEAD + (size_t)length + TAIL;
    }
    return at;
}
