/* SPDX-License-Identifier: Apache-2.0 */
/* dnn_api.h on the C API of oneDNN 2.x. */
#include "engine/cpu/dnn_api.h"

/* ---- memory descriptors ---- */

struct dnn_md {
    dnnl_memory_desc_t d;
};

static const dnnl_memory_desc_t *raw(const dnn_md *md)
{
    return md ? &md->d : NULL;
}

static afn_status wrap(dnn_md **out, const dnnl_memory_desc_t *d)
{
    *out = afn_alloc(sizeof **out);
    if (!*out) return afn_fail(AFN_ENOMEM, "out of memory");
    (*out)->d = *d;
    return AFN_OK;
}

afn_status dnn_md_make(dnn_md **out, int rank, const dnnl_dims_t dims,
                       dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t d;
    *out = NULL;
    const afn_status st = dnn_check(
        dnnl_memory_desc_init_by_tag(&d, rank, dims, type, tag), "descriptor");
    return st == AFN_OK ? wrap(out, &d) : st;
}

afn_status dnn_md_of(dnn_md **out, const_dnnl_primitive_desc_t pd, int arg)
{
    const dnnl_memory_desc_t *d =
        dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, arg);
    *out = NULL;
    return d && d->ndims ? wrap(out, d) : AFN_OK;
}

afn_status dnn_md_copy(dnn_md **out, const dnn_md *md)
{
    return wrap(out, &md->d);
}

void dnn_md_free(dnn_md *md)
{
    afn_free(md);
}

size_t dnn_md_bytes(const dnn_md *md)
{
    return dnnl_memory_desc_get_size(&md->d);
}

bool dnn_md_equal(const dnn_md *a, const dnn_md *b)
{
    return dnnl_memory_desc_equal(&a->d, &b->d);
}

int dnn_md_rank(const dnn_md *md)
{
    return md->d.ndims;
}

const dnnl_dim_t *dnn_md_dims(const dnn_md *md)
{
    return md->d.dims;
}

dnnl_data_type_t dnn_md_type(const dnn_md *md)
{
    return md->d.data_type;
}

dnnl_status_t dnn_memory_create(dnnl_memory_t *out, const dnn_md *md, dnnl_engine_t e)
{
    return dnnl_memory_create(out, &md->d, e, DNNL_MEMORY_NONE);
}

/* ---- primitive descriptors ---- */

static dnnl_status_t create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                            const void *desc, dnnl_status_t described)
{
    if (described != dnnl_success) return described;
    return dnnl_primitive_desc_create(out, desc, m->attr, m->engine, m->hint);
}

static dnnl_status_t conv_desc(dnnl_convolution_desc_t *c, dnn_pass pass,
                               const dnn_product *p, const dnn_window *w)
{
    const dnnl_alg_kind_t kind = dnn_conv_kind(p->algo);
    switch (pass) {
    case DNN_INFER:
    case DNN_FORWARD:
        return dnnl_dilated_convolution_forward_desc_init(
            c, dnn_forward_kind(pass), kind, raw(p->src), raw(p->weights), raw(p->bias),
            raw(p->dst), w->strides, w->dilates, w->near, w->far);
    case DNN_BACKWARD_DATA:
        return dnnl_dilated_convolution_backward_data_desc_init(
            c, kind, raw(p->src), raw(p->weights), raw(p->dst), w->strides, w->dilates,
            w->near, w->far);
    case DNN_BACKWARD_WEIGHTS:
        break;
    }
    return dnnl_dilated_convolution_backward_weights_desc_init(
        c, kind, raw(p->src), raw(p->weights), raw(p->bias), raw(p->dst), w->strides,
        w->dilates, w->near, w->far);
}

dnnl_status_t dnn_conv_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                              dnn_pass pass, const dnn_product *p, const dnn_window *w)
{
    dnnl_convolution_desc_t c;
    return create(out, m, &c, conv_desc(&c, pass, p, w));
}

static dnnl_status_t linear_desc(dnnl_inner_product_desc_t *c, dnn_pass pass,
                                 const dnn_product *p)
{
    switch (pass) {
    case DNN_INFER:
    case DNN_FORWARD:
        return dnnl_inner_product_forward_desc_init(c, dnn_forward_kind(pass),
                                                    raw(p->src), raw(p->weights),
                                                    raw(p->bias), raw(p->dst));
    case DNN_BACKWARD_DATA:
        return dnnl_inner_product_backward_data_desc_init(c, raw(p->src),
                                                          raw(p->weights), raw(p->dst));
    case DNN_BACKWARD_WEIGHTS:
        break;
    }
    return dnnl_inner_product_backward_weights_desc_init(
        c, raw(p->src), raw(p->weights), raw(p->bias), raw(p->dst));
}

dnnl_status_t dnn_linear_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                                dnn_pass pass, const dnn_product *p)
{
    dnnl_inner_product_desc_t c;
    return create(out, m, &c, linear_desc(&c, pass, p));
}

static dnnl_status_t pool_desc(dnnl_pooling_desc_t *c, dnn_pass pass, const dnn_pool *p,
                               const dnn_window *w)
{
    if (pass == DNN_BACKWARD_DATA)
        return dnnl_pooling_backward_desc_init(c, dnnl_pooling_max, raw(p->src),
                                               raw(p->dst), w->strides, w->kernel,
                                               w->near, w->far);
    return dnnl_pooling_forward_desc_init(c, dnn_forward_kind(pass), dnnl_pooling_max,
                                          raw(p->src), raw(p->dst), w->strides,
                                          w->kernel, w->near, w->far);
}

dnnl_status_t dnn_max_pool_create(dnnl_primitive_desc_t *out, const dnn_maker *m,
                                  dnn_pass pass, const dnn_pool *p, const dnn_window *w)
{
    dnnl_pooling_desc_t c;
    return create(out, m, &c, pool_desc(&c, pass, p, w));
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
    return dnnl_post_ops_append_sum(ops, 1.0f);
}

dnnl_status_t dnn_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha,
                                 float beta)
{
    return dnnl_post_ops_append_eltwise(ops, 1.0f, kind, alpha, beta);
}
