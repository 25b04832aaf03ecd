/* SPDX-License-Identifier: Apache-2.0 */
/* Products: what is around the passes of cpu_pass.h.
 *
 * The layout of the weights is what the direct forward pass likes best, and a blob
 * keeps it from then on: gradient and optimiser state share it.  A pass that wants
 * another layout gets a reorder through scratch memory.
 *
 * In bf16 a blob is still fp32, in the layout that the gradient of weights comes in;
 * the passes that read weights get them through such a reorder, rounded.
 *
 * A folded batch norm scales the weights of output channel o by s = gamma/sqrt(var+eps)
 * and makes the bias beta + (b - mean) s.  Such weights are private to the kernel, made
 * by load(); so are those that inference reads by another algorithm than direct, or in
 * bf16. */
#include "engine/cpu/cpu_product.h"

#include <math.h>
#include <string.h>

#include "engine/cpu/cpu_choose.h"

/* A pass and the reorder between the blob's weights and its own, NULL if equal. */
typedef struct leg {
    cpu_pass *pass; /* NULL where the step has no such pass */
    dnn_op *move;   /* forward, data: blob -> pass; weights: pass -> blob */
} leg;

typedef struct product {
    cpu_device *device;
    const afn_step *step;
    const afn_graph *graph;
    const afn_conv_attr *conv; /* NULL = linear */
    leg forward, data, weights;
    bool private_weights; /* gradient of weights is made but not wanted */
    void *own;            /* private weights, NULL: those of the blob */
    float *own_bias;
    afn_layout in, out;
    int64_t n, slices; /* samples of a call, calls for a batch */
    bool narrow;       /* the output is fp32, backward takes its gradient in bf16 */
} product;

/* Descriptors of a product while it is prepared. */
typedef struct descriptors {
    dnn_md *src, *dst;
    dnn_md *dst_gradient;       /* as backward takes it */
    dnn_md *weights;            /* as forward and backward data read them */
    const dnn_md *weights_made; /* as backward weights makes their gradient */
    dnn_md *bias;               /* NULL = none */
} descriptors;

static void leg_free(leg *l)
{
    cpu_pass_free(l->pass);
    dnn_op_free(l->move);
    *l = (leg){ 0 };
}

void cpu_product_free(void *state)
{
    product *s = state;
    if (!s) return;
    leg_free(&s->forward);
    leg_free(&s->data);
    leg_free(&s->weights);
    afn_free(s->own);
    afn_free(s->own_bias);
    afn_free(s);
}

static bool has_bias(const afn_step *s)
{
    return s->norm || s->node->param[AFN_BIAS] >= 0;
}

/* ---- preparing ---- */

/* Weights as a blob in the layout of md; an existing layout stays. */
static afn_status use_weights(const afn_prepare *p, const dnn_md *md)
{
    afn_blob *b = &p->blob[p->step->node->param[AFN_WEIGHT]];
    b->used = true;
    if (b->layout) return AFN_OK;
    b->count = (int64_t)(dnn_md_bytes(md) / sizeof(float));
    return dnn_md_copy((dnn_md **)&b->layout, md);
}

static const dnn_md *blob_layout(const afn_prepare *p)
{
    return p->blob[p->step->node->param[AFN_WEIGHT]].layout;
}

/* A pass with weights between blob and pass; blob NULL: as the pass likes. */
static afn_status leg_new(leg *l, const product *s, const cpu_algo *algo, dnn_pass kind,
                          const dnn_product *d, const dnn_md *blob)
{
    const afn_status st = cpu_pass_new(&l->pass, algo, s->device, kind, d);
    if (st != AFN_OK || !blob || dnn_md_equal(blob, l->pass->weights)) return st;
    const bool back = kind == DNN_BACKWARD_WEIGHTS;
    return dnn_reorder_new(&l->move, s->device->dnn, back ? l->pass->weights : blob,
                           back ? blob : l->pass->weights);
}

/* The leg by the algorithm chosen for it, or directly where that does not apply. */
static afn_status choose_leg(leg *l, const product *s, const afn_prepare *p,
                             dnn_pass kind, const dnn_product *d, const dnn_md *blob)
{
    const cpu_algo *algo = cpu_choose(p, kind, d, blob);
    const afn_status st = leg_new(l, s, algo, kind, d, blob);
    if (st != AFN_EUNSUPPORTED || algo == &cpu_algo_direct) return st;
    leg_free(l);
    return leg_new(l, s, &cpu_algo_direct, kind, d, blob);
}

static dnn_product describe(const product *s, const descriptors *d, dnn_pass kind)
{
    const afn_step *step = s->step;
    const bool forward = kind == DNN_INFER || kind == DNN_FORWARD;
    return (dnn_product){
        .src = d->src,
        .weights = kind == DNN_BACKWARD_WEIGHTS ? d->weights_made : d->weights,
        .dst = forward ? d->dst : d->dst_gradient,
        .bias = d->bias,
        .conv = s->conv,
        .sum = step->add,
        .act = step->act,
    };
}

static afn_status allocate_own(product *s)
{
    const cpu_pass *pass = s->forward.pass;
    const size_t bytes =
        pass->packed_bytes ? pass->packed_bytes : dnn_md_bytes(pass->weights);
    const int64_t oc = cpu_padded(s->device, s->step->out_shape.dim[0]);
    s->own = afn_alloc_aligned(bytes);
    s->own_bias = afn_alloc_aligned((size_t)oc * sizeof(float));
    if (!s->own || !s->own_bias) return afn_fail(AFN_ENOMEM, "out of memory");
    memset(s->own_bias, 0, (size_t)oc * sizeof(float));
    return AFN_OK;
}

static afn_status prepare_inference(product *s, const afn_prepare *p,
                                    const descriptors *d)
{
    const afn_step *step = p->step;
    const bool own = step->norm || s->device->type == DNN_BF16;
    dnn_product f = describe(s, d, DNN_INFER);
    if (!own && blob_layout(p)) f.weights = blob_layout(p);
    const afn_status st = choose_leg(&s->forward, s, p, DNN_INFER, &f, NULL);
    if (st != AFN_OK) return st;
    if (own || s->forward.pass->algo != &cpu_algo_direct) return allocate_own(s);
    cpu_use_vector(p, step->node, AFN_BIAS);
    return use_weights(p, s->forward.pass->weights);
}

/* Give the blob its layout: that of forward, or in bf16 that of the gradient. */
static afn_status choose_layout(product *s, const afn_prepare *p, const descriptors *d)
{
    leg l = { 0 };
    const dnn_pass kind =
        s->device->type == DNN_BF16 ? DNN_BACKWARD_WEIGHTS : DNN_FORWARD;
    const dnn_product w = describe(s, d, kind);
    afn_status st =
        blob_layout(p) ? AFN_OK : leg_new(&l, s, &cpu_algo_direct, kind, &w, NULL);
    if (st == AFN_OK) st = use_weights(p, l.pass ? l.pass->weights : blob_layout(p));
    leg_free(&l);
    return st;
}

static afn_status prepare_forward(product *s, const afn_prepare *p,
                                  const descriptors *d)
{
    dnn_product f = describe(s, d, DNN_FORWARD);
    const afn_status st = choose_layout(s, p, d);
    if (st != AFN_OK) return st;
    cpu_use_vector(p, p->step->node, AFN_BIAS);
    if (s->device->type == DNN_F32) f.weights = blob_layout(p);
    return choose_leg(&s->forward, s, p, DNN_FORWARD, &f, blob_layout(p));
}

static afn_status prepare_backward(product *s, const afn_prepare *p,
                                   const descriptors *d)
{
    afn_status st = AFN_OK;
    const afn_step *step = p->step;
    const dnn_product data = describe(s, d, DNN_BACKWARD_DATA);
    dnn_product weights = describe(s, d, DNN_BACKWARD_WEIGHTS);
    if (step->grad_input[0])
        AFN_TRY(choose_leg(&s->data, s, p, DNN_BACKWARD_DATA, &data, blob_layout(p)));
    s->private_weights = !step->grad_param[AFN_WEIGHT];
    if (!step->grad_param[AFN_BIAS]) weights.bias = NULL;
    if (step->grad_param[AFN_WEIGHT] || step->grad_param[AFN_BIAS])
        AFN_TRY(choose_leg(&s->weights, s, p, DNN_BACKWARD_WEIGHTS, &weights,
                           blob_layout(p)));
done:
    return st;
}

/* ---- memory of a leg ----
 *
 * Held over the runs on a batch: weights on their way between blob and pass, and what
 * the pass holds.  Scratch: what the reorder or the pass needs, and a gradient of
 * weights that is not the batch's first. */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t weights_bytes(const leg *l)
{
    return cpu_aligned(dnn_md_bytes(l->pass->weights));
}

static size_t bias_bytes(const product *s)
{
    return cpu_aligned((size_t)cpu_padded(s->device, s->step->out_shape.dim[0]) *
                       sizeof(float));
}

/* Are gradients of weights made apart and then moved, or dropped? */
static bool apart(const product *s, const leg *l)
{
    return l->move || (l == &s->weights && s->private_weights);
}

static size_t held_bytes(const product *s, const leg *l)
{
    if (!l->pass) return 0;
    return (apart(s, l) ? weights_bytes(l) : 0) + cpu_aligned(l->pass->held_bytes);
}

static size_t leg_scratch_bytes(const leg *l)
{
    return l->pass ? larger(cpu_op_bytes(l->move, DNN_SCRATCH),
                            cpu_aligned(l->pass->scratch_bytes))
                   : 0;
}

/* Several runs each make a gradient that is added to the first's. */
static bool adds_up(const product *s)
{
    return s->slices > 1 && s->weights.pass && !s->weights.pass->sums;
}

static size_t weights_scratch_bytes(const product *s)
{
    const size_t one = adds_up(s) ? weights_bytes(&s->weights) + bias_bytes(s) : 0;
    return one + leg_scratch_bytes(&s->weights);
}

/* Of the output's gradient in bf16. */
static size_t narrow_bytes(const product *s)
{
    const int64_t count = s->n * cpu_count(&s->out);
    return s->narrow ? cpu_aligned((size_t)count * sizeof(uint16_t)) : 0;
}

/* Backward data that adds to a gradient makes its own apart. */
static size_t add_bytes(const product *s)
{
    return s->data.pass ? cpu_aligned((size_t)s->n * s->in.bytes) : 0;
}

static void set_sizes(const product *s, afn_kernel *k)
{
    const size_t backward =
        larger(leg_scratch_bytes(&s->data), weights_scratch_bytes(s));
    k->scratch_bytes =
        larger(leg_scratch_bytes(&s->forward), narrow_bytes(s) + backward);
    k->add_bytes = add_bytes(s);
    k->held_bytes[AFN_TASK_FORWARD] = held_bytes(s, &s->forward);
    k->held_bytes[AFN_TASK_RECOMPUTE] = held_bytes(s, &s->forward);
    k->held_bytes[AFN_TASK_BACKWARD] =
        held_bytes(s, &s->data) + held_bytes(s, &s->weights);
}

/* A convolution that makes much of little is as cheap as a pass over its result. */
static bool is_cheap(const afn_step *s)
{
    const afn_conv_attr *c = &s->node->attr.conv;
    const int64_t depth = s->in_shape[0].dim[0] / c->groups * c->kh * c->kw;
    return depth <= 64 &&
           afn_shape_count(&s->out_shape) >= 2 * afn_shape_count(&s->in_shape[0]);
}

static void *take(char **at, size_t bytes)
{
    void *p = *at;
    *at += cpu_aligned(bytes);
    return p;
}

/* A run of a leg: its own part of the held memory comes next in *held. */
static cpu_run begin_run(const leg *l, const afn_args *a, void *const *buffer,
                         char **held, void *scratch)
{
    return (cpu_run){ .buffer = buffer,
                      .scratch = scratch,
                      .held = take(held, l->pass->held_bytes),
                      .first = a->first == 0,
                      .last = afn_is_last(a) };
}

/* The blob's weights as the pass reads them: in place where it can, else moved once for
 * a batch. */
static afn_status moved_weights(const product *s, const leg *l, bool first,
                                void **weights, char **held, void *scratch)
{
    if (!l->move) return AFN_OK;
    void *from = *weights;
    *weights = take(held, weights_bytes(l));
    return first ? dnn_reorder_run(s->device->dnn, l->move, from, *weights, scratch)
                 : AFN_OK;
}

static afn_status prepare_all(product *s, const afn_prepare *p, const descriptors *d)
{
    if (!p->step->train) return prepare_inference(s, p, d);
    const afn_status st = prepare_forward(s, p, d);
    return st == AFN_OK ? prepare_backward(s, p, d) : st;
}

static afn_status make_descriptors(descriptors *d, const product *s,
                                   const afn_prepare *p, const dnn_md *weights)
{
    afn_status st = AFN_OK;
    const afn_step *step = s->step;
    const cpu_format in = cpu_format_of(&s->in), out = cpu_format_of(&s->out);
    const cpu_format gradient = { out.order, in.type };
    d->weights_made = weights;
    AFN_TRY(cpu_value_md(&d->src, &step->in_shape[0], p->n, in));
    AFN_TRY(cpu_value_md(&d->dst, &step->out_shape, p->n, out));
    AFN_TRY(cpu_value_md(&d->dst_gradient, &step->out_shape, p->n, gradient));
    if (in.type == DNN_F32)
        AFN_TRY(dnn_md_copy(&d->weights, weights));
    else
        AFN_TRY(dnn_md_any(&d->weights, weights, in.type));
    if (has_bias(step))
        AFN_TRY(dnn_md_new(&d->bias, 1, step->out_shape.dim, DNN_PLAIN, DNN_F32));
done:
    return st;
}

static void free_descriptors(descriptors *d)
{
    dnn_md_free(d->src);
    dnn_md_free(d->dst);
    dnn_md_free(d->dst_gradient);
    dnn_md_free(d->weights);
    dnn_md_free(d->bias);
}

afn_status cpu_product_prepare(const afn_prepare *p, const dnn_md *weights,
                               const afn_conv_attr *conv, afn_kernel *k)
{
    afn_status st = AFN_OK;
    const afn_step *step = p->step;
    cpu_device *device = p->device;
    descriptors d = { 0 };
    product *s = afn_alloc(sizeof *s);
    k->state = s;
    AFN_REQUIRE(s, AFN_ENOMEM, "out of memory");
    s->device = device;
    s->step = step;
    s->graph = p->graph;
    s->conv = conv;
    s->n = p->n;
    s->slices = p->batch / p->n;
    AFN_TRY(cpu_layout(&k->out, &step->out_shape,
                       (cpu_format){ cpu_order(device, &step->out_shape),
                                     cpu_output_type(device, step) }));
    s->in = p->in[0];
    s->out = k->out;
    s->narrow = cpu_format_of(&s->out).type != cpu_format_of(&s->in).type;
    AFN_TRY(make_descriptors(&d, s, p, weights));
    AFN_TRY(prepare_all(s, p, &d));
    set_sizes(s, k);
    k->cheap = conv && is_cheap(step);
    k->keep_input = s->weights.pass != NULL;
    k->keep_output = step->act != AFN_NO_ACT;
    k->alias = step->add ? step->n_inputs - 1 : -1;
done:
    free_descriptors(&d);
    return st;
}

/* ---- running ---- */

afn_status cpu_product_forward(void *state, const afn_args *a)
{
    const product *s = state;
    const leg *l = &s->forward;
    char *held = a->held;
    const int bias = s->step->node->param[AFN_BIAS];
    const int last = s->step->n_inputs - 1;
    void *weights = s->own ? s->own : a->blob[s->step->node->param[AFN_WEIGHT]].value;
    const afn_status st =
        moved_weights(s, l, a->first == 0, &weights, &held, a->scratch);
    if (st != AFN_OK) return st;
    if (s->step->add && a->in[last] != a->out)
        cpu_copy(a->out, a->in[last], (size_t)a->n * s->out.bytes);
    void *buffer[DNN_N_SLOTS] = {
        [DNN_SRC] = (void *)a->in[0],
        [DNN_DST] = a->out,
        [DNN_WEIGHTS] = weights,
        [DNN_BIAS] = s->own      ? s->own_bias
                     : bias >= 0 ? a->blob[bias].value
                                 : NULL,
    };
    const cpu_run r = begin_run(l, a, buffer, &held, a->scratch);
    return cpu_pass_run(l->pass, &r);
}

/* Where the gradient of weights and bias of all samples comes to be. */
typedef struct gradient {
    float *weights, *bias;
} gradient;

/* Add what a later run made to what the runs before it did. */
static void add_up(const product *s, const gradient *sum, const gradient *more)
{
    const afn_kern *kern = s->device->kern;
    const size_t bytes = dnn_md_bytes(s->weights.pass->weights);
    cpu_accumulate(kern, sum->weights, more->weights, (int64_t)(bytes / sizeof(float)));
    if (sum->bias)
        cpu_accumulate(kern, sum->bias, more->bias, s->step->out_shape.dim[0]);
}

static afn_status weights_gradient(const product *s, const afn_args *a, void *dout,
                                   char **held, char *scratch)
{
    const leg *l = &s->weights;
    const afn_node *n = s->step->node;
    float *wanted = a->blob[n->param[AFN_WEIGHT]].grad;
    const gradient sum = {
        .weights = apart(s, l) ? take(held, weights_bytes(l)) : wanted,
        .bias = s->step->grad_param[AFN_BIAS] ? a->blob[n->param[AFN_BIAS]].grad : NULL,
    };
    gradient made = sum;
    const bool more = adds_up(s) && a->first > 0;
    if (more) made.weights = take(&scratch, weights_bytes(l));
    if (more && sum.bias) made.bias = take(&scratch, bias_bytes(s));
    void *buffer[DNN_N_SLOTS] = {
        [DNN_SRC] = (void *)a->in[0],
        [DNN_DIFF_DST] = dout,
        [DNN_DIFF_WEIGHTS] = made.weights,
        [DNN_DIFF_BIAS] = made.bias,
    };
    const cpu_run r = begin_run(l, a, buffer, held, scratch);
    const afn_status st = cpu_pass_run(l->pass, &r);
    if (st != AFN_OK) return st;
    if (more) add_up(s, &sum, &made);
    if (!l->move || s->private_weights || !r.last) return AFN_OK;
    return dnn_reorder_run(s->device->dnn, l->move, sum.weights, wanted, scratch);
}

static afn_status data_gradient(const product *s, const afn_args *a, void *dout,
                                char **held, char *scratch)
{
    const leg *l = &s->data;
    void *weights = a->blob[s->step->node->param[AFN_WEIGHT]].value;
    void *made = a->din[0];
    afn_status st = moved_weights(s, l, a->first == 0, &weights, held, scratch);
    if (st != AFN_OK) return st;
    if (a->accumulate[0]) made = take(&scratch, (size_t)a->n * s->in.bytes);
    void *buffer[DNN_N_SLOTS] = {
        [DNN_DIFF_DST] = dout, [DNN_WEIGHTS] = weights, [DNN_DIFF_SRC] = made
    };
    const cpu_run r = begin_run(l, a, buffer, held, scratch);
    st = cpu_pass_run(l->pass, &r);
    if (st == AFN_OK && a->accumulate[0])
        cpu_accumulate(cpu_kern(&s->in, s->device), a->din[0], made,
                       a->n * cpu_count(&s->in));
    return st;
}

typedef struct mask_args {
    const afn_kern *kern;
    int act;
    void *dy;
    const void *y;
} mask_args;

static void mask_range(void *user, int64_t from, int64_t to)
{
    const mask_args *m = user;
    void *dy = cpu_at(m->kern, m->dy, from);
    m->kern->mask(dy, dy, cpu_get(m->kern, m->y, from), to - from, m->act);
}

/* The output's gradient in the type that the passes take. */
static void *narrowed(const product *s, const afn_args *a, char **scratch)
{
    if (!s->narrow) return a->dout;
    void *to = take(scratch, narrow_bytes(s));
    cpu_store(cpu_kern(&s->in, s->device), to, a->dout, a->n * cpu_count(&s->out));
    return to;
}

afn_status cpu_product_backward(void *state, const afn_args *a)
{
    const product *s = state;
    afn_status st = AFN_OK;
    char *scratch = a->scratch, *held = a->held;
    if (s->step->act != AFN_NO_ACT)
        cpu_parallel(a->n * cpu_count(&s->out), mask_range,
                     &(mask_args){ cpu_kern(&s->out, s->device), s->step->act, a->dout,
                                   a->out });
    void *dout = narrowed(s, a, &scratch);
    if (s->weights.pass) st = weights_gradient(s, a, dout, &held, scratch);
    if (st == AFN_OK && s->data.pass && a->din[0])
        st = data_gradient(s, a, dout, &held, scratch);
    return st;
}

/* ---- private weights ---- */

/* Scale and shift of output channel o, as the head of this file says. */
static void scale_of(const product *s, const afn_params *params, int64_t o,
                     float *scale, float *shift)
{
    const afn_node *norm = s->step->norm;
    const int bias = s->step->node->param[AFN_BIAS];
    const float b = bias >= 0 ? afn_params_f32(params, bias)[o] : 0.0f;
    *scale = 1.0f;
    *shift = b;
    if (!norm) return;
    const float gamma = afn_params_f32(params, norm->param[AFN_WEIGHT])[o];
    const float beta = afn_params_f32(params, norm->param[AFN_BIAS])[o];
    const float mean = afn_params_f32(params, norm->param[AFN_RUNNING_MEAN])[o];
    const float var = afn_params_f32(params, norm->param[AFN_RUNNING_VAR])[o];
    *scale = gamma / sqrtf(var + norm->attr.bn.eps);
    *shift = beta + (b - mean) * *scale;
}

/* Row o of w, and b. */
static void fold(const product *s, const afn_params *params, float *w, float *b)
{
    const int weight = s->step->node->param[AFN_WEIGHT];
    const int64_t oc = s->step->out_shape.dim[0];
    const int64_t row = afn_params_size(params, weight) / oc;
    const float *from = afn_params_f32(params, weight);
    for (int64_t o = 0; o < oc; o++) {
        float scale;
        scale_of(s, params, o, &scale, &b[o]);
        for (int64_t i = 0; i < row; i++) w[o * row + i] = from[o * row + i] * scale;
    }
}

/* Row-major weights into the layout of a pass. */
static afn_status reorder(const product *s, const cpu_pass *pass, const dnn_md *plain,
                          float *from, void *to)
{
    afn_status st = AFN_OK;
    dnn_op *op = NULL;
    void *scratch = NULL;
    AFN_TRY(dnn_reorder_new(&op, s->device->dnn, plain, pass->weights));
    scratch = afn_alloc_aligned(cpu_op_bytes(op, DNN_SCRATCH));
    AFN_REQUIRE(scratch, AFN_ENOMEM, "out of memory");
    st = dnn_reorder_run(s->device->dnn, op, from, to, scratch);
done:
    dnn_op_free(op);
    afn_free(scratch);
    return st;
}

/* The same into what the pass reads in every call. */
static afn_status pack(const product *s, const dnn_md *plain, float *from)
{
    const cpu_pass *pass = s->forward.pass;
    if (!pass->packed_bytes) return reorder(s, pass, plain, from, s->own);
    float *w = afn_alloc_aligned(dnn_md_bytes(pass->weights));
    if (!w) return afn_fail(AFN_ENOMEM, "out of memory");
    const afn_status st = reorder(s, pass, plain, from, w);
    if (st == AFN_OK) pass->algo->pack(pass, w, s->own);
    afn_free(w);
    return st;
}

afn_status cpu_product_load(void *state, const afn_params *params)
{
    const product *s = state;
    afn_status st = AFN_OK;
    dnn_md *plain = NULL;
    float *w = NULL;
    if (!s->own) return AFN_OK;
    AFN_TRY(dnn_md_plain(&plain, s->forward.pass->weights));
    w = afn_alloc_aligned(dnn_md_bytes(plain));
    AFN_REQUIRE(w, AFN_ENOMEM, "out of memory");
    fold(s, params, w, s->own_bias);
    st = pack(s, plain, w);
done:
    dnn_md_free(plain);
    afn_free(w);
    return st;
}
