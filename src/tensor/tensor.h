/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/tensor: types, shapes, strided views and conversion to fp32.
 * Hides strides: readers of a view ask for contiguous values. */
#ifndef AFN_TENSOR_H
#define AFN_TENSOR_H

#include <stdbool.h>

#include "afina/tensor.h"
#include "base/base.h"

#define AFN_SHAPE(...)                                                                 \
    ((afn_shape){ .rank = (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), \
                  .dim = { __VA_ARGS__ } })

/* Borrowed values with strides in elements, as PyTorch's (storage, offset, stride);
 * data points at element (0, ..., 0).  Little-endian, any alignment. */
typedef struct afn_view {
    const void *data;
    afn_dtype dtype;
    afn_shape shape;
    int64_t stride[AFN_MAX_RANK];
} afn_view;

/* Fill strides for contiguous values of this shape. */
void afn_view_contiguous(afn_view *v);
bool afn_view_is_contiguous(const afn_view *v);

/* Does every element lie within `count` elements that start `offset` elements before
 * data?  Checks overflow; false for a negative stride. */
bool afn_view_fits(const afn_view *v, int64_t offset, int64_t count);

/* Copy to contiguous fp32 / int64 / bytes of its own type.  out holds the view's count.
 * Errors     AFN_EUNSUPPORTED for a complex view */
afn_status afn_view_read_f32(const afn_view *v, float *out);
afn_status afn_view_read_i64(const afn_view *v, int64_t *out);
void afn_view_read_raw(const afn_view *v, void *out);

/* Scalar conversions, round to nearest even. */
float afn_f16_to_f32(uint16_t h);
uint16_t afn_f32_to_f16(float f);
float afn_bf16_to_f32(uint16_t h);
uint16_t afn_f32_to_bf16(float f);

#endif
