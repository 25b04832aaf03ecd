/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes that begin like a PBM, PGM or PPM, through the decoder. */
#include "fuzz_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bool named = size >= 2 && data[0] == 'P';
    return decode_as(named ? "P" : "P6 ", named ? 1 : 3, data, size);
}
