/* SPDX-License-Identifier: Apache-2.0 */
/* What a server says of the part it sends. */
#include <stdint.h>
#include <string.h>

#include "fetch/fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256];
    int64_t first, total;
    if (size >= sizeof text) return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (afn_fetch__content_range(text, &first, &total))
        assert(first >= 0 && (total == -1 || first < total));
    return 0;
}
