/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors: header and tensors. */
#include "fuzz_weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return open_and_read(data, size);
}
