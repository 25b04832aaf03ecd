/* SPDX-License-Identifier: Apache-2.0 */
/* A convolution's products timed alone: oneDNN chooses every layout, direct and
 * Winograd are both tried, nothing is reordered, added or fused.  What a network's step
 * reaches is compared with the sum. */
#include "engine/cpu/cpu.h"

#include <math.h>

enum { TRIES = 5 };

/* Median of TRIES runs after one to warm up. */
static afn_status time_runs(cpu_device *d, dnn_op *op, void *const *buffer, double *out)
{
    double s[TRIES + 1];
    afn_status st = dnn_run(d->dnn, op, buffer);
    for (int i = 0; st == AFN_OK && i < TRIES; i++) {
        const double start = afn_now_s();
        st = dnn_run(d->dnn, op, buffer);
        const double took = afn_now_s() - start;
        int at = i; /* insertion keeps them in order */
        for (; at > 0 && s[at - 1] > took; at--) s[at] = s[at - 1];
        s[at] = took;
    }
    *out = s[TRIES / 2];
    return st;
}

/* Ones, not zeros: a page never written is not memory, and 0 may be faster. */
static afn_status fill_buffer(void **out, size_t bytes)
{
    float *f = afn_alloc_aligned(bytes);
    *out = f;
    if (!f) return afn_fail(AFN_ENOMEM, "out of memory: %zu MB", bytes >> 20);
    for (size_t i = 0; i < bytes / sizeof *f; i++) f[i] = 1.0f;
    return AFN_OK;
}

static afn_status time_op(cpu_device *d, dnn_op *op, double *seconds)
{
    afn_status st = AFN_OK;
    void *buffer[DNN_N_SLOTS] = { NULL };
    for (int i = 0; i < DNN_N_SLOTS; i++) {
        const dnn_md *md = dnn_op_md(op, (dnn_slot)i);
        if (md) AFN_TRY(fill_buffer(&buffer[i], dnn_md_bytes(md)));
    }
    st = time_runs(d, op, buffer, seconds);
done:
    for (int i = 0; i < DNN_N_SLOTS; i++) afn_free(buffer[i]);
    return st;
}

/* The faster of the algorithms there are, added to *seconds. */
static afn_status time_pass(cpu_device *d, dnn_pass pass, dnn_product p,
                            double *seconds)
{
    double best = INFINITY;
    for (int algo = DNN_DIRECT; algo <= DNN_WINOGRAD; algo++) {
        dnn_op *op = NULL;
        double s = 0;
        p.algo = (dnn_algo)algo;
        afn_status st = dnn_product_new(&op, d->dnn, pass, &p);
        if (st == AFN_EUNSUPPORTED && algo != DNN_DIRECT) break;
        if (st == AFN_OK) st = time_op(d, op, &s);
        dnn_op_free(op);
        if (st != AFN_OK) return st;
        best = s < best ? s : best;
    }
    *seconds += best;
    return AFN_OK;
}

static afn_status weights_md(dnn_md **out, const afn_step *s)
{
    const afn_conv_attr *c = &s->node->attr.conv;
    const int64_t ic = s->in_shape[0].dim[0];
    const int64_t grouped[] = { c->groups, c->oc / c->groups, ic / c->groups, c->kh,
                                c->kw };
    const int64_t dense[] = { c->oc, ic, c->kh, c->kw };
    return c->groups > 1 ? dnn_md_new(out, 5, grouped, DNN_ANY, DNN_F32)
                         : dnn_md_new(out, 4, dense, DNN_ANY, DNN_F32);
}

afn_status cpu_time_alone(void *device, const afn_step *s, int64_t n, double *seconds)
{
    afn_status st = AFN_OK;
    cpu_device *d = device;
    dnn_md *src = NULL, *dst = NULL, *weights = NULL;
    *seconds = 0;
    AFN_TRY(cpu_value_md(&src, &s->in_shape[0], n, DNN_ANY));
    AFN_TRY(cpu_value_md(&dst, &s->out_shape, n, DNN_ANY));
    AFN_TRY(weights_md(&weights, s));
    const dnn_product p = { .src = src,
                            .weights = weights,
                            .dst = dst,
                            .conv = &s->node->attr.conv,
                            .act = AFN_NO_ACT };
    AFN_TRY(time_pass(d, s->train ? DNN_FORWARD : DNN_INFER, p, seconds));
    if (s->train && s->grad_input[0])
        AFN_TRY(time_pass(d, DNN_BACKWARD_DATA, p, seconds));
    if (s->train && s->grad_param[AFN_WEIGHT])
        AFN_TRY(time_pass(d, DNN_BACKWARD_WEIGHTS, p, seconds));
done:
    dnn_md_free(src);
    dnn_md_free(dst);
    dnn_md_free(weights);
    return st;
}

const char *afn_onednn_version(void)
{
    return dnn_version();
}
