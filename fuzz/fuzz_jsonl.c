/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests as JSON lines. */
#include "fuzz_dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return open_as("jsonl", data, size, false);
}
