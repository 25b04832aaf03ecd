/* SPDX-License-Identifier: Apache-2.0 */
/* IDX files, and gzip around them. */
#include <stdlib.h>

#include "fuzz.h"
#include "io/io.h"

enum { MOST_BYTES = 1 << 20 };

static void parse(const uint8_t *data, size_t size)
{
    afn_idx a;
    unsigned sum = 0;
    if (afn_idx_parse(&a, data, size) != AFN_OK) return;
    if (a.size > size || a.n_dims < 1 || a.n_dims > AFN_IDX_DIMS) abort();
    for (size_t i = 0; i < a.size; i++) sum += a.data[i];
    if (sum == 0xffffffff) abort(); /* the sum is used */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *out;
    size_t n;
    if (!afn_is_gzip(data, size)) {
        parse(data, size);
        return 0;
    }
    const afn_status st = afn_gunzip(&out, &n, data, size, MOST_BYTES);
    if ((st == AFN_OK) != (out != NULL) || n > MOST_BYTES) abort();
    if (out) parse(out, n);
    afn_free(out);
    return 0;
}
