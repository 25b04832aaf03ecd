/* SPDX-License-Identifier: Apache-2.0 */
/* Our own depthwise convolution in training, 3x3, 5x5 and 7x7 of any stride: a unit of
 * work is one channel block of one sample, whose planes stay in the cache.  In bf16
 * only values are: weights are read, and every sum is made, in floats.
 *
 * The gradient of the weights is summed per unit and added in sample order, so it does
 * not depend on the number of threads. */
#include <string.h>

#include "engine/cpu/cpu_pass.h"

typedef struct depthwise {
    const afn_kern *kern;
    afn_conv_attr conv;
    dnn_pass kind;
    bool bias;
    dnn_md *weights;
    int64_t n, channels, blocks, in_h, in_w, out_h, out_w;
} depthwise;

typedef struct depthwise_call {
    const depthwise *d;
    void *const *buffer;
    double *sums; /* (n, blocks, taps + 1, width): the last one is of the bias */
} depthwise_call;

static void release(void *state)
{
    depthwise *d = state;
    if (d) dnn_md_free(d->weights);
    afn_free(d);
}

static bool applies(const dnn_product *p, dnn_pass kind)
{
    const afn_conv_attr *c = p->conv;
    return kind != DNN_INFER && c && c->groups > 1 && c->groups == c->oc &&
           dnn_md_dim(p->src, 1) == c->oc && c->kh == c->kw &&
           (c->kh == 3 || c->kh == 5 || c->kh == 7) && c->sh == c->sw && c->dh == 1 &&
           c->dw == 1 && p->act == AFN_NO_ACT && !p->sum;
}

static int64_t sums_of_unit(const depthwise *d)
{
    return (d->conv.kh * d->conv.kw + 1) * d->kern->block;
}

static afn_status prepare(cpu_pass *p, dnn_pass kind, const dnn_product *m)
{
    afn_status st = AFN_OK;
    const cpu_device *device = p->device;
    const cpu_format f = { device->blocked, device->type };
    depthwise *d = p->state = afn_alloc(sizeof *d);
    AFN_REQUIRE(d, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(applies(m, kind), AFN_EUNSUPPORTED, "not a depthwise convolution");
    AFN_TRY(cpu_need_format(m->src, f));
    AFN_TRY(cpu_need_format(m->dst, f));
    const int64_t dim[] = { m->conv->oc, 1, 1, m->conv->kh, m->conv->kw };
    AFN_TRY(dnn_md_new(&d->weights, 5, dim,
                       device->kern->block == 16 ? DNN_DEPTHWISE16 : DNN_DEPTHWISE8,
                       DNN_F32));
    d->kern = cpu_kern_of(f.type, device);
    d->conv = *m->conv;
    d->kind = kind;
    d->bias = m->bias != NULL;
    d->n = dnn_md_dim(m->src, 0);
    d->channels = m->conv->oc;
    d->blocks = cpu_padded(device, d->channels) / d->kern->block;
    d->in_h = dnn_md_dim(m->src, 2);
    d->in_w = dnn_md_dim(m->src, 3);
    d->out_h = dnn_md_dim(m->dst, 2);
    d->out_w = dnn_md_dim(m->dst, 3);
    p->weights = d->weights;
    if (kind == DNN_BACKWARD_WEIGHTS)
        p->scratch_bytes =
            (size_t)(d->n * d->blocks * sums_of_unit(d)) * sizeof(double);
done:
    return st;
}

/* ---- forward and gradient of the data ---- */

static const float *weight_at(const depthwise_call *c, int64_t block, int i, int j)
{
    const depthwise *d = c->d;
    const float *w = c->buffer[DNN_WEIGHTS];
    return w + ((block * d->conv.kh + i) * d->conv.kw + j) * d->kern->block;
}

static void add_tap(afn_depthwise_row *r, const void *from, int64_t first,
                    const float *weight)
{
    r->tap[r->taps++] = (afn_depthwise_tap){ from, first, weight };
}

static void forward_row(const depthwise_call *c, int64_t u, int64_t y)
{
    const depthwise *d = c->d;
    const int64_t width = d->kern->block, block = u % d->blocks;
    const int64_t plane = u * d->in_h * d->in_w * width;
    afn_depthwise_row r = {
        .to =
            cpu_at(d->kern, c->buffer[DNN_DST], (u * d->out_h + y) * d->out_w * width),
        .to_step = 1,
        .count = d->out_w,
        .width = d->in_w,
        .step = d->conv.sw,
    };
    float bias[AFN_KERN_MAX_BLOCK] = { 0 };
    for (int64_t i = 0; d->bias && i < width && block * width + i < d->channels; i++)
        bias[i] = ((const float *)c->buffer[DNN_BIAS])[block * width + i];
    r.bias = bias;
    for (int i = 0; i < d->conv.kh; i++) {
        const int64_t at = y * d->conv.sh + i - d->conv.ph;
        for (int j = 0; at >= 0 && at < d->in_h && j < d->conv.kw; j++)
            add_tap(&r,
                    cpu_get(d->kern, c->buffer[DNN_SRC], plane + at * d->in_w * width),
                    j - d->conv.pw, weight_at(c, block, i, j));
    }
    d->kern->depthwise->row(&r);
}

/* Pixels first, first + stride .. of row y of the input's gradient: they share taps. */
static void data_row(const depthwise_call *c, int64_t u, int64_t y, int64_t first)
{
    const depthwise *d = c->d;
    const int64_t width = d->kern->block, block = u % d->blocks, s = d->conv.sh;
    const int64_t plane = u * d->out_h * d->out_w * width;
    afn_depthwise_row r = {
        .to = cpu_at(d->kern, c->buffer[DNN_DIFF_SRC],
                     ((u * d->in_h + y) * d->in_w + first) * width),
        .to_step = s,
        .count = (d->in_w - first + s - 1) / s,
        .width = d->out_w,
        .step = 1,
    };
    for (int i = 0; i < d->conv.kh; i++) {
        const int64_t at = y + d->conv.ph - i;
        if (at < 0 || at % s || at / s >= d->out_h) continue;
        for (int j = 0; j < d->conv.kw; j++) {
            const int64_t x = first + d->conv.pw - j;
            if ((x % s + s) % s) continue;
            add_tap(&r,
                    cpu_get(d->kern, c->buffer[DNN_DIFF_DST],
                            plane + at / s * d->out_w * width),
                    x / s, weight_at(c, block, i, j));
        }
    }
    d->kern->depthwise->row(&r);
}

static void rows_range(void *user, int64_t from, int64_t to)
{
    const depthwise_call *c = user;
    const depthwise *d = c->d;
    const bool data = d->kind == DNN_BACKWARD_DATA;
    for (int64_t u = from; u < to; u++)
        for (int64_t y = 0; y < (data ? d->in_h : d->out_h); y++) {
            if (!data) forward_row(c, u, y);
            for (int64_t f = 0; data && f < d->conv.sw && f < d->in_w; f++)
                data_row(c, u, y, f);
        }
}

/* ---- gradient of the weights ---- */

static void weights_range(void *user, int64_t from, int64_t to)
{
    const depthwise_call *c = user;
    const depthwise *d = c->d;
    const int64_t width = d->kern->block, each = sums_of_unit(d);
    for (int64_t u = from; u < to; u++) {
        double *sums = c->sums + u * each;
        const afn_depthwise_weights w = {
            .x = cpu_get(d->kern, c->buffer[DNN_SRC], u * d->in_h * d->in_w * width),
            .dy = cpu_get(d->kern, c->buffer[DNN_DIFF_DST],
                          u * d->out_h * d->out_w * width),
            .dw = sums,
            .in_h = d->in_h,
            .in_w = d->in_w,
            .out_h = d->out_h,
            .out_w = d->out_w,
            .stride = d->conv.sh,
            .pad_h = d->conv.ph,
            .pad_w = d->conv.pw,
            .k = d->conv.kh,
        };
        memset(sums, 0, (size_t)each * sizeof *sums);
        d->kern->depthwise->weights(&w);
        if (!d->bias) continue;
        float mean[AFN_KERN_MAX_BLOCK];
        const int64_t pixels = d->out_h * d->out_w;
        d->kern->mean(mean, w.dy, pixels);
        for (int64_t i = 0; i < width; i++)
            sums[each - width + i] = (double)mean[i] * (double)pixels;
    }
}

/* Gradients of some blocks, from the sums of all samples. */
static void reduce_range(void *user, int64_t from, int64_t to)
{
    const depthwise_call *c = user;
    const depthwise *d = c->d;
    const int64_t width = d->kern->block, each = sums_of_unit(d), taps = each - width;
    float *dw = c->buffer[DNN_DIFF_WEIGHTS], *db = c->buffer[DNN_DIFF_BIAS];
    for (int64_t block = from; block < to; block++)
        for (int64_t i = 0; i < each; i++) {
            const int64_t channel = block * width + i - taps;
            double sum = 0;
            for (int64_t n = 0; n < d->n; n++)
                sum += c->sums[(n * d->blocks + block) * each + i];
            if (i < taps)
                dw[block * taps + i] = (float)sum;
            else if (d->bias && channel < d->channels)
                db[channel] = (float)sum;
        }
}

static afn_status run(const cpu_pass *p, const cpu_run *r)
{
    const depthwise *d = p->state;
    depthwise_call c = { d, r->buffer, r->scratch };
    if (d->kind != DNN_BACKWARD_WEIGHTS) {
        cpu_parallel(d->n * d->blocks, rows_range, &c);
        return AFN_OK;
    }
    cpu_parallel(d->n * d->blocks, weights_range, &c);
    cpu_parallel(d->blocks, reduce_range, &c);
    return AFN_OK;
}

const cpu_algo cpu_algo_depthwise = {
    .name = "depthwise",
    .prepare = prepare,
    .run = run,
    .free = release,
};
