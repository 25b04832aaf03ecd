/* SPDX-License-Identifier: Apache-2.0 */
/* Layout: 0, 0, type of the elements, number of dimensions n; n sizes u32be; elements.
 * Source     http://yann.lecun.com/exdb/mnist/ ("the IDX file format") */
#include "io/idx.h"

enum { UNSIGNED_BYTE = 0x08, HEADER = 4 };

static bool is_type(int type)
{
    return type == UNSIGNED_BYTE || type == 0x09 || (type >= 0x0b && type <= 0x0e);
}

afn_status afn_idx_parse(afn_idx *out, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    *out = (afn_idx){ .size = 1 };
    if (n < HEADER || p[0] || p[1] || !is_type(p[2]))
        return afn_fail(AFN_EFORMAT, "not an IDX file");
    if (p[2] != UNSIGNED_BYTE)
        return afn_fail(AFN_EUNSUPPORTED, "elements of type 0x%02x, need bytes (0x08)",
                        p[2]);
    if (p[3] < 1 || p[3] > AFN_IDX_DIMS)
        return afn_fail(AFN_EUNSUPPORTED, "%d dimensions, need 1 to %d", p[3],
                        (int)AFN_IDX_DIMS);
    const size_t header = HEADER + 4 * (size_t)p[3];
    if (n < header) return afn_fail(AFN_EFORMAT, "cut off in its header");
    out->n_dims = p[3];
    for (int i = 0; i < AFN_IDX_DIMS; i++) {
        const uint8_t *d = p + HEADER + 4 * i;
        out->dim[i] = 1;
        if (i < out->n_dims)
            out->dim[i] = (int64_t)d[0] << 24 | d[1] << 16 | d[2] << 8 | d[3];
        if (!afn_mul_size(&out->size, out->size, (size_t)out->dim[i]))
            out->size = SIZE_MAX; /* no file has that many */
    }
    if (out->size > n - header)
        return afn_fail(AFN_EFORMAT, "cut off: %zu bytes are too few for its shape", n);
    out->data = p + header;
    return AFN_OK;
}
