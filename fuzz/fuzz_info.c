/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of pictures, read without their codecs. */
#include <stdlib.h>

#include "fuzz.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    afn_image_info info;
    afn_image_describe(&info, data, size);
    if (info.format && (info.orientation < 1 || info.orientation > 8)) abort();
    return 0;
}
