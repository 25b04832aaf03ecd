/* SPDX-License-Identifier: Apache-2.0 */
/* The legacy stream and the tar file of older PyTorch. */
#include "fuzz_weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return open_and_read(data, size);
}
