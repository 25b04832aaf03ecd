/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes that begin like a GIF, through the decoder. */
#include "fuzz_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return decode_as("GIF89a", 6, data, size);
}
