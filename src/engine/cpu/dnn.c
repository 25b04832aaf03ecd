/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN behind dnn.h: what is the same in its versions 2 and 3.  The rest is behind
 * dnn_api.h. */
#include <stdio.h>

#include "engine/cpu/dnn_api.h"

afn_status dnn_check(dnnl_status_t s, const char *what)
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
    AFN_TRY(dnn_check(dnnl_engine_create(&d->engine, dnnl_cpu, 0), "engine"));
    AFN_TRY(
        dnn_check(dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags),
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
    case DNN_WEIGHTS8_DATA:
        return dnnl_OIhw8o8i;
    case DNN_WEIGHTS16_DATA:
        return dnnl_OIhw16o16i;
    case DNN_DEPTHWISE8:
        return dnnl_Goihw8g;
    case DNN_DEPTHWISE16:
        return dnnl_Goihw16g;
    case DNN_ANY:
        break;
    }
    return dnnl_format_tag_any;
}

afn_status dnn_md_new(dnn_md **out, int rank, const int64_t *dim, dnn_order order,
                      dnn_type type)
{
    dnnl_dims_t dims = { 0 };
    for (int i = 0; i < rank; i++) dims[i] = dim[i];
    return dnn_md_make(out, rank, dims, type == DNN_BF16 ? dnnl_bf16 : dnnl_f32,
                       tag_of(rank, order));
}

int64_t dnn_md_dim(const dnn_md *md, int i)
{
    return dnn_md_dims(md)[i];
}

afn_status dnn_md_plain(dnn_md **out, const dnn_md *md)
{
    return dnn_md_new(out, dnn_md_rank(md), dnn_md_dims(md), DNN_PLAIN, DNN_F32);
}

afn_status dnn_md_any(dnn_md **out, const dnn_md *md, dnn_type type)
{
    return dnn_md_new(out, dnn_md_rank(md), dnn_md_dims(md), DNN_ANY, type);
}

afn_status dnn_md_unordered(dnn_md **out, const dnn_md *md)
{
    return dnn_md_make(out, dnn_md_rank(md), dnn_md_dims(md), dnn_md_type(md),
                       dnnl_format_tag_any);
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
        AFN_TRY(dnn_md_of(&op->md[i], pd, dnnl_arg[i]));
        if (!op->md[i]) continue;
        AFN_TRY(
            dnn_check(dnn_memory_create(&op->memory[i], op->md[i], engine), "memory"));
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
    AFN_TRY(dnn_check(dnnl_primitive_create(&op->primitive, pd), "primitive"));
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

/* Eltwise operations of an activation, one or two. */
typedef struct act_row {
    struct {
        dnnl_alg_kind_t kind;
        float alpha, beta;
    } op[2];
} act_row;

static const act_row act_table[] = {
    [AFN_ACT_RELU] = { { { dnnl_eltwise_relu, 0, 0 } } },
    [AFN_ACT_RELU6] = { { { dnnl_eltwise_clip, 0, 6 } } },
    [AFN_ACT_SILU] = { { { dnnl_eltwise_swish, 1, 0 } } },
    [AFN_ACT_SIGMOID] = { { { dnnl_eltwise_logistic, 0, 0 } } },
    /* oneDNN 2.x knows these two numbers itself */
    [AFN_ACT_HARDSWISH] = { { { dnnl_eltwise_hardswish, 1.0f / 6, 0.5f } } },
    [AFN_ACT_HARDSIGMOID] = { { { dnnl_eltwise_linear, 1.0f / 6, 0.5f },
                                { dnnl_eltwise_clip, 0, 1 } } },
    [AFN_ACT_GELU] = { { { dnnl_eltwise_gelu_erf, 0, 0 } } },
};
static_assert(AFN_COUNT(act_table) == AFN_N_ACTS, "one row per activation");

static afn_status append_act(dnnl_post_ops_t ops, int act)
{
    const act_row *row = &act_table[act];
    for (size_t i = 0; i < AFN_COUNT(row->op) && row->op[i].kind; i++) {
        const afn_status st = dnn_check(
            dnn_append_eltwise(ops, row->op[i].kind, row->op[i].alpha, row->op[i].beta),
            "activation");
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

static afn_status make_attr(dnnl_primitive_attr_t *out, bool sum, int act)
{
    afn_status st = AFN_OK;
    dnnl_post_ops_t ops = NULL;
    *out = NULL;
    AFN_TRY(dnn_check(dnnl_primitive_attr_create(out), "attributes"));
    AFN_TRY(dnn_check(
        dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user),
        "attributes"));
    AFN_TRY(dnn_check(dnnl_post_ops_create(&ops), "attributes"));
    if (sum) AFN_TRY(dnn_check(dnn_append_sum(ops), "attributes"));
    if (act != AFN_NO_ACT) AFN_TRY(append_act(ops, act));
    AFN_TRY(dnn_check(dnnl_primitive_attr_set_post_ops(*out, ops), "attributes"));
done:
    if (ops) dnnl_post_ops_destroy(ops);
    if (st != AFN_OK && *out) {
        dnnl_primitive_attr_destroy(*out);
        *out = NULL;
    }
    return st;
}

/* Padding at the far end of one side, which oneDNN wants to be told. */
static int64_t far_pad(int64_t in, int64_t out, int k, int stride, int pad,
                       int dilation)
{
    return (out - 1) * stride + (int64_t)dilation * (k - 1) + 1 - in - pad;
}

static dnn_window conv_window(const dnn_product *p)
{
    const afn_conv_attr *a = p->conv;
    const dnnl_dim_t *in = dnn_md_dims(p->src), *out = dnn_md_dims(p->dst);
    return (dnn_window){
        .strides = { a->sh, a->sw },
        .dilates = { a->dh - 1, a->dw - 1 },
        .near = { a->ph, a->pw },
        .far = { far_pad(in[2], out[2], a->kh, a->sh, a->ph, a->dh),
                 far_pad(in[3], out[3], a->kw, a->sw, a->pw, a->dw) },
    };
}

static dnn_window pool_window(const dnn_pool *p)
{
    const afn_pool_attr *a = p->pool;
    return (dnn_window){
        .kernel = { a->kh, a->kw },
        .strides = { a->sh, a->sw },
        .near = { a->ph, a->pw },
        .far = { far_pad(p->in_h, p->out_h, a->kh, a->sh, a->ph, 1),
                 far_pad(p->in_w, p->out_w, a->kw, a->sw, a->pw, 1) },
    };
}

static afn_status product_pd(dnnl_primitive_desc_t *out, const dnn_maker *m,
                             dnn_pass pass, const dnn_product *p)
{
    if (!p->conv) return dnn_check(dnn_linear_create(out, m, pass, p), "linear layer");
    const dnn_window w = conv_window(p);
    return dnn_check(dnn_conv_create(out, m, pass, p, &w), "convolution");
}

/* A backward primitive wants the forward one's descriptor as a hint. */
static afn_status product_hint(dnnl_primitive_desc_t *out, dnn_device *d,
                               const dnn_product *p)
{
    dnn_product forward = *p;
    dnn_md *any = NULL;
    const dnn_maker m = { .engine = d->engine };
    afn_status st = dnn_md_make(&any, dnn_md_rank(p->weights), dnn_md_dims(p->weights),
                                dnn_md_type(p->src), dnnl_format_tag_any);
    forward.weights = any;
    if (st == AFN_OK) st = product_pd(out, &m, DNN_FORWARD, &forward);
    dnn_md_free(any);
    return st;
}

afn_status dnn_product_new(dnn_op **out, dnn_device *d, dnn_pass pass,
                           const dnn_product *p)
{
    afn_status st = AFN_OK;
    const bool backward = pass == DNN_BACKWARD_DATA || pass == DNN_BACKWARD_WEIGHTS;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t hint = NULL, pd = NULL;
    *out = NULL;
    AFN_TRY(make_attr(&attr, !backward && p->sum, backward ? AFN_NO_ACT : p->act));
    if (backward) AFN_TRY(product_hint(&hint, d, p));
    const dnn_maker m = { d->engine, attr, hint };
    AFN_TRY(product_pd(&pd, &m, pass, p));
    st = op_from(out, d, pd);
done:
    if (attr) dnnl_primitive_attr_destroy(attr);
    if (hint) dnnl_primitive_desc_destroy(hint);
    return st;
}

afn_status dnn_max_pool_new(dnn_op **out, dnn_device *d, dnn_pass pass,
                            const dnn_pool *p)
{
    afn_status st = AFN_OK;
    const dnn_window w = pool_window(p);
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t hint = NULL, pd = NULL;
    *out = NULL;
    AFN_TRY(make_attr(&attr, false, AFN_NO_ACT));
    if (pass == DNN_BACKWARD_DATA) {
        const dnn_maker forward = { .engine = d->engine };
        AFN_TRY(dnn_check(dnn_max_pool_create(&hint, &forward, DNN_FORWARD, p, &w),
                          "max pool"));
    }
    const dnn_maker m = { d->engine, attr, hint };
    AFN_TRY(dnn_check(dnn_max_pool_create(&pd, &m, pass, p, &w), "max pool"));
    st = op_from(out, d, pd);
done:
    if (attr) dnnl_primitive_attr_destroy(attr);
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
    const dnn_maker m = { .engine = d->engine, .attr = attr };
    AFN_TRY(dnn_check(dnn_reorder_create(&pd, &m, from, to), "reorder"));
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
    return dnn_check(s == dnnl_success ? dnnl_stream_wait(d->stream) : s, "execution");
}

afn_status dnn_reorder_run(dnn_device *d, dnn_op *op, const void *from, void *to,
                           void *scratch)
{
    void *buffer[DNN_N_SLOTS] = {
        [DNN_SRC] = (void *)from, [DNN_DST] = to, [DNN_SCRATCH] = scratch
    };
    return dnn_run(d, op, buffer);
}
