/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN behind dnn.h.  Written for the C API of 2.x. */
#include "engine/cpu/dnn.h"

#include <dnnl.h>
#include <stdio.h>

static afn_status check(dnnl_status_t s, const char *what)
{
    switch (s) {
    case dnnl_success:
        return AFN_OK;
    case dnnl_out_of_memory:
        return afn_fail(AFN_ENOMEM, "out of memory");
    case dnnl_unimplemented:
        return afn_fail(AFN_EUNSUPPORTED, "oneDNN has no %s like this", what);
    default:
        return afn_fail(AFN_EBACKEND, "oneDNN %s: status %d", what, (int)s);
    }
}

/* ---- device ---- */

struct dnn_device {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

afn_status dnn_device_open(dnn_device **out)
{
    afn_status st = AFN_OK;
    *out = NULL;
    dnn_device *d = afn_alloc(sizeof *d);
    AFN_REQUIRE(d, AFN_ENOMEM, "out of memory");
    AFN_TRY(check(dnnl_engine_create(&d->engine, dnnl_cpu, 0), "engine"));
    AFN_TRY(check(dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags),
                  "stream"));
    *out = d;
    d = NULL;
done:
    dnn_device_close(d);
    return st;
}

void dnn_device_close(dnn_device *d)
{
    if (!d) return;
    if (d->stream) dnnl_stream_destroy(d->stream);
    if (d->engine) dnnl_engine_destroy(d->engine);
    afn_free(d);
}

dnn_isa dnn_best_isa(void)
{
    const unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
    if ((isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core)
        return DNN_ISA_AVX512;
    if ((isa & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2) return DNN_ISA_AVX2;
    return DNN_ISA_BASE;
}

bool dnn_has_bf16(void)
{
    const unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
    return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

const char *dnn_version(void)
{
    static char text[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

/* ---- descriptors ---- */

struct dnn_md {
    dnnl_memory_desc_t d;
};

static dnnl_format_tag_t tag_of(int rank, dnn_order order)
{
    static const dnnl_format_tag_t plain[] = { 0,        dnnl_a,    dnnl_ab,
                                               dnnl_abc, dnnl_abcd, dnnl_abcde };
    switch (order) {
    case DNN_PLAIN:
        return plain[rank];
    case DNN_BLOCKED8:
        return dnnl_nChw8c;
    case DNN_BLOCKED16:
        return dnnl_nChw16c;
    case DNN_WEIGHTS8:
        return dnnl_OIhw8i8o;
    case DNN_WEIGHTS16:
        return dnnl_OIhw16i16o;
    case DNN_ANY:
        break;
    }
    return dnnl_format_tag_any;
}

static afn_status md_wrap(dnn_md **out, const dnnl_memory_desc_t *d)
{
    *out = afn_alloc(sizeof **out);
    if (!*out) return afn_fail(AFN_ENOMEM, "out of memory");
    (*out)->d = *d;
    return AFN_OK;
}

afn_status dnn_md_new(dnn_md **out, int rank, const int64_t *dim, dnn_order order,
                      dnn_type type)
{
    const dnnl_data_type_t dt = type == DNN_BF16 ? dnnl_bf16 : dnnl_f32;
    dnnl_memory_desc_t d;
    dnnl_dims_t dims = { 0 };
    *out = NULL;
    for (int i = 0; i < rank; i++) dims[i] = dim[i];
    const afn_status st =
        check(dnnl_memory_desc_init_by_tag(&d, rank, dims, dt, tag_of(rank, order)),
              "descriptor");
    return st == AFN_OK ? md_wrap(out, &d) : st;
}

afn_status dnn_md_strided(dnn_md **out, int rank, const int64_t *dim,
                          const int64_t *stride)
{
    dnnl_memory_desc_t d;
    dnnl_dims_t dims = { 0 }, strides = { 0 };
    *out = NULL;
    for (int i = 0; i < rank; i++) {
        dims[i] = dim[i];
        strides[i] = stride[i];
    }
    const afn_status st =
        check(dnnl_memory_desc_init_by_strides(&d, rank, dims, dnnl_f32, strides),
              "descriptor");
    return st == AFN_OK ? md_wrap(out, &d) : st;
}

afn_status dnn_md_copy(dnn_md **out, const dnn_md *md)
{
    return md_wrap(out, &md->d);
}

afn_status dnn_md_plain(dnn_md **out, const dnn_md *md)
{
    return dnn_md_new(out, md->d.ndims, md->d.dims, DNN_PLAIN, DNN_F32);
}

void dnn_md_free(dnn_md *md)
{
    afn_free(md);
}

size_t dnn_md_bytes(const dnn_md *md)
{
    return dnnl_memory_desc_get_size(&md->d);
}

int64_t dnn_md_dim(const dnn_md *md, int i)
{
    return md->d.dims[i];
}

bool dnn_md_equal(const dnn_md *a, const dnn_md *b)
{
    return dnnl_memory_desc_equal(&a->d, &b->d);
}

/* ---- primitives ---- */

struct dnn_op {
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[DNN_N_SLOTS]; /* NULL where unused */
    dnn_md *md[DNN_N_SLOTS];
    char impl[64];
};

static const int dnnl_arg[] = {
    [DNN_SRC] = DNNL_ARG_SRC,
    [DNN_WEIGHTS] = DNNL_ARG_WEIGHTS,
    [DNN_BIAS] = DNNL_ARG_BIAS,
    [DNN_DST] = DNNL_ARG_DST,
    [DNN_DIFF_SRC] = DNNL_ARG_DIFF_SRC,
    [DNN_DIFF_WEIGHTS] = DNNL_ARG_DIFF_WEIGHTS,
    [DNN_DIFF_BIAS] = DNNL_ARG_DIFF_BIAS,
    [DNN_DIFF_DST] = DNNL_ARG_DIFF_DST,
    [DNN_WORKSPACE] = DNNL_ARG_WORKSPACE,
    [DNN_SCRATCH] = DNNL_ARG_SCRATCHPAD,
};
static_assert(AFN_COUNT(dnnl_arg) == DNN_N_SLOTS, "one argument per slot");

void dnn_op_free(dnn_op *op)
{
    if (!op) return;
    for (int i = 0; i < DNN_N_SLOTS; i++) {
        if (op->memory[i]) dnnl_memory_destroy(op->memory[i]);
        dnn_md_free(op->md[i]);
    }
    if (op->primitive) dnnl_primitive_destroy(op->primitive);
    afn_free(op);
}

/* The buffers that a primitive takes, asked of its descriptor. */
static afn_status add_memories(dnn_op *op, dnnl_engine_t engine,
                               const_dnnl_primitive_desc_t pd)
{
    afn_status st = AFN_OK;
    for (int i = 0; i < DNN_N_SLOTS; i++) {
        const dnnl_memory_desc_t *d =
            dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, dnnl_arg[i]);
        if (!d || d->ndims == 0) continue;
        AFN_TRY(md_wrap(&op->md[i], d));
        AFN_TRY(check(dnnl_memory_create(&op->memory[i], d, engine, DNNL_MEMORY_NONE),
                      "memory"));
    }
done:
    return st;
}

/* Makes the primitive of pd; always destroys pd. */
static afn_status op_from(dnn_op **out, dnn_device *d, dnnl_primitive_desc_t pd)
{
    afn_status st = AFN_OK;
    const char *impl = NULL;
    *out = NULL;
    dnn_op *op = afn_alloc(sizeof *op);
    AFN_REQUIRE(op, AFN_ENOMEM, "out of memory");
    AFN_TRY(check(dnnl_primitive_create(&op->primitive, pd), "primitive"));
    AFN_TRY(add_memories(op, d->engine, pd));
    if (dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&impl) ==
        dnnl_success)
        snprintf(op->impl, sizeof op->impl, "%s", impl);
    *out = op;
    op = NULL;
done:
    dnnl_primitive_desc_destroy(pd);
    dnn_op_free(op);
    return st;
}

static afn_status append_act(dnnl_post_ops_t ops, int act)
{
    switch ((afn_act)act) {
    case AFN_ACT_RELU:
        return check(
            dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f),
            "activation");
    case AFN_ACT_RELU6:
        return check(
            dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_clip, 0.0f, 6.0f),
            "activation");
    case AFN_N_ACTS:
        break;
    }
    return afn_fail(AFN_EUNSUPPORTED, "activation %d after a product", act);
}

static afn_status make_attr(dnnl_primitive_attr_t *out, bool sum, int act)
{
    afn_status st = AFN_OK;
    dnnl_post_ops_t ops = NULL;
    *out = NULL;
    AFN_TRY(check(dnnl_primitive_attr_create(out), "attributes"));
    AFN_TRY(
        check(dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user),
              "attributes"));
    AFN_TRY(check(dnnl_post_ops_create(&ops), "attributes"));
    if (sum) AFN_TRY(check(dnnl_post_ops_append_sum(ops, 1.0f), "attributes"));
    if (act != AFN_NO_ACT) AFN_TRY(append_act(ops, act));
    AFN_TRY(check(dnnl_primitive_attr_set_post_ops(*out, ops), "attributes"));
done:
    if (ops) dnnl_post_ops_destroy(ops);
    if (st != AFN_OK && *out) {
        dnnl_primitive_attr_destroy(*out);
        *out = NULL;
    }
    return st;
}

/* A primitive from an operation descriptor of any kind. */
static afn_status create(dnn_op **out, dnn_device *d, const void *desc, bool sum,
                         int act, const_dnnl_primitive_desc_t hint, const char *what)
{
    afn_status st = AFN_OK;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    *out = NULL;
    AFN_TRY(make_attr(&attr, sum, act));
    AFN_TRY(check(dnnl_primitive_desc_create(&pd, desc, attr, d->engine, hint), what));
    st = op_from(out, d, pd);
done:
    if (attr) dnnl_primitive_attr_destroy(attr);
    return st;
}

/* Padding at the far end of one side, which oneDNN wants to be told. */
static int64_t far_pad(int64_t in, int64_t out, int k, int stride, int pad,
                       int dilation)
{
    return (out - 1) * stride + (int64_t)dilation * (k - 1) + 1 - in - pad;
}

static dnnl_prop_kind_t forward_kind(dnn_pass pass)
{
    return pass == DNN_INFER ? dnnl_forward_inference : dnnl_forward_training;
}

static dnnl_status_t conv_desc(dnnl_convolution_desc_t *c, dnn_pass pass,
                               const dnn_product *p)
{
    const dnnl_alg_kind_t algo =
        p->algo == DNN_WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
    const afn_conv_attr *a = p->conv;
    const dnnl_memory_desc_t *bias = p->bias ? &p->bias->d : NULL;
    const dnnl_memory_desc_t *src = &p->src->d, *dst = &p->dst->d, *w = &p->weights->d;
    const dnnl_dims_t strides = { a->sh, a->sw }, near = { a->ph, a->pw };
    const dnnl_dims_t dilates = { a->dh - 1, a->dw - 1 };
    const dnnl_dims_t far = {
        far_pad(src->dims[2], dst->dims[2], a->kh, a->sh, a->ph, a->dh),
        far_pad(src->dims[3], dst->dims[3], a->kw, a->sw, a->pw, a->dw),
    };
    switch (pass) {
    case DNN_INFER:
    case DNN_FORWARD:
        return dnnl_dilated_convolution_forward_desc_init(c, forward_kind(pass), algo,
                                                          src, w, bias, dst, strides,
                                                          dilates, near, far);
    case DNN_BACKWARD_DATA:
        return dnnl_dilated_convolution_backward_data_desc_init(
            c, algo, src, w, dst, strides, dilates, near, far);
    case DNN_BACKWARD_WEIGHTS:
        break;
    }
    return dnnl_dilated_convolution_backward_weights_desc_init(
        c, algo, src, w, bias, dst, strides, dilates, near, far);
}

static dnnl_status_t linear_desc(dnnl_inner_product_desc_t *c, dnn_pass pass,
                                 const dnn_product *p)
{
    const dnnl_memory_desc_t *bias = p->bias ? &p->bias->d : NULL;
    const dnnl_memory_desc_t *src = &p->src->d, *dst = &p->dst->d, *w = &p->weights->d;
    switch (pass) {
    case DNN_INFER:
    case DNN_FORWARD:
        return dnnl_inner_product_forward_desc_init(c, forward_kind(pass), src, w, bias,
                                                    dst);
    case DNN_BACKWARD_DATA:
        return dnnl_inner_product_backward_data_desc_init(c, src, w, dst);
    case DNN_BACKWARD_WEIGHTS:
        break;
    }
    return dnnl_inner_product_backward_weights_desc_init(c, src, w, bias, dst);
}

/* A backward primitive wants the forward one's descriptor as a hint. */
static afn_status product_hint(dnnl_primitive_desc_t *out, dnn_device *d,
                               const dnn_product *p)
{
    dnnl_convolution_desc_t conv;
    dnnl_inner_product_desc_t linear;
    dnn_product forward = *p;
    dnn_md any;
    *out = NULL;
    dnnl_status_t s =
        dnnl_memory_desc_init_by_tag(&any.d, p->weights->d.ndims, p->weights->d.dims,
                                     p->src->d.data_type, dnnl_format_tag_any);
    if (s != dnnl_success) return check(s, "product");
    forward.weights = &any;
    s = p->conv ? conv_desc(&conv, DNN_FORWARD, &forward)
                : linear_desc(&linear, DNN_FORWARD, &forward);
    if (s != dnnl_success) return check(s, "product");
    const void *desc = p->conv ? (const void *)&conv : (const void *)&linear;
    return check(dnnl_primitive_desc_create(out, desc, NULL, d->engine, NULL),
                 "product");
}

afn_status dnn_product_new(dnn_op **out, dnn_device *d, dnn_pass pass,
                           const dnn_product *p)
{
    dnnl_convolution_desc_t conv;
    dnnl_inner_product_desc_t linear;
    dnnl_primitive_desc_t hint = NULL;
    const bool backward = pass == DNN_BACKWARD_DATA || pass == DNN_BACKWARD_WEIGHTS;
    *out = NULL;
    const dnnl_status_t s =
        p->conv ? conv_desc(&conv, pass, p) : linear_desc(&linear, pass, p);
    afn_status st = check(s, "product");
    if (st == AFN_OK && backward) st = product_hint(&hint, d, p);
    if (st == AFN_OK) {
        const void *desc = p->conv ? (const void *)&conv : (const void *)&linear;
        st = create(out, d, desc, !backward && p->sum, backward ? AFN_NO_ACT : p->act,
                    hint, p->conv ? "convolution" : "linear layer");
    }
    if (hint) dnnl_primitive_desc_destroy(hint);
    return st;
}

afn_status dnn_matmul_new(dnn_op **out, dnn_device *d, const dnn_md *src,
                          const dnn_md *weights, const dnn_md *dst, bool add)
{
    dnnl_matmul_desc_t desc;
    *out = NULL;
    const afn_status st = check(
        dnnl_matmul_desc_init(&desc, &src->d, &weights->d, NULL, &dst->d), "matmul");
    return st == AFN_OK ? create(out, d, &desc, add, AFN_NO_ACT, NULL, "matmul") : st;
}

static dnnl_status_t pool_forward_desc(dnnl_pooling_desc_t *c, dnn_pass pass,
                                       const dnn_pool *p)
{
    const afn_pool_attr *a = p->pool;
    const dnnl_dims_t strides = { a->sh, a->sw }, kernel = { a->kh, a->kw };
    const dnnl_dims_t near = { a->ph, a->pw };
    const dnnl_dims_t far = { far_pad(p->in_h, p->out_h, a->kh, a->sh, a->ph, 1),
                              far_pad(p->in_w, p->out_w, a->kw, a->sw, a->pw, 1) };
    if (pass == DNN_BACKWARD_DATA)
        return dnnl_pooling_backward_desc_init(c, dnnl_pooling_max, &p->src->d,
                                               &p->dst->d, strides, kernel, near, far);
    return dnnl_pooling_forward_desc_init(c, forward_kind(pass), dnnl_pooling_max,
                                          &p->src->d, &p->dst->d, strides, kernel, near,
                                          far);
}

afn_status dnn_max_pool_new(dnn_op **out, dnn_device *d, dnn_pass pass,
                            const dnn_pool *p)
{
    afn_status st = AFN_OK;
    dnnl_pooling_desc_t desc, forward;
    dnnl_primitive_desc_t hint = NULL;
    *out = NULL;
    AFN_TRY(check(pool_forward_desc(&desc, pass, p), "max pool"));
    if (pass == DNN_BACKWARD_DATA) {
        AFN_TRY(check(pool_forward_desc(&forward, DNN_FORWARD, p), "max pool"));
        AFN_TRY(
            check(dnnl_primitive_desc_create(&hint, &forward, NULL, d->engine, NULL),
                  "max pool"));
    }
    AFN_TRY(create(out, d, &desc, false, AFN_NO_ACT, hint, "max pool"));
done:
    if (hint) dnnl_primitive_desc_destroy(hint);
    return st;
}

afn_status dnn_reorder_new(dnn_op **out, dnn_device *d, const dnn_md *from,
                           const dnn_md *to)
{
    afn_status st = AFN_OK;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    *out = NULL;
    AFN_TRY(make_attr(&attr, false, AFN_NO_ACT));
    AFN_TRY(check(dnnl_reorder_primitive_desc_create(&pd, &from->d, d->engine, &to->d,
                                                     d->engine, attr),
                  "reorder"));
    st = op_from(out, d, pd);
done:
    if (attr) dnnl_primitive_attr_destroy(attr);
    return st;
}

const dnn_md *dnn_op_md(const dnn_op *op, dnn_slot slot)
{
    return op->md[slot];
}

const char *dnn_op_impl(const dnn_op *op)
{
    return op->impl;
}

afn_status dnn_run(dnn_device *d, dnn_op *op, void *const *buffer)
{
    dnnl_exec_arg_t arg[DNN_N_SLOTS];
    int n = 0;
    for (int i = 0; i < DNN_N_SLOTS; i++) {
        if (!op->memory[i]) continue;
        void *old = NULL;
        dnnl_memory_get_data_handle(op->memory[i], &old);
        if (old != buffer[i]) dnnl_memory_set_data_handle(op->memory[i], buffer[i]);
        arg[n++] = (dnnl_exec_arg_t){ dnnl_arg[i], op->memory[i] };
    }
    const dnnl_status_t s = dnnl_primitive_execute(op->primitive, d->stream, n, arg);
    return check(s == dnnl_success ? dnnl_stream_wait(d->stream) : s, "execution");
}
