/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing an algorithm by measuring: every candidate runs on buffers of the real size,
 * the fastest is kept, here and in a file (tune.h).  The key is the layer at the plan's
 * usual batch: a last, smaller batch takes the same choice.  Inference has one choice
 * for every batch: what one plan makes of a picture must not depend on how many there
 * are, nor differ from what another plan's frozen layers make of it. */
#include "engine/cpu/cpu_choose.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The likely fastest first: one that is much slower then runs only once. */
static const cpu_algo *const candidate[] = { &cpu_algo_winograd_dnn,
                                             &cpu_algo_winograd,
                                             &cpu_algo_depthwise,
                                             &cpu_algo_winograd_f2,
                                             &cpu_algo_winograd_f2_weights,
                                             &cpu_algo_pairs,
                                             &cpu_algo_direct,
                                             &cpu_algo_reordered };

/* Products smaller than this take less than a millisecond whatever computes them: of a
 * batch in training, of one sample in inference. */
static const double least_flops = 20e6, least_sample_flops = 1e6;

/* Of the candidates, part of the key: raised when one is added or becomes faster, so
 * that older choices are made again. */
enum { REVISION = 3 };

static bool has_choice(const cpu_device *d, const afn_conv_attr *c)
{
    if (d->type == DNN_BF16) return c && c->groups == 1;
    if (c && c->groups > 1) return c->groups == c->oc;
    return c && c->kh == 3 && c->kw == 3 && c->sh == 1 && c->sw == 1 && c->dh == 1 &&
           c->dw == 1 && c->groups == 1;
}

static bool is_small(const afn_prepare *p, dnn_pass kind)
{
    const afn_shape *out = &p->step->out_shape;
    const afn_conv_attr *c = &p->step->node->attr.conv;
    const double sample =
        2.0 * c->kh * c->kw * (double)(p->step->in_shape[0].dim[0] / c->groups) *
        (double)out->dim[0] * (double)out->dim[1] * (double)out->dim[2];
    if (c->groups > 1) return kind == DNN_INFER;
    return kind == DNN_INFER ? sample < least_sample_flops
                             : sample * (double)p->usual_n < least_flops;
}

/* ---- the key ---- */

static void make_key(char *out, size_t bytes, const afn_prepare *p, dnn_pass kind)
{
    static const char *const pass[] = { "infer", "forward", "data", "weights" };
    const cpu_device *d = p->device;
    const afn_step *s = p->step;
    const afn_conv_attr *c = &s->node->attr.conv;
    const int64_t *in = s->in_shape[0].dim;
    char cpu[AFN_CPU_NAME_BYTES], batch[32] = "";
    if (kind != DNN_INFER)
        snprintf(batch, sizeof batch, " n%lld", (long long)p->usual_n);
    snprintf(out, bytes,
             "%s %dx%d/%d%s c%lld h%lld w%lld oc%lld pad%d,%d%s %s threads%d onednn-%s "
             "block%d rev%d%s %s",
             pass[kind], c->kh, c->kw, c->sh, batch, (long long)in[0], (long long)in[1],
             (long long)in[2], (long long)s->out_shape.dim[0], c->ph, c->pw,
             s->add ? " add" : "", d->type == DNN_BF16 ? "bf16" : "f32", d->threads,
             dnn_version(), d->kern->block, REVISION, c->groups > 1 ? " depthwise" : "",
             afn_cpu_name(cpu));
}

static bool is_for_bf16(const cpu_algo *a)
{
    return a == &cpu_algo_reordered || a == &cpu_algo_pairs ||
           a == &cpu_algo_winograd_f2 || a == &cpu_algo_winograd_f2_weights;
}

/* May this algorithm compute the pass?  Each is for one type, but direct.  In inference
 * a sample must get the same bits in any batch.  oneDNN's Winograd divides its work by
 * the batch and fails that. */
static bool may_compute(const cpu_device *d, dnn_pass kind, const cpu_algo *a)
{
    if (a == &cpu_algo_direct) return true;
    if (d->type == DNN_BF16 || is_for_bf16(a))
        return d->type == DNN_BF16 && is_for_bf16(a);
    if (kind != DNN_INFER) return true;
    return a == &cpu_algo_winograd;
}

/* The choice of that name, NULL where there is none or it is not allowed. */
static const cpu_algo *by_name(const cpu_device *d, dnn_pass kind, const char *name)
{
    for (size_t i = 0; name && i < AFN_COUNT(candidate); i++)
        if (strcmp(candidate[i]->name, name) == 0)
            return may_compute(d, kind, candidate[i]) ? candidate[i] : NULL;
    return NULL;
}

/* ---- measuring ---- */

/* What candidates share.  What is done once for all slices of a batch counts where
 * there is only one. */
typedef struct trial {
    const cpu_device *device;
    dnn_pass kind;
    const dnn_product *d;
    const dnn_md *blob;
    int64_t slices;
    float *src, *dst, *bias;
} trial;

/* Some numbers, none so small that arithmetic slows down. */
static float *numbers(size_t bytes)
{
    float *v = afn_alloc_aligned(bytes);
    for (size_t i = 0; v && i < bytes / sizeof *v; i++)
        v[i] = 0.01f * (float)((int)(i % 7) - 3);
    return v;
}

static double run_once(const cpu_pass *p, const cpu_run *r)
{
    const double start = afn_now_s();
    return cpu_pass_run(p, r) == AFN_OK ? afn_now_s() - start : INFINITY;
}

/* Once to warm up; again, unless that already shows it to be far from the best. */
static double run_some(const cpu_pass *p, cpu_run r, const trial *t, double best)
{
    r.first = r.last = true;
    double fastest = run_once(p, &r);
    const double start = afn_now_s();
    if (fastest > 3 * best) return fastest;
    r.first = r.last = t->slices == 1;
    if (t->slices > 1) fastest = INFINITY;
    for (int i = 0; i < 6 && (i < 1 || afn_now_s() - start < 0.05); i++) {
        const double took = run_once(p, &r);
        if (took < fastest) fastest = took;
    }
    return fastest;
}

static double time_pass(const trial *t, const cpu_pass *p, double best)
{
    const size_t own = dnn_md_bytes(p->weights);
    float *weights = numbers(p->packed_bytes > own ? p->packed_bytes : own);
    void *scratch = afn_alloc_aligned(p->scratch_bytes);
    void *held = afn_alloc_aligned(p->held_bytes);
    void *buffer[DNN_N_SLOTS] = {
        [DNN_SRC] = t->src,      [DNN_DST] = t->dst,
        [DNN_WEIGHTS] = weights, [DNN_DIFF_WEIGHTS] = weights,
        [DNN_DIFF_DST] = t->dst, [DNN_DIFF_SRC] = t->src,
        [DNN_BIAS] = t->bias,    [DNN_DIFF_BIAS] = t->bias,
    };
    const cpu_run r = { .buffer = buffer, .scratch = scratch, .held = held };
    const double s = weights && scratch && held ? run_some(p, r, t, best) : INFINITY;
    afn_free(weights);
    afn_free(scratch);
    afn_free(held);
    return s;
}

/* Seconds that weights take from the blob's layout to the pass's, or back: the share of
 * one slice. */
static double time_reorder(const trial *t, const cpu_pass *p)
{
    dnn_op *op = NULL;
    double best = INFINITY;
    if (!t->blob || dnn_md_equal(t->blob, p->weights)) return 0;
    if (dnn_reorder_new(&op, t->device->dnn, t->blob, p->weights) != AFN_OK)
        return INFINITY;
    const dnn_md *md = dnn_op_md(op, DNN_SCRATCH);
    void *buffer[DNN_N_SLOTS] = { [DNN_SRC] = numbers(dnn_md_bytes(t->blob)),
                                  [DNN_DST] = numbers(dnn_md_bytes(p->weights)),
                                  [DNN_SCRATCH] = numbers(md ? dnn_md_bytes(md) : 0) };
    for (int i = 0; i < 2 && buffer[DNN_SRC] && buffer[DNN_DST]; i++) {
        const double start = afn_now_s();
        if (dnn_run(t->device->dnn, op, buffer) != AFN_OK) break;
        const double took = afn_now_s() - start;
        if (took < best) best = took;
    }
    for (int i = 0; i < DNN_N_SLOTS; i++) afn_free(buffer[i]);
    dnn_op_free(op);
    return best / (double)t->slices;
}

/* INFINITY where the algorithm does not apply. */
static double time_algo(const trial *t, const cpu_algo *algo, double best)
{
    cpu_pass *p = NULL;
    if (cpu_pass_new(&p, algo, t->device, t->kind, t->d) != AFN_OK) return INFINITY;
    const double reorder = time_reorder(t, p);
    const double s = isinf(reorder) ? reorder : reorder + time_pass(t, p, best);
    cpu_pass_free(p);
    return s;
}

/* NULL where nothing could be measured. */
static const cpu_algo *measure(trial *t)
{
    const cpu_algo *chosen = NULL;
    double best = INFINITY;
    const int64_t oc = dnn_md_dim(t->d->dst, 1);
    t->src = numbers(dnn_md_bytes(t->d->src));
    t->dst = numbers(dnn_md_bytes(t->d->dst));
    t->bias = numbers((size_t)cpu_padded(t->device, oc) * sizeof(float));
    for (size_t i = 0; t->src && t->dst && t->bias && i < AFN_COUNT(candidate); i++) {
        if (!may_compute(t->device, t->kind, candidate[i])) continue;
        const double s = time_algo(t, candidate[i], best);
        if (s >= best) continue;
        best = s;
        chosen = candidate[i];
    }
    afn_free(t->src);
    afn_free(t->dst);
    afn_free(t->bias);
    return chosen;
}

/* The choices of earlier plans; NULL without memory for them. */
static tune *choices(cpu_device *d)
{
    if (d->tune) return d->tune;
    char *path = tune_path();
    (void)tune_open(&d->tune, path);
    afn_free(path);
    return d->tune;
}

static const cpu_algo *by_measurement(const afn_prepare *p, dnn_pass kind,
                                      const dnn_product *d, const dnn_md *blob)
{
    char key[320];
    if (tune_off() || is_small(p, kind)) return &cpu_algo_direct;
    tune *known = choices(p->device);
    if (!known) return &cpu_algo_direct;
    make_key(key, sizeof key, p, kind);
    const cpu_algo *chosen = by_name(p->device, kind, tune_find(known, key));
    if (chosen) return chosen;
    if (p->n != p->usual_n) return &cpu_algo_direct;
    chosen = measure(
        &(trial){ p->device, kind, d, blob, p->batch / p->n, NULL, NULL, NULL });
    if (!chosen) return &cpu_algo_direct;
    tune_keep(known, key, chosen->name);
    return chosen;
}

/* oneDNN computes most depthwise convolutions in bf16 by naive loops: too slow even to
 * be measured. */
static bool is_slow_in_bf16(const cpu_device *d, dnn_pass kind, const afn_conv_attr *c)
{
    return d->type == DNN_BF16 && kind != DNN_INFER && c && c->groups > 1 &&
           c->groups == c->oc;
}

const cpu_algo *cpu_choose(const afn_prepare *p, dnn_pass kind, const dnn_product *d,
                           const dnn_md *blob)
{
    const cpu_device *device = p->device;
    if (cpu_merges_groups(device, d)) return &cpu_algo_merged;
    if (is_slow_in_bf16(device, kind, d->conv)) return &cpu_algo_depthwise;
    if (!has_choice(device, d->conv)) return &cpu_algo_direct;
    switch (p->algorithms) {
    case AFN_ALGORITHMS_EXACT:
        break;
    case AFN_ALGORITHMS_MEASURED:
        return by_measurement(p, kind, d, blob);
    case AFN_ALGORITHMS_WINOGRAD:
        if (d->conv->groups > 1) return &cpu_algo_depthwise;
        if (device->type == DNN_F32) return &cpu_algo_winograd;
        return kind == DNN_BACKWARD_WEIGHTS ? &cpu_algo_winograd_f2_weights
                                            : &cpu_algo_winograd_f2;
    case AFN_ALGORITHMS_LIBRARY_WINOGRAD:
        return device->type == DNN_F32 ? &cpu_algo_winograd_dnn : &cpu_algo_direct;
    case AFN_ALGORITHMS_REORDERED:
        return &cpu_algo_reordered;
    case AFN_ALGORITHMS_PAIRS:
        return &cpu_algo_pairs;
    }
    return &cpu_algo_direct;
}
