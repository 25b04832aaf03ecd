/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests as comma-separated values. */
#include "fuzz_dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return open_as("csv", data, size, false);
}
