/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions whose groups are not whole blocks of channels, as ResNeXt's of 4 and
 * RegNet's of 8 and 24: oneDNN has only naive code for them.  As many groups as make
 * whole blocks become one, whose weights are a matrix with those of the groups on the
 * diagonal and zeros beside them.  That multiplies zeros, 3 of 4 numbers for groups of
 * 4 in blocks of 16, but at full speed, and such layers are a small part of networks.
 *
 *   groups of 8    | a 0 |   one of 16; off the diagonal the gradient is dropped
 *                  | 0 b |
 *
 * Where the last merged group has more channels than the value, values are copied. */
#include <string.h>

#include "engine/cpu/cpu_pass.h"

/* A value as it lies in the plan and as the merged groups count its channels. */
typedef struct value {
    dnn_slot slot;
    bool in, out;        /* does the pass read it, write it? */
    size_t outer, inner; /* bytes of a sample */
    size_t at;           /* place of the wider copy in scratch, where they differ */
} value;

enum { INPUT, OUTPUT, N_VALUES };

typedef struct merged {
    dnn_pass kind;
    dnn_op *op;               /* on merged groups */
    dnn_op *move;             /* their weights between row-major and its own layout */
    dnn_md *weights;          /* of the groups, row-major */
    size_t element;           /* bytes of a weight */
    int64_t n, oc, groups;    /* samples, output channels, groups */
    int64_t each, merged;     /* groups in a merged one, merged groups */
    int64_t ic_each, oc_each; /* channels of a group */
    int64_t taps;
    value value[N_VALUES];
    bool bias;
    size_t bias_at, matrix_at, matrix_bytes; /* in scratch: row-major weights of op */
    size_t made_at;                          /* and the gradient as op makes it */
} merged;

static void release(void *state)
{
    merged *m = state;
    if (!m) return;
    dnn_op_free(m->op);
    dnn_op_free(m->move);
    dnn_md_free(m->weights);
    afn_free(m);
}

/* ---- preparing ---- */

static int64_t divisor(int64_t a, int64_t b)
{
    return b ? divisor(b, a % b) : a;
}

/* The fewest groups whose channels fill whole blocks. */
static int64_t groups_for(int64_t channels, int64_t block)
{
    return block / divisor(channels, block);
}

bool cpu_merges_groups(const cpu_device *d, const dnn_product *p)
{
    const afn_conv_attr *c = p->conv;
    if (!c || c->groups == 1 || c->groups == dnn_md_dim(p->src, 1)) return false;
    const int64_t block = d->kern->block;
    return dnn_md_dim(p->src, 1) / c->groups % block || c->oc / c->groups % block;
}

static void set_groups(merged *m, const dnn_product *p, int64_t block)
{
    const afn_conv_attr *c = p->conv;
    m->n = dnn_md_dim(p->src, 0);
    m->oc = c->oc;
    m->groups = c->groups;
    m->ic_each = dnn_md_dim(p->src, 1) / c->groups;
    m->oc_each = c->oc / c->groups;
    m->taps = (int64_t)c->kh * c->kw;
    m->bias = p->bias != NULL && m->kind != DNN_BACKWARD_DATA;
    const int64_t a = groups_for(m->ic_each, block), b = groups_for(m->oc_each, block);
    m->each = a / divisor(a, b) * b;
    m->merged = (m->groups + m->each - 1) / m->each;
}

static afn_status with_channels(dnn_md **out, const dnn_md *md, int64_t channels,
                                cpu_format f)
{
    const int64_t dim[] = { dnn_md_dim(md, 0), channels, dnn_md_dim(md, 2),
                            dnn_md_dim(md, 3) };
    return dnn_md_new(out, 4, dim, f.order, f.type);
}

static void set_values(merged *m, const dnn_product *p, const dnn_md *src,
                       const dnn_md *dst)
{
    const size_t n = (size_t)m->n;
    value *in = &m->value[INPUT], *out = &m->value[OUTPUT];
    *in = (value){ .outer = dnn_md_bytes(p->src) / n, .inner = dnn_md_bytes(src) / n };
    *out = (value){ .outer = dnn_md_bytes(p->dst) / n, .inner = dnn_md_bytes(dst) / n };
    switch (m->kind) {
    case DNN_INFER:
    case DNN_FORWARD:
        in->slot = DNN_SRC;
        out->slot = DNN_DST;
        in->in = out->out = true;
        out->in = p->sum;
        break;
    case DNN_BACKWARD_DATA:
        in->slot = DNN_DIFF_SRC;
        out->slot = DNN_DIFF_DST;
        in->out = out->in = true;
        break;
    case DNN_BACKWARD_WEIGHTS:
        in->slot = DNN_SRC;
        out->slot = DNN_DIFF_DST;
        in->in = out->in = true;
        break;
    }
}

/* The convolution of merged groups, and the way of its weights. */
static afn_status prepare_primitive(merged *m, const cpu_device *d,
                                    const dnn_product *p, dnn_type type)
{
    afn_status st = AFN_OK;
    const bool makes = m->kind == DNN_BACKWARD_WEIGHTS;
    const cpu_format f = { d->blocked, d->type };
    const int64_t ic = m->each * m->ic_each, oc = m->each * m->oc_each;
    const int64_t shape[] = { m->merged, oc, ic, p->conv->kh, p->conv->kw };
    const int64_t padded[] = { m->merged * oc };
    dnn_md *src = NULL, *dst = NULL, *bias = NULL, *any = NULL, *plain = NULL;
    dnn_product w = *p;
    AFN_TRY(with_channels(&src, p->src, m->merged * ic, f));
    AFN_TRY(with_channels(&dst, p->dst, m->merged * oc, f));
    AFN_TRY(dnn_md_new(&any, 5, shape, DNN_ANY, type));
    AFN_TRY(dnn_md_new(&plain, 5, shape, DNN_PLAIN, type));
    if (m->bias) AFN_TRY(dnn_md_new(&bias, 1, padded, DNN_PLAIN, DNN_F32));
    w.src = src;
    w.dst = dst;
    w.weights = any;
    w.bias = bias;
    AFN_TRY(dnn_product_new(&m->op, d->dnn, m->kind, &w));
    const dnn_md *own = dnn_op_md(m->op, makes ? DNN_DIFF_WEIGHTS : DNN_WEIGHTS);
    AFN_TRY(
        dnn_reorder_new(&m->move, d->dnn, makes ? own : plain, makes ? plain : own));
    m->matrix_bytes = dnn_md_bytes(plain);
    set_values(m, p, src, dst);
done:
    dnn_md_free(src);
    dnn_md_free(dst);
    dnn_md_free(bias);
    dnn_md_free(any);
    dnn_md_free(plain);
    return st;
}

static size_t place(cpu_pass *p, size_t bytes)
{
    const size_t at = p->scratch_bytes;
    p->scratch_bytes += cpu_aligned(bytes);
    return at;
}

/* Scratch begins with that of the primitives, which run one after the other. */
static void set_places(cpu_pass *p, merged *m)
{
    const bool makes = m->kind == DNN_BACKWARD_WEIGHTS;
    const size_t a = cpu_op_bytes(m->op, DNN_SCRATCH);
    const size_t b = cpu_op_bytes(m->move, DNN_SCRATCH);
    const size_t own =
        dnn_md_bytes(dnn_op_md(m->op, makes ? DNN_DIFF_WEIGHTS : DNN_WEIGHTS));
    p->scratch_bytes = a > b ? a : b;
    for (int i = 0; i < N_VALUES; i++) {
        value *v = &m->value[i];
        if (v->inner != v->outer) v->at = place(p, (size_t)m->n * v->inner);
    }
    if (m->bias)
        m->bias_at =
            place(p, (size_t)(m->merged * m->each * m->oc_each) * sizeof(float));
    m->matrix_at = place(p, m->matrix_bytes);
    if (makes)
        m->made_at = place(p, own);
    else
        p->held_bytes = own;
}

static afn_status prepare(cpu_pass *p, dnn_pass kind, const dnn_product *d)
{
    afn_status st = AFN_OK;
    const cpu_device *device = p->device;
    const cpu_format f = { device->blocked, device->type };
    const dnn_type type = kind == DNN_BACKWARD_WEIGHTS ? DNN_F32 : device->type;
    merged *m = p->state = afn_alloc(sizeof *m);
    AFN_REQUIRE(m, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(cpu_merges_groups(device, d), AFN_EUNSUPPORTED, "no groups to merge");
    AFN_REQUIRE(!afn_act_moves_zero(d->act), AFN_EUNSUPPORTED,
                "the activation of padding is not 0");
    AFN_TRY(cpu_need_format(d->src, f));
    AFN_TRY(cpu_need_format(d->dst, f));
    m->kind = kind;
    m->element = type == DNN_F32 ? sizeof(float) : sizeof(uint16_t);
    set_groups(m, d, device->kern->block);
    const int64_t shape[] = { m->groups, m->oc_each, m->ic_each, d->conv->kh,
                              d->conv->kw };
    AFN_TRY(dnn_md_new(&m->weights, 5, shape, DNN_PLAIN, type));
    AFN_TRY(prepare_primitive(m, device, d, type));
    p->weights = m->weights;
    set_places(p, m);
done:
    return st;
}

/* ---- running ---- */

typedef struct groups_call {
    const merged *m;
    char *groups, *matrix; /* weights of the groups and of the merged groups */
} groups_call;

/* Rows of groups to the diagonal of the matrix, or back. */
static void diagonal_range(void *user, int64_t from, int64_t to)
{
    const groups_call *c = user;
    const merged *m = c->m;
    const bool makes = m->kind == DNN_BACKWARD_WEIGHTS;
    const size_t bytes = (size_t)(m->ic_each * m->taps) * m->element;
    for (int64_t g = from; g < to; g++)
        for (int64_t o = 0; o < m->oc_each; o++) {
            const int64_t row = g * m->oc_each + o;
            char *in_group = c->groups + (size_t)row * bytes;
            char *in_matrix = c->matrix + (size_t)(row * m->each + g % m->each) * bytes;
            if (makes)
                memcpy(in_group, in_matrix, bytes);
            else
                memcpy(in_matrix, in_group, bytes);
        }
}

typedef struct copy_call {
    const value *v;
    char *outer, *inner;
    bool enter;
} copy_call;

static void copy_range(void *user, int64_t from, int64_t to)
{
    const copy_call *c = user;
    const value *v = c->v;
    const size_t both = v->outer < v->inner ? v->outer : v->inner;
    for (int64_t i = from; i < to; i++) {
        char *outer = c->outer + (size_t)i * v->outer;
        char *inner = c->inner + (size_t)i * v->inner;
        if (c->enter) {
            memcpy(inner, outer, both);
            memset(inner + both, 0, v->inner - both);
        } else {
            memcpy(outer, inner, both);
        }
    }
}

/* Values that are copied, into or out of their copies. */
static void copy_values(const merged *m, void *const *buffer, void *const *own,
                        bool enter)
{
    for (int i = 0; i < N_VALUES; i++) {
        const value *v = &m->value[i];
        if (v->inner == v->outer || !(enter ? v->in : v->out)) continue;
        cpu_parallel(m->n, copy_range,
                     &(copy_call){ v, buffer[v->slot], own[v->slot], enter });
    }
}

/* Weights that the primitive reads, kept over the runs on a batch. */
static afn_status enter_weights(const cpu_pass *p, const cpu_run *r)
{
    const merged *m = p->state;
    char *matrix = (char *)r->scratch + m->matrix_at;
    if (!r->first) return AFN_OK;
    memset(matrix, 0, m->matrix_bytes);
    cpu_parallel(m->groups, diagonal_range,
                 &(groups_call){ m, r->buffer[DNN_WEIGHTS], matrix });
    return dnn_reorder_run(p->device->dnn, m->move, matrix, r->held, r->scratch);
}

static afn_status leave_weights(const cpu_pass *p, const cpu_run *r)
{
    const merged *m = p->state;
    char *matrix = (char *)r->scratch + m->matrix_at;
    const afn_status st = dnn_reorder_run(
        p->device->dnn, m->move, (char *)r->scratch + m->made_at, matrix, r->scratch);
    if (st != AFN_OK) return st;
    cpu_parallel(m->groups, diagonal_range,
                 &(groups_call){ m, r->buffer[DNN_DIFF_WEIGHTS], matrix });
    return AFN_OK;
}

static void enter_bias(const merged *m, const float *from, float *bias)
{
    const int64_t count = m->merged * m->each * m->oc_each;
    memcpy(bias, from, (size_t)m->oc * sizeof *bias);
    memset(bias + m->oc, 0, (size_t)(count - m->oc) * sizeof *bias);
}

static afn_status run(const cpu_pass *p, const cpu_run *r)
{
    afn_status st = AFN_OK;
    const merged *m = p->state;
    const bool makes = m->kind == DNN_BACKWARD_WEIGHTS;
    char *scratch = r->scratch;
    void *own[DNN_N_SLOTS] = { [DNN_SCRATCH] = scratch };
    for (int i = 0; i < N_VALUES; i++) {
        const value *v = &m->value[i];
        own[v->slot] = v->inner == v->outer ? r->buffer[v->slot] : scratch + v->at;
    }
    own[makes ? DNN_DIFF_WEIGHTS : DNN_WEIGHTS] =
        makes ? scratch + m->made_at : r->held;
    if (m->bias) own[makes ? DNN_DIFF_BIAS : DNN_BIAS] = scratch + m->bias_at;
    copy_values(m, r->buffer, own, true);
    if (!makes) AFN_TRY(enter_weights(p, r));
    if (m->bias && !makes) enter_bias(m, r->buffer[DNN_BIAS], own[DNN_BIAS]);
    AFN_TRY(dnn_run(p->device->dnn, m->op, own));
    copy_values(m, r->buffer, own, false);
    if (makes) AFN_TRY(leave_weights(p, r));
    if (m->bias && makes)
        memcpy(r->buffer[DNN_DIFF_BIAS], own[DNN_DIFF_BIAS],
               (size_t)m->oc * sizeof(float));
done:
    return st;
}

const cpu_algo cpu_algo_merged = {
    .name = "direct-merged",
    .prepare = prepare,
    .run = run,
    .free = release,
};
