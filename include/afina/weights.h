/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of named tensors in files: PyTorch's .pth in its three formats, safetensors.
 * Reading never runs code: a pickle that asks for anything but tensors and plain data
 * is refused by name. */
#ifndef AFINA_WEIGHTS_H
#define AFINA_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "afina/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A set of named tensors, from a file or put together to be written. */
typedef struct afn_weights afn_weights;

/* One tensor of a set; borrowed, lives as long as the set. */
typedef struct afn_weight {
    const char *name; /* as PyTorch's state_dict: "layer1.0.conv1.weight" */
    afn_dtype dtype;
    afn_shape shape;
} afn_weight;

/* Open a weight file and index its tensors; values are read when first asked for.
 *
 *   out      the new set, NULL on failure; free with afn_weights_free()
 *   path     .pth, .pt, .th or .safetensors, told apart by content, not by extension
 *
 * A dictionary under `state_dict`, `model_state_dict` or `model` is unwrapped and a
 * `module.` prefix that all names share is removed; nested names are joined by dots.
 *
 * Shapes     as PyTorch stores them: a convolution weight is (out, in/groups, kh, kw)
 * Memory     the file stays mapped until the set is freed; tensors borrow from it
 * Threads    one thread opens and frees; any number may read
 * Errors     AFN_ENOTFOUND     no such file
 *            AFN_EIO           path cannot be opened or mapped
 *            AFN_EFORMAT       no known format, or damaged; the message has the offset
 *            AFN_EUNSUPPORTED  pickle needs a global outside our list; none is ever run
 *            AFN_ENOMEM
 * Source     zip layout: torch/serialization.py, PyTorch 1.6 and later */
AFN_API afn_status afn_weights_open(afn_weights **out, const char *path);

/* The same from bytes in memory, which must live as long as the set. */
AFN_API afn_status afn_weights_open_memory(afn_weights **out, const void *bytes,
                                           size_t size);
AFN_API void afn_weights_free(afn_weights *w);

/* "torch-zip", "torch-legacy", "torch-tar", "safetensors", or "memory" for a new set.
 */
AFN_API const char *afn_weights_format(const afn_weights *w);

/* Tensors in the file's order. */
AFN_API size_t afn_weights_count(const afn_weights *w);
AFN_API const afn_weight *afn_weights_get(const afn_weights *w, size_t i);
AFN_API const afn_weight *afn_weights_find(const afn_weights *w, const char *name);

/* Values of a tensor of this set, contiguous, row-major.
 *   out      room for the shape's count, checked against n
 * Errors     AFN_ESHAPE where n is not the count, AFN_EUNSUPPORTED for complex values
 */
AFN_API afn_status afn_weights_read_f32(const afn_weights *w, const afn_weight *t,
                                        float *out, size_t n);
AFN_API afn_status afn_weights_read_i64(const afn_weights *w, const afn_weight *t,
                                        int64_t *out, size_t n);
/* In the tensor's own type; bytes is checked. */
AFN_API afn_status afn_weights_read_raw(const afn_weights *w, const afn_weight *t,
                                        void *out, size_t bytes);

/* Text stored beside the tensors (safetensors __metadata__; in our .pth the zip entry
 * extra/metadata.json, which torch.load ignores).  NULL where there is none. */
AFN_API const char *afn_weights_metadata(const afn_weights *w, const char *key);
AFN_API size_t afn_weights_metadata_count(const afn_weights *w);
AFN_API const char *afn_weights_metadata_key(const afn_weights *w, size_t i);

/* An empty set to be filled and saved. */
AFN_API afn_status afn_weights_new(afn_weights **out);

/* Add a tensor; name and values are copied.
 * Errors     AFN_EINVAL where the name is taken, AFN_ENOMEM */
AFN_API afn_status afn_weights_add(afn_weights *w, const char *name, afn_dtype dtype,
                                   const afn_shape *shape, const void *values);
AFN_API afn_status afn_weights_set_metadata(afn_weights *w, const char *key,
                                            const char *value);

/* Write the whole set; the file appears complete or not at all.  .safetensors writes
 * safetensors, .pth .pt .th the zip format that torch.load(weights_only=True) reads.
 * Errors     AFN_EINVAL for another extension, AFN_EIO */
AFN_API afn_status afn_weights_save(const afn_weights *w, const char *path);

#ifdef __cplusplus
}
#endif
#endif
