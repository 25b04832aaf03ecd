/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd F(4,3) of our own: 3 x 3 convolutions of stride 1 in blocked layouts,
 * forward and both backward passes.  kern_winograd.c has the transforms and the paper.
 *
 * The result is cut into tiles of 4 x 4 pixels.  A chunk of tiles at a time, so that it
 * stays in the cache, is transformed into 36 matrices (tile, channel), multiplied by 36
 * matrices made from the weights, and transformed back:
 *     forward   y  = out[ in(x)  U(w) ]
 *     data      dx = out[ in(dy) U(w rotated)' ]   padded by 2 - pad
 *     weights   dw = U'[ sum over chunks of in(x)' gradient(dy) ] */
#include <string.h>

#include "engine/cpu/cpu_pass.h"

enum { POINTS = 36, SIDE = 4, TAPS = 9 };
enum { CHUNK_BYTES = 4 << 20, LEAST_TILES = 192 };

/* A blocked value, and its 36 matrices (chunk, channels). */
typedef struct plane {
    int64_t blocks, channels, h, w; /* channels with padding */
    int64_t pad_y, pad_x;           /* of the tiles that are cut from it */
    int64_t stride;                 /* floats from one matrix to the next */
} plane;

typedef struct winograd {
    dnn_pass kind;
    plane in, out; /* `in` gets 6 x 6 tiles; of data they are dy and dx */
    int64_t n, tiles_h, tiles_w, tiles, chunk;
    int64_t ic, oc, u_stride; /* of the weights, with padding */
    dnn_md *weights;
    dnn_op *product;
    bool sum;
    int act;
} winograd;

static void winograd_free(void *state)
{
    winograd *w = state;
    if (!w) return;
    dnn_md_free(w->weights);
    dnn_op_free(w->product);
    afn_free(w);
}

/* ---- preparing ---- */

/* An odd number of cache lines, so that 36 matrices do not meet in one cache set. */
static int64_t skewed(int64_t floats)
{
    const int64_t lines = (floats + 15) / 16;
    return (lines | 1) * 16;
}

static plane plane_of(const cpu_device *d, const dnn_md *md)
{
    const int64_t channels = cpu_padded(d, dnn_md_dim(md, 1));
    return (plane){ .blocks = channels / d->kern->block,
                    .channels = channels,
                    .h = dnn_md_dim(md, 2),
                    .w = dnn_md_dim(md, 3) };
}

static bool fits_window(const afn_conv_attr *c)
{
    return c && c->kh == 3 && c->kw == 3 && c->sh == 1 && c->sw == 1 && c->dh == 1 &&
           c->dw == 1 && c->groups == 1 && c->ph <= 2 && c->pw <= 2;
}

/* AFN_EUNSUPPORTED unless md is a blocked value of floats. */
static afn_status need_blocked(const cpu_device *d, const dnn_md *md)
{
    const int64_t dim[] = { dnn_md_dim(md, 0), dnn_md_dim(md, 1), dnn_md_dim(md, 2),
                            dnn_md_dim(md, 3) };
    dnn_md *blocked = NULL;
    afn_status st = dnn_md_new(&blocked, 4, dim, d->blocked, DNN_F32);
    if (st == AFN_OK && !dnn_md_equal(md, blocked))
        st = afn_fail(AFN_EUNSUPPORTED, "no winograd in this layout");
    dnn_md_free(blocked);
    return st;
}

static void set_planes(winograd *w, const cpu_device *d, const dnn_product *p)
{
    const afn_conv_attr *c = p->conv;
    const bool data = w->kind == DNN_BACKWARD_DATA;
    w->in = plane_of(d, data ? p->dst : p->src);
    w->out = plane_of(d, data ? p->src : p->dst);
    w->in.pad_y = data ? 2 - c->ph : c->ph;
    w->in.pad_x = data ? 2 - c->pw : c->pw;
    w->ic = data ? w->out.channels : w->in.channels;
    w->oc = data ? w->in.channels : w->out.channels;
    w->n = dnn_md_dim(p->src, 0);
    w->tiles_h = (w->out.h + SIDE - 1) / SIDE;
    w->tiles_w = (w->out.w + SIDE - 1) / SIDE;
    w->tiles = w->n * w->tiles_h * w->tiles_w;
}

/* Chunks of equal size, as large as the cache takes well. */
static void set_chunk(winograd *w)
{
    const int64_t tile_bytes =
        POINTS * (w->in.channels + w->out.channels) * (int64_t)sizeof(float);
    int64_t most = CHUNK_BYTES / tile_bytes;
    if (most < LEAST_TILES) most = LEAST_TILES;
    const int64_t chunks = (w->tiles + most - 1) / most;
    w->chunk = (w->tiles + chunks - 1) / chunks;
    w->in.stride = skewed(w->chunk * w->in.channels);
    w->out.stride = skewed(w->chunk * w->out.channels);
    w->u_stride = skewed(w->ic * w->oc);
}

/* 36 matrices (rows, columns), or as seen from the other side. */
static afn_status matrices(dnn_md **out, int64_t rows, int64_t columns, int64_t stride,
                           bool transposed)
{
    const int64_t dim[] = { POINTS, transposed ? columns : rows,
                            transposed ? rows : columns };
    const int64_t step[] = { stride, transposed ? 1 : columns,
                             transposed ? columns : 1 };
    return dnn_md_strided(out, 3, dim, step);
}

static afn_status make_product(winograd *w, const cpu_device *d)
{
    afn_status st = AFN_OK;
    const bool gradient = w->kind == DNN_BACKWARD_WEIGHTS;
    dnn_md *in = NULL, *out = NULL, *u = NULL;
    AFN_TRY(matrices(&in, w->chunk, w->in.channels, w->in.stride, gradient));
    AFN_TRY(matrices(&out, w->chunk, w->out.channels, w->out.stride, false));
    AFN_TRY(matrices(&u, w->ic, w->oc, w->u_stride, w->kind == DNN_BACKWARD_DATA));
    st = dnn_matmul_new(&w->product, d->dnn, in, gradient ? out : u, gradient ? u : out,
                        gradient);
done:
    dnn_md_free(in);
    dnn_md_free(out);
    dnn_md_free(u);
    return st;
}

static size_t floats_bytes(int64_t floats)
{
    return cpu_aligned((size_t)floats * sizeof(float));
}

static size_t product_bytes(const winograd *w)
{
    const dnn_md *md = dnn_op_md(w->product, DNN_SCRATCH);
    return md ? cpu_aligned(dnn_md_bytes(md)) : 0;
}

static afn_status winograd_prepare(cpu_pass *p, dnn_pass kind, const dnn_product *d)
{
    afn_status st = AFN_OK;
    const cpu_device *device = p->device;
    winograd *w = p->state = afn_alloc(sizeof *w);
    AFN_REQUIRE(w, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(fits_window(d->conv), AFN_EUNSUPPORTED, "no winograd for this window");
    AFN_TRY(need_blocked(device, d->src));
    AFN_TRY(need_blocked(device, d->dst));
    w->kind = kind;
    const bool forward = kind == DNN_INFER || kind == DNN_FORWARD;
    w->sum = forward && d->sum;
    w->act = forward ? d->act : AFN_NO_ACT;
    set_planes(w, device, d);
    set_chunk(w);
    AFN_TRY(make_product(w, device));
    const int64_t dim[] = { dnn_md_dim(d->dst, 1), dnn_md_dim(d->src, 1), 3, 3 };
    AFN_TRY(dnn_md_new(&w->weights, 4, dim,
                       device->kern->block == 16 ? DNN_WEIGHTS16 : DNN_WEIGHTS8,
                       DNN_F32));
    const size_t u_bytes = floats_bytes(POINTS * w->u_stride);
    p->weights = w->weights;
    p->packed_bytes = kind == DNN_INFER ? u_bytes : 0;
    p->scratch_bytes = (kind == DNN_INFER ? 0 : u_bytes) +
                       floats_bytes(POINTS * w->in.stride) +
                       floats_bytes(POINTS * w->out.stride) + product_bytes(w);
done:
    return st;
}

/* ---- weights ---- */

typedef struct weights_args {
    const cpu_pass *p;
    float *w; /* blocked, as p->weights */
    float *u; /* 36 of (ic, oc) */
} weights_args;

/* The nine taps and the 36 points of a vector of output channels. */
static void at_vector(const weights_args *a, int64_t i, float **taps, float **points)
{
    const winograd *w = a->p->state;
    const int64_t b = a->p->device->kern->block;
    const int64_t ob = i / w->ic, ic = i % w->ic;
    *taps = a->w + ((ob * (w->ic / b) + ic / b) * TAPS * b + ic % b) * b;
    *points = a->u + ic * w->oc + ob * b;
}

static void weights_range(void *user, int64_t from, int64_t to)
{
    const weights_args *a = user;
    const winograd *w = a->p->state;
    const afn_kern *kern = a->p->device->kern;
    const int64_t step = (int64_t)kern->block * kern->block;
    for (int64_t i = from; i < to; i++) {
        float *taps, *points;
        at_vector(a, i, &taps, &points);
        if (w->kind == DNN_BACKWARD_WEIGHTS)
            kern->winograd->weights_gradient(taps, step, points, w->u_stride);
        else
            kern->winograd->weights(points, w->u_stride, taps, step,
                                    w->kind == DNN_BACKWARD_DATA);
    }
}

/* Weights -> matrices; of backward weights, matrices -> weights. */
static void convert_weights(const cpu_pass *p, float *weights, float *u)
{
    const winograd *w = p->state;
    cpu_parallel(w->ic * (w->oc / p->device->kern->block), weights_range,
                 &(weights_args){ p, weights, u });
}

static void winograd_pack(const cpu_pass *p, const float *weights, void *packed)
{
    convert_weights(p, (float *)weights, packed);
}

/* ---- tiles ---- */

/* One transform of a chunk of tiles, between a value and its matrices. */
typedef struct tiles_args {
    const cpu_pass *p;
    const plane *plane;
    void (*transform)(const afn_kern_tile *k);
    float *value, *matrix;
    const float *bias; /* NULL = none */
    int64_t first;     /* tile of the chunk */
} tiles_args;

static void tiles_range(void *user, int64_t from, int64_t to)
{
    const tiles_args *a = user;
    const winograd *w = a->p->state;
    const plane *e = a->plane;
    const int64_t b = a->p->device->kern->block, per_image = w->tiles_h * w->tiles_w;
    afn_kern_tile k = {
        .stride = e->stride, .h = e->h, .w = e->w, .sum = w->sum, .act = w->act
    };
    for (int64_t i = from; i < to; i++) {
        const int64_t row = i / e->blocks, block = i % e->blocks;
        const int64_t image = (a->first + row) / per_image;
        const int64_t tile = (a->first + row) % per_image;
        k.x = a->value + (image * e->blocks + block) * e->h * e->w * b;
        k.t = a->matrix + row * e->channels + block * b;
        k.y0 = tile / w->tiles_w * SIDE - e->pad_y;
        k.x0 = tile % w->tiles_w * SIDE - e->pad_x;
        k.bias = a->bias ? a->bias + block * b : NULL;
        a->transform(&k);
    }
}

static int64_t rows_of_chunk(const winograd *w, int64_t first)
{
    return w->tiles - first < w->chunk ? w->tiles - first : w->chunk;
}

static void transform_tiles(const tiles_args *a)
{
    const winograd *w = a->p->state;
    cpu_parallel(rows_of_chunk(w, a->first) * a->plane->blocks, tiles_range, (void *)a);
}

/* Rows of the last chunk that no tile fills. */
static void clear_rest(const winograd *w, const plane *e, float *matrix, int64_t first)
{
    const int64_t rows = rows_of_chunk(w, first);
    for (int i = 0; rows < w->chunk && i < POINTS; i++)
        memset(matrix + i * e->stride + rows * e->channels, 0,
               (size_t)((w->chunk - rows) * e->channels) * sizeof *matrix);
}

/* ---- passes ---- */

/* What a call works on. */
typedef struct call {
    const cpu_pass *p;
    float *in, *out; /* values */
    float *u, *in_matrix, *out_matrix;
    const float *bias;
    void *scratch; /* of the product */
} call;

static void transform_in(const call *c, int64_t first)
{
    const winograd *w = c->p->state;
    transform_tiles(&(tiles_args){ .p = c->p,
                                   .plane = &w->in,
                                   .transform = c->p->device->kern->winograd->input,
                                   .value = c->in,
                                   .matrix = c->in_matrix,
                                   .first = first });
    clear_rest(w, &w->in, c->in_matrix, first);
}

/* The other side: from matrices, or of backward weights into them. */
static void transform_out(const call *c, int64_t first)
{
    const winograd *w = c->p->state;
    const afn_kern_winograd *kern = c->p->device->kern->winograd;
    const bool gradient = w->kind == DNN_BACKWARD_WEIGHTS;
    transform_tiles(
        &(tiles_args){ .p = c->p,
                       .plane = &w->out,
                       .transform = gradient ? kern->gradient : kern->output,
                       .value = c->out,
                       .matrix = c->out_matrix,
                       .bias = c->bias,
                       .first = first });
    if (gradient) clear_rest(w, &w->out, c->out_matrix, first);
}

static afn_status multiply(const call *c)
{
    const winograd *w = c->p->state;
    const bool gradient = w->kind == DNN_BACKWARD_WEIGHTS;
    void *buffer[DNN_N_SLOTS] = { [DNN_SRC] = c->in_matrix,
                                  [DNN_WEIGHTS] = gradient ? c->out_matrix : c->u,
                                  [DNN_DST] = gradient ? c->u : c->out_matrix,
                                  [DNN_SCRATCH] = c->scratch };
    return dnn_run(c->p->device->dnn, w->product, buffer);
}

static afn_status run_product(const call *c)
{
    const winograd *w = c->p->state;
    afn_status st = AFN_OK;
    for (int64_t first = 0; st == AFN_OK && first < w->tiles; first += w->chunk) {
        transform_in(c, first);
        st = multiply(c);
        if (st == AFN_OK) transform_out(c, first);
    }
    return st;
}

static afn_status run_weights(const call *c, float *dw)
{
    const winograd *w = c->p->state;
    afn_status st = AFN_OK;
    memset(c->u, 0, floats_bytes(POINTS * w->u_stride));
    for (int64_t first = 0; st == AFN_OK && first < w->tiles; first += w->chunk) {
        transform_in(c, first);
        transform_out(c, first);
        st = multiply(c);
    }
    if (st == AFN_OK) convert_weights(c->p, dw, c->u);
    return st;
}

typedef struct bias_args {
    const cpu_pass *p;
    const float *dy;
    float *db;
} bias_args;

/* db = sum of dy over samples and pixels, for some channel blocks. */
static void bias_range(void *user, int64_t from, int64_t to)
{
    const bias_args *a = user;
    const winograd *w = a->p->state;
    const afn_kern *kern = a->p->device->kern;
    const int64_t pixels = w->out.h * w->out.w;
    for (int64_t block = from; block < to; block++) {
        double sum[16] = { 0 };
        float mean[16];
        for (int64_t n = 0; n < w->n; n++) {
            kern->mean(mean, a->dy + (n * w->out.blocks + block) * pixels * kern->block,
                       pixels);
            for (int c = 0; c < kern->block; c++) sum[c] += (double)mean[c];
        }
        for (int c = 0; c < kern->block; c++)
            a->db[block * kern->block + c] = (float)(sum[c] * (double)pixels);
    }
}

static float *take(char **at, int64_t floats)
{
    float *p = (float *)*at;
    *at += floats_bytes(floats);
    return p;
}

static afn_status winograd_run(const cpu_pass *p, void *const *buffer, void *scratch)
{
    const winograd *w = p->state;
    const bool data = w->kind == DNN_BACKWARD_DATA;
    const bool gradient = w->kind == DNN_BACKWARD_WEIGHTS;
    char *at = scratch;
    call c = { .p = p,
               .in = buffer[data ? DNN_DIFF_DST : DNN_SRC],
               .out = buffer[data       ? DNN_DIFF_SRC
                             : gradient ? DNN_DIFF_DST
                                        : DNN_DST],
               .bias = buffer[DNN_BIAS] };
    c.u = p->packed_bytes ? buffer[DNN_WEIGHTS] : take(&at, POINTS * w->u_stride);
    c.in_matrix = take(&at, POINTS * w->in.stride);
    c.out_matrix = take(&at, POINTS * w->out.stride);
    c.scratch = at;
    if (gradient) {
        if (buffer[DNN_DIFF_BIAS])
            cpu_parallel(w->out.blocks, bias_range,
                         &(bias_args){ p, c.out, buffer[DNN_DIFF_BIAS] });
        return run_weights(&c, buffer[DNN_DIFF_WEIGHTS]);
    }
    if (!p->packed_bytes) convert_weights(p, buffer[DNN_WEIGHTS], c.u);
    return run_product(&c);
}

const cpu_algo cpu_algo_winograd = {
    .name = "winograd",
    .prepare = winograd_prepare,
    .run = winograd_run,
    .pack = winograd_pack,
    .free = winograd_free,
};
