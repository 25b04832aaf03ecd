/* SPDX-License-Identifier: Apache-2.0 */
/* Shards.  Checksums are put right first, or nothing would get past them. */
#include "fuzz_dataset.h"

enum { BLOCK = 512, SUM_AT = 148, SUM_BYTES = 8, MAX_BYTES = 1 << 16 };

static void repair(uint8_t *header)
{
    unsigned sum = 0;
    memset(header + SUM_AT, ' ', SUM_BYTES);
    for (int i = 0; i < BLOCK; i++) sum += header[i];
    if (sum) snprintf((char *)header + SUM_AT, SUM_BYTES, "%06o", sum & 0777777);
}

/* Every block could be a header: those that say so by the magic are made one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t copy[MAX_BYTES];
    if (size > MAX_BYTES) return 0;
    memcpy(copy, data, size);
    for (size_t at = 0; at + BLOCK <= size; at += BLOCK)
        if (memcmp(copy + at + 257, "ustar", 5) == 0) repair(copy + at);
    return open_as("tar", copy, size, true);
}
