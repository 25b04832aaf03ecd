/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution: a product with a window. */
#include "engine/cpu/cpu_product.h"

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    const afn_conv_attr *c = &p->step->node->attr.conv;
    const int64_t ic = p->step->in_shape[0].dim[0];
    const int64_t grouped[] = { c->groups, c->oc / c->groups, ic / c->groups, c->kh,
                                c->kw };
    const int64_t dense[] = { c->oc, ic, c->kh, c->kw };
    dnn_md *weights = NULL;
    afn_status st = c->groups > 1 ? dnn_md_new(&weights, 5, grouped, DNN_ANY, DNN_F32)
                                  : dnn_md_new(&weights, 4, dense, DNN_ANY, DNN_F32);
    if (st == AFN_OK) st = cpu_product_prepare(p, weights, c, k);
    dnn_md_free(weights);
    return st;
}

const afn_kernel_ops cpu_conv2d_ops = {
    .prepare = prepare,
    .forward = cpu_product_forward,
    .backward = cpu_product_backward,
    .free = cpu_product_free,
    .load = cpu_product_load,
};
