/* SPDX-License-Identifier: Apache-2.0 */
/* Products on oneDNN.
 *
 * The layout of the weights is what the forward primitive likes best, and a blob keeps
 * it from then on: gradient and optimiser state share it.  A primitive that wants
 * another layout gets a reorder through scratch memory.
 *
 * A folded batch norm scales the weights of output channel o by s = gamma/sqrt(var+eps)
 * and makes the bias beta + (b - mean) s.  Such weights are private to the kernel, made
 * by load(). */
#include "engine/cpu/cpu_product.h"

#include <math.h>
#include <string.h>

typedef struct product {
    cpu_device *device;
    const afn_step *step;
    const afn_graph *graph;
    dnn_md *bias_md;
    dnn_op *forward, *backward_data, *backward_weights;
    dnn_op *to_data_weights;   /* blob -> what backward_data reads, NULL if equal */
    dnn_op *from_diff_weights; /* what backward_weights writes -> blob, NULL if equal */
    bool private_weights;      /* gradient of weights is made but not wanted */
    float *folded, *folded_bias;
    int64_t in_floats, out_floats; /* of the whole value, with padding */
} product;

void cpu_product_free(void *state)
{
    product *s = state;
    if (!s) return;
    dnn_md_free(s->bias_md);
    dnn_op_free(s->forward);
    dnn_op_free(s->backward_data);
    dnn_op_free(s->backward_weights);
    dnn_op_free(s->to_data_weights);
    dnn_op_free(s->from_diff_weights);
    afn_free(s->folded);
    afn_free(s->folded_bias);
    afn_free(s);
}

static bool has_bias(const afn_step *s)
{
    return s->norm || s->node->param[AFN_BIAS] >= 0;
}

/* Weights as a blob in the layout of md; an existing layout stays. */
static afn_status use_weights(const afn_prepare *p, const dnn_md *md)
{
    afn_blob *b = &p->blob[p->step->node->param[AFN_WEIGHT]];
    b->used = true;
    if (b->layout) return AFN_OK;
    b->count = (int64_t)(dnn_md_bytes(md) / sizeof(float));
    return dnn_md_copy((dnn_md **)&b->layout, md);
}

static afn_status prepare_forward(product *s, const afn_prepare *p,
                                  const dnn_product *d)
{
    const afn_step *step = p->step;
    dnn_product f = *d;
    const afn_blob *b = &p->blob[step->node->param[AFN_WEIGHT]];
    if (!step->norm && b->layout) f.weights = b->layout;
    const afn_status st = dnn_product_new(&s->forward, s->device->dnn,
                                          step->train ? DNN_FORWARD : DNN_INFER, &f);
    if (st != AFN_OK || step->norm) return st;
    cpu_use_vector(p, step->node, AFN_BIAS);
    return use_weights(p, dnn_op_md(s->forward, DNN_WEIGHTS));
}

/* A reorder between two descriptors, none where they are equal. */
static afn_status reorder_if(dnn_op **out, product *s, const dnn_md *from,
                             const dnn_md *to)
{
    *out = NULL;
    return dnn_md_equal(from, to) ? AFN_OK
                                  : dnn_reorder_new(out, s->device->dnn, from, to);
}

static afn_status prepare_backward_data(product *s, const afn_prepare *p,
                                        const dnn_product *d)
{
    const dnn_md *blob = p->blob[p->step->node->param[AFN_WEIGHT]].layout;
    const afn_status st =
        dnn_product_new(&s->backward_data, s->device->dnn, DNN_BACKWARD_DATA, d);
    if (st != AFN_OK) return st;
    return reorder_if(&s->to_data_weights, s, blob,
                      dnn_op_md(s->backward_data, DNN_WEIGHTS));
}

static afn_status prepare_backward_weights(product *s, const afn_prepare *p,
                                           const dnn_product *d)
{
    const dnn_md *blob = p->blob[p->step->node->param[AFN_WEIGHT]].layout;
    dnn_product b = *d;
    if (!p->step->grad_param[AFN_BIAS]) b.bias = NULL;
    s->private_weights = !p->step->grad_param[AFN_WEIGHT];
    const afn_status st =
        dnn_product_new(&s->backward_weights, s->device->dnn, DNN_BACKWARD_WEIGHTS, &b);
    if (st != AFN_OK) return st;
    return reorder_if(&s->from_diff_weights, s,
                      dnn_op_md(s->backward_weights, DNN_DIFF_WEIGHTS), blob);
}

/* ---- scratch: the primitive's own, then whatever a reorder passes through ---- */

static size_t slot_bytes(const dnn_op *op, dnn_slot slot)
{
    const dnn_md *md = op ? dnn_op_md(op, slot) : NULL;
    return md ? cpu_aligned(dnn_md_bytes(md)) : 0;
}

static size_t scratch_bytes(const product *s)
{
    const size_t forward = slot_bytes(s->forward, DNN_SCRATCH);
    const size_t reorder = slot_bytes(s->to_data_weights, DNN_SCRATCH) +
                           slot_bytes(s->from_diff_weights, DNN_SCRATCH);
    const size_t data = slot_bytes(s->backward_data, DNN_SCRATCH) +
                        slot_bytes(s->backward_data, DNN_WEIGHTS) +
                        slot_bytes(s->backward_data, DNN_DIFF_SRC) + reorder;
    const size_t weights = slot_bytes(s->backward_weights, DNN_SCRATCH) +
                           slot_bytes(s->backward_weights, DNN_DIFF_WEIGHTS) + reorder;
    const size_t backward = data > weights ? data : weights;
    return forward > backward ? forward : backward;
}

static char *take(char **at, size_t bytes)
{
    char *p = *at;
    *at += cpu_aligned(bytes);
    return p;
}

static afn_status run(const product *s, dnn_op *op, void **buffer, char **scratch)
{
    buffer[DNN_SCRATCH] = take(scratch, slot_bytes(op, DNN_SCRATCH));
    return dnn_run(s->device->dnn, op, buffer);
}

static afn_status allocate_folded(product *s)
{
    const size_t bytes = dnn_md_bytes(dnn_op_md(s->forward, DNN_WEIGHTS));
    const int64_t oc = s->step->out_shape.dim[0];
    s->folded = afn_alloc_aligned(bytes);
    s->folded_bias =
        afn_alloc_aligned((size_t)cpu_padded(s->device, oc) * sizeof(float));
    return s->folded && s->folded_bias ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

static afn_status prepare_all(product *s, const afn_prepare *p, const dnn_product *d)
{
    afn_status st = AFN_OK;
    const afn_step *step = p->step;
    AFN_TRY(prepare_forward(s, p, d));
    if (step->norm) AFN_TRY(allocate_folded(s));
    if (!step->train) goto done;
    if (step->grad_input[0]) AFN_TRY(prepare_backward_data(s, p, d));
    if (step->grad_param[AFN_WEIGHT] || step->grad_param[AFN_BIAS])
        AFN_TRY(prepare_backward_weights(s, p, d));
done:
    return st;
}

afn_status cpu_product_prepare(const afn_prepare *p, const dnn_md *weights,
                               const afn_conv_attr *conv, afn_kernel *k)
{
    afn_status st = AFN_OK;
    const afn_step *step = p->step;
    cpu_device *device = p->device;
    dnn_md *src = NULL, *dst = NULL;
    product *s = afn_alloc(sizeof *s);
    k->state = s;
    AFN_REQUIRE(s, AFN_ENOMEM, "out of memory");
    s->device = device;
    s->step = step;
    s->graph = p->graph;
    AFN_TRY(cpu_layout(&k->out, &step->out_shape, p->n,
                       cpu_order(device, &step->out_shape)));
    AFN_TRY(cpu_value_md(&src, &step->in_shape[0], p->n, p->in[0].format));
    AFN_TRY(cpu_value_md(&dst, &step->out_shape, p->n, k->out.format));
    if (has_bias(step))
        AFN_TRY(dnn_md_new(&s->bias_md, 1, step->out_shape.dim, DNN_PLAIN, DNN_F32));
    const dnn_product d = { .src = src,
                            .weights = weights,
                            .dst = dst,
                            .bias = s->bias_md,
                            .conv = conv,
                            .sum = step->add,
                            .act = step->act };
    AFN_TRY(prepare_all(s, p, &d));
    s->in_floats = (int64_t)(p->in[0].bytes / sizeof(float));
    s->out_floats = (int64_t)(k->out.bytes / sizeof(float));
    k->scratch_bytes = scratch_bytes(s);
    k->keep_input = s->backward_weights != NULL;
    k->keep_output = step->act != AFN_NO_ACT;
    k->alias = step->add ? step->n_inputs - 1 : -1;
done:
    dnn_md_free(src);
    dnn_md_free(dst);
    return st;
}

afn_status cpu_product_forward(void *state, const afn_args *a)
{
    product *s = state;
    const afn_node *n = s->step->node;
    char *scratch = a->scratch;
    const int bias = n->param[AFN_BIAS];
    if (s->step->add && a->in[s->step->n_inputs - 1] != a->out)
        cpu_copy(a->out, a->in[s->step->n_inputs - 1], s->out_floats);
    void *buffer[DNN_N_SLOTS] = {
        [DNN_SRC] = (void *)a->in[0],
        [DNN_DST] = a->out,
        [DNN_WEIGHTS] = s->folded ? s->folded : a->blob[n->param[AFN_WEIGHT]].value,
        [DNN_BIAS] = s->folded   ? s->folded_bias
                     : bias >= 0 ? a->blob[bias].value
                                 : NULL,
    };
    return run(s, s->forward, buffer, &scratch);
}

static afn_status weights_gradient(product *s, const afn_args *a)
{
    const afn_node *n = s->step->node;
    char *scratch = a->scratch;
    const int bias = n->param[AFN_BIAS];
    float *wanted = a->blob[n->param[AFN_WEIGHT]].grad;
    const bool direct = !s->from_diff_weights && !s->private_weights;
    float *made = direct ? wanted
                         : (float *)take(&scratch, slot_bytes(s->backward_weights,
                                                              DNN_DIFF_WEIGHTS));
    void *buffer[DNN_N_SLOTS] = {
        [DNN_SRC] = (void *)a->in[0],
        [DNN_DIFF_DST] = a->dout,
        [DNN_DIFF_WEIGHTS] = made,
        [DNN_DIFF_BIAS] = s->step->grad_param[AFN_BIAS] ? a->blob[bias].grad : NULL,
    };
    const afn_status st = run(s, s->backward_weights, buffer, &scratch);
    if (st != AFN_OK || direct || s->private_weights) return st;
    void *move[DNN_N_SLOTS] = { [DNN_SRC] = made, [DNN_DST] = wanted };
    return run(s, s->from_diff_weights, move, &scratch);
}

static afn_status data_gradient(product *s, const afn_args *a)
{
    char *scratch = a->scratch;
    float *weights = a->blob[s->step->node->param[AFN_WEIGHT]].value;
    float *made = a->din[0];
    if (s->to_data_weights) {
        void *moved = take(&scratch, slot_bytes(s->backward_data, DNN_WEIGHTS));
        void *move[DNN_N_SLOTS] = { [DNN_SRC] = weights, [DNN_DST] = moved };
        const afn_status st = run(s, s->to_data_weights, move, &scratch);
        if (st != AFN_OK) return st;
        weights = moved;
    }
    if (a->accumulate[0])
        made = (float *)take(&scratch, slot_bytes(s->backward_data, DNN_DIFF_SRC));
    void *buffer[DNN_N_SLOTS] = {
        [DNN_DIFF_DST] = a->dout, [DNN_WEIGHTS] = weights, [DNN_DIFF_SRC] = made
    };
    const afn_status st = run(s, s->backward_data, buffer, &scratch);
    if (st == AFN_OK && a->accumulate[0])
        cpu_accumulate(s->device, a->din[0], made, s->in_floats);
    return st;
}

typedef struct mask_args {
    const product *s;
    float *dy;
    const float *y;
} mask_args;

static void mask_range(void *user, int64_t from, int64_t to)
{
    const mask_args *m = user;
    m->s->device->kern->mask(m->dy + from, m->dy + from, m->y + from, to - from,
                             m->s->step->act);
}

afn_status cpu_product_backward(void *state, const afn_args *a)
{
    product *s = state;
    afn_status st = AFN_OK;
    if (s->step->act != AFN_NO_ACT)
        cpu_parallel(s->out_floats, mask_range, &(mask_args){ s, a->dout, a->out });
    if (s->backward_weights) st = weights_gradient(s, a);
    if (st == AFN_OK && s->backward_data && a->din[0]) st = data_gradient(s, a);
    return st;
}

/* ---- folding ---- */

/* Row o of w, and b: scaled as the head of this file says. */
static void fold(const product *s, const afn_params *params, float *w, float *b)
{
    const afn_node *conv = s->step->node, *norm = s->step->norm;
    const float *gamma = afn_params_f32(params, norm->param[AFN_WEIGHT]);
    const float *beta = afn_params_f32(params, norm->param[AFN_BIAS]);
    const float *mean = afn_params_f32(params, norm->param[AFN_RUNNING_MEAN]);
    const float *var = afn_params_f32(params, norm->param[AFN_RUNNING_VAR]);
    const int bias = conv->param[AFN_BIAS];
    const int64_t oc = s->step->out_shape.dim[0];
    const int64_t row = afn_params_size(params, conv->param[AFN_WEIGHT]) / oc;
    const float *from = afn_params_f32(params, conv->param[AFN_WEIGHT]);
    for (int64_t o = 0; o < oc; o++) {
        const float scale = gamma[o] / sqrtf(var[o] + norm->attr.bn.eps);
        const float old = bias >= 0 ? afn_params_f32(params, bias)[o] : 0.0f;
        for (int64_t i = 0; i < row; i++) w[o * row + i] = from[o * row + i] * scale;
        b[o] = beta[o] + (old - mean[o]) * scale;
    }
}

afn_status cpu_product_load(void *state, const afn_params *params)
{
    product *s = state;
    afn_status st = AFN_OK;
    dnn_md *plain = NULL;
    dnn_op *move = NULL;
    float *w = NULL;
    char *scratch = NULL;
    if (!s->folded) return AFN_OK;
    const dnn_md *own = dnn_op_md(s->forward, DNN_WEIGHTS);
    AFN_TRY(dnn_md_plain(&plain, own));
    AFN_TRY(dnn_reorder_new(&move, s->device->dnn, plain, own));
    w = afn_alloc_aligned(dnn_md_bytes(plain));
    scratch = afn_alloc_aligned(slot_bytes(move, DNN_SCRATCH));
    AFN_REQUIRE(w && scratch, AFN_ENOMEM, "out of memory");
    fold(s, params, w, s->folded_bias);
    void *buffer[DNN_N_SLOTS] = { [DNN_SRC] = w, [DNN_DST] = s->folded };
    char *at = scratch;
    st = run(s, move, buffer, &at);
done:
    dnn_md_free(plain);
    dnn_op_free(move);
    afn_free(w);
    afn_free(scratch);
    return st;
}
