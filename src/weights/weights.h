/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/weights.  Nearly all is public: see afina/weights.h.  Hides where
 * weights came from. */
#ifndef AFN_WEIGHTS_H
#define AFN_WEIGHTS_H

#include "afina/weights.h"
#include "tensor/tensor.h"

/* afn_weights_add() without a copy: values are the caller's and outlive the set. */
afn_status afn_weights__borrow(afn_weights *w, const char *name, afn_dtype dtype,
                               const afn_shape *shape, const void *values);

/* Add a tensor of another set under a name of its own; that set must outlive this one.
 *   shape    as many values as the tensor has */
afn_status afn_weights__share(afn_weights *w, const char *name, const afn_weight *t,
                              const afn_shape *shape);

/* Key of metadata: the number that a state dict's _metadata gives as the version of the
 * whole network; written into a .pth only where it is set. */
#define AFN_TORCH_VERSION_KEY "torch.version"

/* afn_weights_save() in this format, whatever the extension is. */
afn_status afn_weights__save_as(const afn_weights *w, const char *path,
                                const char *name);

#endif
