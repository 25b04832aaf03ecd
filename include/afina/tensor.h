/* SPDX-License-Identifier: Apache-2.0 */
/* Element types and shapes, as PyTorch names and orders them. */
#ifndef AFINA_TENSOR_H
#define AFINA_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum afn_dtype {
    AFN_F32,
    AFN_F16,
    AFN_BF16,
    AFN_F64,
    AFN_I64,
    AFN_I32,
    AFN_I16,
    AFN_I8,
    AFN_U8,
    AFN_BOOL,
    AFN_C64,  /* complex, two floats; listed and copied, never converted */
    AFN_C128, /* complex, two doubles */
    AFN_N_DTYPES
} afn_dtype;

enum { AFN_MAX_RANK = 8 };

/* Dimensions, slowest first: (N,C,H,W), (out,in/groups,kh,kw), (out,in).  rank 0 is a
 * scalar.  A dimension of 0 is legal and means no elements. */
typedef struct afn_shape {
    int rank;
    int64_t dim[AFN_MAX_RANK];
} afn_shape;

/* PyTorch's name: "float32", "bfloat16", ... */
AFN_API const char *afn_dtype_name(afn_dtype t);

/* Size of one element. */
AFN_API size_t afn_dtype_bytes(afn_dtype t);

/* Number of elements; -1 where a dimension is negative or the product overflows. */
AFN_API int64_t afn_shape_count(const afn_shape *s);

AFN_API int afn_shape_equal(const afn_shape *a, const afn_shape *b);

/* Write "(64,3,7,7)" into buf, cut to fit and always terminated; returns buf. */
AFN_API char *afn_shape_text(const afn_shape *s, char *buf, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
