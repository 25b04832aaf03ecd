/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes that begin like a BMP, through the decoder. */
#include "fuzz_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return decode_as("BM", 2, data, size);
}
