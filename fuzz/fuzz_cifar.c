/* SPDX-License-Identifier: Apache-2.0 */
/* CIFAR's records: the first byte chooses the kind, the last record is filled up. */
#include "fuzz_dataset.h"

enum { MAX_BYTES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t copy[2 * MAX_BYTES];
    if (size < 2 || size > MAX_BYTES) return 0;
    const bool fine = data[0] & 1, whole = data[0] & 2;
    const size_t record = fine ? 3074 : 3073, n = size - 1;
    memset(copy, 0, sizeof copy);
    memcpy(copy, data + 1, n);
    return open_as(fine ? "cifar100" : "cifar10", copy,
                   whole ? n : (n + record - 1) / record * record, true);
}
