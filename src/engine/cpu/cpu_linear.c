/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layer: a product without a window.  Trained weights stay row-major: the three
 * products of a step then share one layout, and VGG's 400 MB are never reordered. */
#include "engine/cpu/cpu_product.h"

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    const int64_t dim[] = { p->step->out_shape.dim[0], p->step->in_shape[0].dim[0] };
    dnn_md *weights = NULL;
    afn_status st =
        dnn_md_new(&weights, 2, dim, p->step->train ? DNN_PLAIN : DNN_ANY, DNN_F32);
    if (st == AFN_OK) st = cpu_product_prepare(p, weights, NULL, k);
    dnn_md_free(weights);
    return st;
}

const afn_kernel_ops cpu_linear_ops = {
    .whole = true,
    .prepare = prepare,
    .forward = cpu_product_forward,
    .backward = cpu_product_backward,
    .free = cpu_product_free,
    .load = cpu_product_load,
};
