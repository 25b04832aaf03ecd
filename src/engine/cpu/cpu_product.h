/* SPDX-License-Identifier: Apache-2.0 */
/* What convolution and linear layers share: oneDNN products forward and backward, the
 * weights' layouts between them, a folded batch norm. */
#ifndef AFN_CPU_PRODUCT_H
#define AFN_CPU_PRODUCT_H

#include "engine/cpu/cpu.h"

/* Prepares the step of p as a product.
 *   weights  dimensions as oneDNN sees them: (oc, ic, kh, kw), grouped (g, oc/g, ic/g,
 *            kh, kw), linear (out, in); order DNN_ANY or DNN_PLAIN; owned by the caller
 *   conv     NULL for a linear layer */
afn_status cpu_product_prepare(const afn_prepare *p, const dnn_md *weights,
                               const afn_conv_attr *conv, afn_kernel *k);
afn_status cpu_product_forward(void *state, const afn_args *a);
afn_status cpu_product_backward(void *state, const afn_args *a);
afn_status cpu_product_load(void *state, const afn_params *params);
void cpu_product_free(void *state);

#endif
