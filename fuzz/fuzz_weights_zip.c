/* SPDX-License-Identifier: Apache-2.0 */
/* The zip .pth: container, pickle and tensors. */
#include "fuzz_weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return open_and_read(data, size);
}
