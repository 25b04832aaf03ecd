/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes that begin like a TIFF of either byte order, through the decoder. */
#include "fuzz_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bool big = size && data[0] == 'M';
    return decode_as(big ? "MM\0*" : "II*", 4, data, size);
}
