/* SPDX-License-Identifier: Apache-2.0 */
/* A convolution's products timed alone: oneDNN chooses every layout, its algorithms and
 * our own are tried, nothing is reordered, added or fused.  What a network's step
 * reaches is compared with the sum. */
#include <math.h>

#include "engine/cpu/cpu_pass.h"

enum { TRIES = 5 };

/* One of the two made ready: a primitive with layouts of its choice, or a pass of our
 * own in blocked layouts. */
typedef struct product {
    cpu_device *device;
    dnn_op *op;
    cpu_pass *pass;
    void *held; /* owned, as what follows: of the pass */
    void *own[DNN_N_SLOTS];
    void *buffer[DNN_N_SLOTS]; /* borrowed from own; some twice */
} product;

static void product_close(product *p)
{
    dnn_op_free(p->op);
    cpu_pass_free(p->pass);
    afn_free(p->held);
    for (int i = 0; i < DNN_N_SLOTS; i++) afn_free(p->own[i]);
}

static afn_status run_once(const product *p)
{
    if (p->op) return dnn_run(p->device->dnn, p->op, p->buffer);
    return cpu_pass_run(p->pass, &(cpu_run){ .buffer = p->buffer,
                                             .scratch = p->buffer[DNN_SCRATCH],
                                             .held = p->held,
                                             .first = true,
                                             .last = true });
}

/* Median of TRIES runs after one to warm up. */
static afn_status time_runs(const product *p, double *out)
{
    double s[TRIES];
    afn_status st = run_once(p);
    for (int i = 0; st == AFN_OK && i < TRIES; i++) {
        const double start = afn_now_s();
        st = run_once(p);
        const double took = afn_now_s() - start;
        int at = i; /* insertion keeps them in order */
        for (; at > 0 && s[at - 1] > took; at--) s[at] = s[at - 1];
        s[at] = took;
    }
    if (st == AFN_OK) *out = s[TRIES / 2];
    return st;
}

/* Ones, not zeros: a page never written is not memory, and 0 may be faster.  Two of
 * bf16 side by side are a float near 1, too. */
static afn_status fill_buffer(product *p, dnn_slot slot, size_t bytes)
{
    const uint32_t ones = 0x3f803f80;
    uint32_t *w = afn_alloc_aligned(bytes);
    p->own[slot] = p->buffer[slot] = w;
    if (!w) return afn_fail(AFN_ENOMEM, "out of memory: %zu MB", bytes >> 20);
    for (size_t i = 0; i < bytes / sizeof *w; i++) w[i] = ones;
    return AFN_OK;
}

static afn_status open_primitive(product *p, dnn_pass kind, const dnn_product *d)
{
    afn_status st = AFN_OK;
    AFN_TRY(dnn_product_new(&p->op, p->device->dnn, kind, d));
    for (int i = 0; i < DNN_N_SLOTS; i++) {
        const dnn_md *md = dnn_op_md(p->op, (dnn_slot)i);
        if (md) AFN_TRY(fill_buffer(p, (dnn_slot)i, dnn_md_bytes(md)));
    }
done:
    return st;
}

static afn_status open_own(product *p, const cpu_algo *algo, dnn_pass kind,
                           const dnn_product *d)
{
    afn_status st = AFN_OK;
    AFN_TRY(cpu_pass_new(&p->pass, algo, p->device, kind, d));
    const size_t weights = dnn_md_bytes(p->pass->weights);
    const size_t packed = p->pass->packed_bytes;
    AFN_TRY(fill_buffer(p, DNN_SRC, dnn_md_bytes(d->src)));
    AFN_TRY(fill_buffer(p, DNN_DST, dnn_md_bytes(d->dst)));
    AFN_TRY(fill_buffer(p, DNN_WEIGHTS, packed > weights ? packed : weights));
    AFN_TRY(fill_buffer(p, DNN_SCRATCH, p->pass->scratch_bytes));
    p->held = afn_alloc_aligned(p->pass->held_bytes);
    if (!p->held) st = afn_fail(AFN_ENOMEM, "out of memory");
    p->buffer[DNN_DIFF_SRC] = p->buffer[DNN_SRC];
    p->buffer[DNN_DIFF_DST] = p->buffer[DNN_DST];
    p->buffer[DNN_DIFF_WEIGHTS] = p->buffer[DNN_WEIGHTS];
done:
    return st;
}

/* Both views of one convolution: layouts left open, and ours. */
typedef struct convolution {
    dnn_product any, blocked;
} convolution;

static const cpu_algo *const own[] = {
    &cpu_algo_winograd, &cpu_algo_winograd_f2, &cpu_algo_winograd_f2_weights,
    &cpu_algo_pairs,    &cpu_algo_merged,      &cpu_algo_depthwise
};

enum { DIRECT, WINOGRAD_DNN, OWN, N_ALGOS = OWN + AFN_COUNT(own) };

static afn_status open_algo(product *p, dnn_pass kind, const convolution *c, int algo)
{
    dnn_product d = c->any;
    if (algo >= OWN) return open_own(p, own[algo - OWN], kind, &c->blocked);
    d.algo = algo == DIRECT ? DNN_DIRECT : DNN_WINOGRAD;
    return open_primitive(p, kind, &d);
}

/* The fastest of the algorithms there are, added to *seconds. */
static afn_status time_pass(cpu_device *d, dnn_pass kind, const convolution *c,
                            double *seconds)
{
    double best = INFINITY;
    for (int algo = 0; algo < N_ALGOS; algo++) {
        product p = { .device = d };
        double s = INFINITY;
        afn_status st = open_algo(&p, kind, c, algo);
        if (st == AFN_OK) st = time_runs(&p, &s);
        product_close(&p);
        if (st != AFN_OK && (st != AFN_EUNSUPPORTED || algo == DIRECT)) return st;
        best = s < best ? s : best;
    }
    *seconds += best;
    return AFN_OK;
}

static afn_status weights_md(dnn_md **out, const afn_step *s, dnn_type type)
{
    const afn_conv_attr *c = &s->node->attr.conv;
    const int64_t ic = s->in_shape[0].dim[0];
    const int64_t grouped[] = { c->groups, c->oc / c->groups, ic / c->groups, c->kh,
                                c->kw };
    const int64_t dense[] = { c->oc, ic, c->kh, c->kw };
    return c->groups > 1 ? dnn_md_new(out, 5, grouped, DNN_ANY, type)
                         : dnn_md_new(out, 4, dense, DNN_ANY, type);
}

afn_status cpu_time_alone(void *device, const afn_step *s, int64_t n, double *seconds)
{
    afn_status st = AFN_OK;
    cpu_device *d = device;
    dnn_md *src[2] = { NULL }, *dst[2] = { NULL };
    dnn_md *weights = NULL, *gradient = NULL; /* sums in fp32 */
    *seconds = 0;
    for (int i = 0; i < 2; i++) {
        const cpu_format f = { i ? d->blocked : DNN_ANY, d->type };
        AFN_TRY(cpu_value_md(&src[i], &s->in_shape[0], n, f));
        AFN_TRY(cpu_value_md(&dst[i], &s->out_shape, n, f));
    }
    AFN_TRY(weights_md(&weights, s, d->type));
    AFN_TRY(weights_md(&gradient, s, DNN_F32));
    convolution c = { .any = { .src = src[0],
                               .weights = weights,
                               .dst = dst[0],
                               .conv = &s->node->attr.conv,
                               .act = AFN_NO_ACT } };
    c.blocked = c.any;
    c.blocked.src = src[1];
    c.blocked.dst = dst[1];
    AFN_TRY(time_pass(d, s->train ? DNN_FORWARD : DNN_INFER, &c, seconds));
    if (s->train && s->grad_input[0])
        AFN_TRY(time_pass(d, DNN_BACKWARD_DATA, &c, seconds));
    c.any.weights = c.blocked.weights = gradient;
    if (s->train && s->grad_param[AFN_WEIGHT])
        AFN_TRY(time_pass(d, DNN_BACKWARD_WEIGHTS, &c, seconds));
done:
    for (int i = 0; i < 2; i++) {
        dnn_md_free(src[i]);
        dnn_md_free(dst[i]);
    }
    dnn_md_free(weights);
    dnn_md_free(gradient);
    return st;
}

const char *afn_onednn_version(void)
{
    return dnn_version();
}
