/* SPDX-License-Identifier: Apache-2.0 */
/* IDX, the format of MNIST's files: an array of bytes with its shape. */
#ifndef AFN_IO_IDX_H
#define AFN_IO_IDX_H

#include "base/base.h"

enum { AFN_IDX_DIMS = 4 };

typedef struct afn_idx {
    int n_dims;
    int64_t dim[AFN_IDX_DIMS]; /* 1 beyond n_dims */
    const uint8_t *data;       /* row-major; borrowed from what was parsed */
    size_t size;               /* the product of dim */
} afn_idx;

/* Errors     AFN_EFORMAT not such a file, or cut off; AFN_EUNSUPPORTED for elements
 *            other than bytes */
afn_status afn_idx_parse(afn_idx *out, const void *bytes, size_t n);

#endif
