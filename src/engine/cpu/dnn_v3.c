/* SPDX-License-Identifier: Apache-2.0 */
/* dnn_api.h on the C API of oneDNN 3.x. */
#include "engine/cpu/dnn_api.h"

/* ---- memory descriptors ---- */

struct dnn_md {
    dnnl_memory_desc_t d; /* a handle, owned */
};

static const_dnnl_memory_desc_t raw(const dnn_md *md)
{
    return md ? md->d : NULL;
}

/* A wrapped d, which it takes over even when it fails. */
static afn_status wrap(dnn_md **out, dnnl_memory_desc_t d)
{
    *out = afn_alloc(sizeof **out);
    if (!*out) {
        dnnl_memory_desc_destroy(d);
        return afn_fail(AFN_ENOMEM, "out of memory");
    }
    (*out)->d = d;
    return AFN_OK;
}

static afn_status wrap_copy(dnn_md **out, const_dnnl_memory_desc_t from)
{
    dnnl_memory_desc_t d = NULL;
    *out = NULL;
    const afn_status st = dnn_check(dnnl_memory_desc_clone(&d, from), "descriptor");
    return st == AFN_OK ? wrap(out, d) : st;
}

afn_status dnn_md_make(dnn_md **out, int rank, const dnnl_dims_t dims,
                       dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t d = NULL;
    *out = NULL;
    const afn_status st = dnn_check(
        dnnl_memory_desc_create_with_tag(&d, rank, dims, type, tag), "descriptor");
    return st == AFN_OK ? wrap(out, d) : st;
}

static int rank_of(const_dnnl_memory_desc_t d)
{
    int32_t rank = 0;
    dnnl_memory_desc_query(d, dnnl_query_ndims_s32, &rank);
    return rank;
}

afn_status dnn_md_of(dnn_md **out, const_dnnl_primitive_desc_t pd, int arg)
{
    const_dnnl_memory_desc_t d =
        dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, arg);
    *out = NULL;
    return d && rank_of(d) ? wrap_copy(out, d) : AFN_OK;
}

afn_status dnn_md_copy(dnn_md **out, const dnn_md *md)
{
    return wrap_copy(out, md->d);
}

void dnn_md_free(dnn_md *md)
{
    if (!md) return;
    dnnl_memory_desc_destroy(md->d);
    afn_free(md);
}

size_t dnn_md_bytes(const dnn_md *md)
{
    return dnnl_memory_desc_get_size(md->d);
}

bool dnn_md_equal(const dnn_md *a, const dnn_md *b)
{
    return dnnl_memory_desc_equal(a->d, b->d);
}

int dnn_md_rank(const dnn_md *md)
{
    return rank_of(md->d);
}

const dnnl_dim_t *dnn_md_dims(const dnn_md *md)
{
    const dnnl_dims_t *dims = NULL;
    dnnl_memory_desc_query(md->d, dnnl_query_dims, (void *)&dims);
    return *dims;
}

dnnl_data_type_t dnn_md_type(const dnn_md *md)
{
    dnnl_data_type_t type = dnnl_data_type_undef;
    dnnl_memory_desc_query(md->d, dnnl_query_data_type, &type);
    return type;
}

dnnl_status_t dnn_memory_create(dnnl_memory_t *out, const dnn_md *md, dnnl_engine_t e)
{
    return dnnl_memory_create(out, md->d, e, DNNL_MEMORY_NONE);
}

/* ---- primitive descriptors ---- */

dnnl_status_t dnn_conv_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                              dnn_pass pass, const dnn_product *p, const dnn_window *w)
{
    const dnnl_alg_kind_t kind = dnn_conv_kind(p->algo);
    switch (pass) {
    case DNN_INFER:
    case DNN_FORWARD:
        return dnnl_convolution_forward_primitive_desc_create(
            out, m->engine, dnn_forward_kind(pass), kind, raw(p->src), raw(p->weights),
            raw(p->bias), raw(p->dst), w->strides, w->dilates, w->near, w->far,
            m->attr);
    case DNN_BACKWARD_DATA:
        return dnnl_convolution_backward_data_primitive_desc_create(
            out, m->engine, kind, raw(p->src), raw(p->weights), raw(p->dst), w->strides,
            w->dilates, w->near, w->far, m->hint, m->attr);
    case DNN_BACKWARD_WEIGHTS:
        break;
    }
    return dnnl_convolution_backward_weights_primitive_desc_create(
        out, m->engine, kind, raw(p->src), raw(p->weights), raw(p->bias), raw(p->dst),
        w->strides, w->dilates, w->near, w->far, m->hint, m->attr);
}

dnnl_status_t dnn_linear_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                                dnn_pass pass, const dnn_product *p)
{
    switch (pass) {
    case DNN_INFER:
    case DNN_FORWARD:
        return dnnl_inner_product_forward_primitive_desc_create(
            out, m->engine, dnn_forward_kind(pass), raw(p->src), raw(p->weights),
            raw(p->bias), raw(p->dst), m->attr);
    case DNN_BACKWARD_DATA:
        return dnnl_inner_product_backward_data_primitive_desc_create(
            out, m->engine, raw(p->src), raw(p->weights), raw(p->dst), m->hint,
            m->attr);
    case DNN_BACKWARD_WEIGHTS:
        break;
    }
    return dnnl_inner_product_backward_weights_primitive_desc_create(
        out, m->engine, raw(p->src), raw(p->weights), raw(p->bias), raw(p->dst),
        m->hint, m->attr);
}

dnnl_status_t dnn_max_pool_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                                  dnn_pass pass, const dnn_pool *p, const dnn_window *w)
{
    if (pass == DNN_BACKWARD_DATA)
        return dnnl_pooling_backward_primitive_desc_create(
            out, m->engine, dnnl_pooling_max, raw(p->src), raw(p->dst), w->strides,
            w->kernel, w->dilates, w->near, w->far, m->hint, m->attr);
    return dnnl_pooling_forward_primitive_desc_create(
        out, m->engine, dnn_forward_kind(pass), dnnl_pooling_max, raw(p->src),
        raw(p->dst), w->strides, w->kernel, w->dilates, w->near, w->far, m->attr);
}

dnnl_status_t dnn_reorder_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                                 const dnn_md *from, const dnn_md *to)
{
    return dnnl_reorder_primitive_desc_create(out, raw(from), m->engine, raw(to),
                                              m->engine, m->attr);
}

/* ---- what follows a primitive ---- */

dnnl_status_t dnn_append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
}

dnnl_status_t dnn_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha,
                                 float beta)
{
    return dnnl_post_ops_append_eltwise(ops, kind, alpha, beta);
}
