/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between the C APIs of oneDNN 2.x and 3.x, as dnn.c needs it.  dnn_v2.c
 * and dnn_v3.c each define all of it, and of dnn.h dnn_md with dnn_md_copy(), _free(),
 * _bytes() and _equal(); meson.build takes the one that fits the library.
 *
 *                         2.x                            3.x
 *   memory descriptor     a struct that anyone copies    a handle with an owner
 *   primitive descriptor  from an operation descriptor   from one call for each kind
 *   activation, sum       activation has a scale         sum has zero point and type */
#ifndef AFN_CPU_DNN_API_H
#define AFN_CPU_DNN_API_H

#include <dnnl.h>

#include "engine/cpu/dnn.h"

/* A status of oneDNN as ours; in dnn.c. */
afn_status dnn_check(dnnl_status_t s, const char *what);

/* ---- memory descriptors ---- */

afn_status dnn_md_make(dnn_md **out, int rank, const dnnl_dims_t dims,
                       dnnl_data_type_t type, dnnl_format_tag_t tag);
/* Of the buffer that pd takes as arg (DNNL_ARG_...); NULL where it takes none. */
afn_status dnn_md_of(dnn_md **out, const_dnnl_primitive_desc_t pd, int arg);

int dnn_md_rank(const dnn_md *md);
const dnnl_dim_t *dnn_md_dims(const dnn_md *md); /* [rank] */
dnnl_data_type_t dnn_md_type(const dnn_md *md);

/* Memory without a buffer. */
dnnl_status_t dnn_memory_create(dnnl_memory_t *out, const dnn_md *md, dnnl_engine_t e);

/* ---- primitive descriptors ---- */

/* A window as oneDNN counts it: dilation 0 has no gaps, padding at the near and the far
 * end.  Pooling has no dilation, a convolution no kernel. */
typedef struct dnn_window {
    dnnl_dims_t kernel, strides, dilates, near, far;
} dnn_window;

/* What every kind of primitive descriptor takes. */
typedef struct dnn_maker {
    dnnl_engine_t engine;
    const_dnnl_primitive_attr_t attr; /* NULL = default */
    const_dnnl_primitive_desc_t hint; /* the forward one, for a backward pass */
} dnn_maker;

dnnl_status_t dnn_conv_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                              dnn_pass pass, const dnn_product *p, const dnn_window *w);
dnnl_status_t dnn_linear_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                                dnn_pass pass, const dnn_product *p);
dnnl_status_t dnn_max_pool_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                                  dnn_pass pass, const dnn_pool *p,
                                  const dnn_window *w);
dnnl_status_t dnn_reorder_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                                 const dnn_md *from, const dnn_md *to);

/* ---- what follows a primitive ---- */

dnnl_status_t dnn_append_sum(dnnl_post_ops_t ops); /* dst += old dst */
dnnl_status_t dnn_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha,
                                 float beta);

/* ---- the same in both ---- */

static inline dnnl_prop_kind_t dnn_forward_kind(dnn_pass pass)
{
    return pass == DNN_INFER ? dnnl_forward_inference : dnnl_forward_training;
}

static inline dnnl_alg_kind_t dnn_conv_kind(dnn_algo algo)
{
    return algo == DNN_WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
}

#endif
