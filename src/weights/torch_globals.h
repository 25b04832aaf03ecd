/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/weights only: what the globals of a PyTorch pickle mean to us. */
#ifndef AFN_WEIGHTS_TORCH_GLOBALS_H
#define AFN_WEIGHTS_TORCH_GLOBALS_H

enum {
    TORCH_PLAIN,             /* nothing: opaque data */
    TORCH_REBUILD_TENSOR,    /* (storage, offset, size, stride, ...) */
    TORCH_REBUILD_TENSOR_V3, /* the same, and (..., requires_grad, hooks, dtype) */
    TORCH_WRAP_FIRST,        /* (tensor, ...): the tensor */
    TORCH_REBUILD_TYPE, /* (function, type, arguments, state): function(arguments) */
    TORCH_PARAMETER,    /* (tensor, ...) or () with the tensor first in the state */
    TORCH_SIZE,         /* ((d0, d1, ...),): a tuple of sizes */
    TORCH_UNTYPED_STORAGE,
    TORCH_STORAGE = 100, /* + afn_dtype: a storage class */
    TORCH_DTYPE = 200    /* + afn_dtype: an element type */
};

#endif
