/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd F(4,3) of our own: 3 x 3 convolutions of stride 1 in blocked layouts,
 * forward and both backward passes.  kern_winograd.c has the transforms and the paper.
 *
 * The result is cut into tiles of 4 x 4 pixels.  A chunk of tiles at a time is
 * transformed into 36 matrices (tile, channel), multiplied by 36 matrices made from the
 * weights, and transformed back:
 *     forward   y  = out[ in(x)  U(w) ]
 *     data      dx = out[ in(dy) U(w rotated)' ]   padded by 2 - pad
 *     weights   dw = U'[ sum over chunks of in(x)' gradient(dy) ]
 * Each thread takes some of the tiles all the way, in chunks that stay in its own
 * cache; of weights into a sum of its own.  Where such sums would be too large, the
 * threads divide first a chunk's tiles, then the elements of one sum.
 *
 * The right side of a product is stored in pairs of channel blocks, (pair, depth, two
 * blocks), which is how kern_product.c reads it. */
#include <string.h>

#include "engine/cpu/cpu_pass.h"

enum { POINTS = 36, SIDE = 4, TAPS = 9 };
enum { LEAST_TILES = 28, OWN_CHUNK_BYTES = 640 << 10, SHARED_CHUNK_BYTES = 16 << 20 };
enum { OWN_SUM_BYTES = 24 << 20 }; /* of all threads' sums together */

/* A blocked value, and its 36 matrices (chunk, channels). */
typedef struct plane {
    int64_t blocks, channels, h, w; /* channels with padding */
    int64_t pad_y, pad_x;           /* of the tiles that are cut from it */
    int64_t stride;                 /* floats from one matrix to the next */
    bool pairs;                     /* stored as the right side of a product */
} plane;

typedef struct winograd {
    dnn_pass kind;
    plane in, out; /* `in` gets 6 x 6 tiles; of data they are dy and dx */
    int64_t n, tiles_h, tiles_w, tiles, chunk, parts;
    int64_t u_stride; /* of the weights' matrices (in.channels, out.channels) */
    dnn_md *weights;
    bool sum;
    int act;
} winograd;

static void winograd_free(void *state)
{
    winograd *w = state;
    if (!w) return;
    dnn_md_free(w->weights);
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

static void set_planes(winograd *w, const cpu_device *d, const dnn_product *p)
{
    const afn_conv_attr *c = p->conv;
    const bool data = w->kind == DNN_BACKWARD_DATA;
    w->in = plane_of(d, data ? p->dst : p->src);
    w->out = plane_of(d, data ? p->src : p->dst);
    w->in.pad_y = data ? 2 - c->ph : c->ph;
    w->in.pad_x = data ? 2 - c->pw : c->pw;
    w->out.pairs = w->kind == DNN_BACKWARD_WEIGHTS;
    w->n = dnn_md_dim(p->src, 0);
    w->tiles_h = (w->out.h + SIDE - 1) / SIDE;
    w->tiles_w = (w->out.w + SIDE - 1) / SIDE;
    w->tiles = w->n * w->tiles_h * w->tiles_w;
}

/* Do the threads add up one sum together? */
static bool shares(const winograd *w)
{
    return w->kind == DNN_BACKWARD_WEIGHTS && w->parts == 1;
}

static void set_parts(winograd *w, const cpu_device *d)
{
    const int64_t sum_bytes =
        POINTS * w->in.channels * w->out.channels * (int64_t)sizeof(float);
    const bool fits = d->threads * sum_bytes <= OWN_SUM_BYTES;
    w->parts = w->kind != DNN_BACKWARD_WEIGHTS || fits ? d->threads : 1;
}

/* Chunks of equal size, as large as the cache takes well. */
static void set_chunk(winograd *w)
{
    const int64_t tile_bytes =
        POINTS * (w->in.channels + w->out.channels) * (int64_t)sizeof(float);
    int64_t most = (shares(w) ? SHARED_CHUNK_BYTES : OWN_CHUNK_BYTES) / tile_bytes;
    if (most < LEAST_TILES) most = LEAST_TILES;
    const int64_t own = (w->tiles + w->parts - 1) / w->parts;
    const int64_t chunks = (own + most - 1) / most;
    w->chunk = (own + chunks - 1) / chunks;
    w->in.stride = skewed(w->chunk * w->in.channels);
    w->out.stride = skewed(w->chunk * w->out.channels);
    w->u_stride = skewed(w->in.channels * w->out.channels);
}

static size_t floats_bytes(int64_t floats)
{
    return cpu_aligned((size_t)floats * sizeof(float));
}

/* Both sides' matrices of a chunk. */
static size_t chunk_bytes(const winograd *w)
{
    return floats_bytes(POINTS * w->in.stride) + floats_bytes(POINTS * w->out.stride);
}

static dnn_order weights_order(const cpu_device *d, dnn_pass kind)
{
    const bool wide = d->kern->block == 16;
    if (kind == DNN_BACKWARD_DATA) return wide ? DNN_WEIGHTS16_DATA : DNN_WEIGHTS8_DATA;
    return wide ? DNN_WEIGHTS16 : DNN_WEIGHTS8;
}

static afn_status winograd_prepare(cpu_pass *p, dnn_pass kind, const dnn_product *d)
{
    afn_status st = AFN_OK;
    const cpu_device *device = p->device;
    winograd *w = p->state = afn_alloc(sizeof *w);
    AFN_REQUIRE(w, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(cpu_winograd_window(d->conv), AFN_EUNSUPPORTED,
                "no winograd for this window");
    const cpu_format floats = { device->blocked, DNN_F32 };
    AFN_TRY(cpu_need_format(d->src, floats));
    AFN_TRY(cpu_need_format(d->dst, floats));
    w->kind = kind;
    const bool forward = kind == DNN_INFER || kind == DNN_FORWARD;
    w->sum = forward && d->sum;
    w->act = forward ? d->act : AFN_NO_ACT;
    AFN_REQUIRE(!afn_act_is_smooth(w->act), AFN_EUNSUPPORTED, "no winograd with it");
    set_planes(w, device, d);
    set_parts(w, device);
    set_chunk(w);
    const int64_t dim[] = { dnn_md_dim(d->dst, 1), dnn_md_dim(d->src, 1), 3, 3 };
    AFN_TRY(dnn_md_new(&w->weights, 4, dim, weights_order(device, kind), DNN_F32));
    const size_t u_bytes = floats_bytes(POINTS * w->u_stride);
    p->weights = w->weights;
    p->packed_bytes = kind == DNN_INFER ? u_bytes : 0;
    p->held_bytes = kind == DNN_INFER ? 0 : u_bytes;
    if (kind == DNN_BACKWARD_WEIGHTS) p->held_bytes *= (size_t)w->parts;
    p->sums = true;
    p->scratch_bytes = (size_t)w->parts * chunk_bytes(w);
done:
    return st;
}

/* ---- places ---- */

/* Blocks in the pair that begins with block 2 pair. */
static int pair_width(int64_t blocks, int64_t pair)
{
    return 2 * pair + 1 < blocks ? 2 : 1;
}

/* Where in the right side of a product (depth, channels) row `at` of a block lies. */
static int64_t in_pairs(int64_t depth, int64_t blocks, int64_t block, int64_t at,
                        int64_t b)
{
    const int64_t pair = block / 2;
    return (pair * 2 * depth + at * pair_width(blocks, pair) + block % 2) * b;
}

static int64_t place(const winograd *w, const plane *e, int64_t row, int64_t block,
                     int64_t b)
{
    if (e->pairs) return in_pairs(w->chunk, e->blocks, block, row, b);
    return row * e->channels + block * b;
}

/* ---- weights ---- */

typedef struct weights_args {
    const cpu_pass *p;
    float *w; /* blocked, as p->weights */
    float *u; /* 36 matrices (in.channels, out.channels) */
} weights_args;

/* The nine taps of a vector of out channels for one in channel, and its 36 points: the
 * right side of forward and data, the result of weights. */
static void at_vector(const weights_args *a, int64_t i, float **taps, float **points)
{
    const winograd *w = a->p->state;
    const int64_t b = a->p->device->kern->block, depth = w->in.channels;
    const int64_t block = i / depth, d = i % depth;
    const bool data = w->kind == DNN_BACKWARD_DATA;
    const int64_t outer =
        data ? d / b * w->out.blocks + block : block * w->in.blocks + d / b;
    *taps = a->w + (outer * TAPS * b + d % b) * b;
    *points = a->u + (w->kind == DNN_BACKWARD_WEIGHTS
                          ? d * w->out.channels + block * b
                          : in_pairs(depth, w->out.blocks, block, d, b));
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
    cpu_parallel(w->in.channels * w->out.blocks, weights_range,
                 &(weights_args){ p, weights, u });
}

static void winograd_pack(const cpu_pass *p, const float *weights, void *packed)
{
    convert_weights(p, (float *)weights, packed);
}

/* ---- tiles ---- */

/* What a call works on. */
typedef struct call {
    const cpu_pass *p;
    float *in, *out; /* values */
    float *u;
    char *scratch;
    const float *bias; /* NULL = none */
} call;

/* A chunk: some tiles in a row, and their matrices. */
typedef struct chunk {
    int64_t first, rows;
    float *in, *out;
} chunk;

static chunk chunk_of(const winograd *w, const call *c, int64_t part, int64_t first,
                      int64_t end)
{
    char *own = c->scratch + (size_t)part * chunk_bytes(w);
    return (chunk){ .first = first,
                    .rows = end - first < w->chunk ? end - first : w->chunk,
                    .in = (float *)own,
                    .out = (float *)(own + floats_bytes(POINTS * w->in.stride)) };
}

typedef void (*transform_fn)(const afn_kern_tile *k);

/* One transform of rows [from, to) of a chunk, between a value and its matrices. */
static void transform(const call *c, const plane *e, transform_fn fn, float *value,
                      float *matrix, const int64_t *rows)
{
    const winograd *w = c->p->state;
    const int64_t b = c->p->device->kern->block, per_image = w->tiles_h * w->tiles_w;
    const int64_t first = rows[0], from = rows[1], to = rows[2];
    afn_kern_tile k = {
        .stride = e->stride, .h = e->h, .w = e->w, .sum = w->sum, .act = w->act
    };
    /* Tile by tile of one block: neighbours share lines, and rows are read in order. */
    for (int64_t block = 0; block < e->blocks; block++) {
        k.bias = c->bias ? c->bias + block * b : NULL;
        for (int64_t row = from; row < to; row++) {
            const int64_t image = (first + row) / per_image;
            const int64_t tile = (first + row) % per_image;
            k.y0 = tile / w->tiles_w * SIDE - e->pad_y;
            k.x0 = tile % w->tiles_w * SIDE - e->pad_x;
            k.x = value + (image * e->blocks + block) * e->h * e->w * b;
            k.t = matrix + place(w, e, row, block, b);
            fn(&k);
        }
    }
}

static void transform_in(const call *c, const chunk *k, int64_t from, int64_t to)
{
    const winograd *w = c->p->state;
    transform(c, &w->in, c->p->device->kern->winograd->input, c->in, k->in,
              (const int64_t[]){ k->first, from, to });
}

/* The other side: from matrices, or of backward weights into them. */
static void transform_out(const call *c, const chunk *k, int64_t from, int64_t to)
{
    const winograd *w = c->p->state;
    const afn_kern_winograd *kern = c->p->device->kern->winograd;
    transform(c, &w->out,
              w->kind == DNN_BACKWARD_WEIGHTS ? kern->gradient : kern->output, c->out,
              k->out, (const int64_t[]){ k->first, from, to });
}

/* ---- forward and data ---- */

static void multiply(const call *c, const chunk *k)
{
    const winograd *w = c->p->state;
    const afn_kern *kern = c->p->device->kern;
    const int64_t b = kern->block, depth = w->in.channels;
    for (int point = 0; point < POINTS; point++)
        for (int64_t pair = 0; 2 * pair < w->out.blocks; pair++) {
            const int vectors = pair_width(w->out.blocks, pair);
            kern->winograd->multiply(&(afn_kern_product){
                .a = k->in + point * w->in.stride,
                .b = c->u + point * w->u_stride + pair * 2 * depth * b,
                .c = k->out + point * w->out.stride + pair * 2 * b,
                .rows = k->rows,
                .depth = depth,
                .vectors = vectors,
                .a_row = depth,
                .a_depth = 1,
                .b_depth = vectors * b,
                .c_row = w->out.channels });
        }
}

static void part_range(void *user, int64_t from, int64_t to)
{
    const call *c = user;
    const winograd *w = c->p->state;
    for (int64_t part = from; part < to; part++) {
        const int64_t end = w->tiles * (part + 1) / w->parts;
        for (int64_t at = w->tiles * part / w->parts; at < end; at += w->chunk) {
            const chunk k = chunk_of(w, c, part, at, end);
            transform_in(c, &k, 0, k.rows);
            multiply(c, &k);
            transform_out(c, &k, 0, k.rows);
        }
    }
}

/* ---- weights ---- */

/* The sum of one part. */
static float *sum_of(const call *c, int64_t part)
{
    const winograd *w = c->p->state;
    return (float *)((char *)c->u + (size_t)part * floats_bytes(POINTS * w->u_stride));
}

/* Add the products of a chunk to a sum: unit i is a pair of blocks at one point. */
static void add_products(const call *c, const chunk *k, float *sum, int64_t i)
{
    const winograd *w = c->p->state;
    const afn_kern *kern = c->p->device->kern;
    const int64_t b = kern->block, pairs = (w->out.blocks + 1) / 2;
    const int64_t point = i / pairs, pair = i % pairs;
    const int vectors = pair_width(w->out.blocks, pair);
    kern->winograd->multiply(&(afn_kern_product){
        .a = k->in + point * w->in.stride,
        .b = k->out + point * w->out.stride + pair * 2 * w->chunk * b,
        .c = sum + point * w->u_stride + pair * 2 * b,
        .rows = w->in.channels,
        .depth = k->rows,
        .vectors = vectors,
        .a_row = 1,
        .a_depth = w->in.channels,
        .b_depth = vectors * b,
        .c_row = w->out.channels,
        .add = true });
}

static int64_t units(const winograd *w)
{
    return POINTS * ((w->out.blocks + 1) / 2);
}

/* Each part on its own tiles and its own sum. */
static void sum_parts(void *user, int64_t from, int64_t to)
{
    const call *c = user;
    const winograd *w = c->p->state;
    for (int64_t part = from; part < to; part++) {
        const int64_t end = w->tiles * (part + 1) / w->parts;
        for (int64_t at = w->tiles * part / w->parts; at < end; at += w->chunk) {
            const chunk k = chunk_of(w, c, part, at, end);
            transform_in(c, &k, 0, k.rows);
            transform_out(c, &k, 0, k.rows);
            for (int64_t i = 0; i < units(w); i++)
                add_products(c, &k, sum_of(c, part), i);
        }
    }
}

typedef struct chunk_call {
    const call *c;
    chunk k;
} chunk_call;

static void transform_range(void *user, int64_t from, int64_t to)
{
    const chunk_call *a = user;
    transform_in(a->c, &a->k, from, to);
    transform_out(a->c, &a->k, from, to);
}

static void add_range(void *user, int64_t from, int64_t to)
{
    const chunk_call *a = user;
    for (int64_t i = from; i < to; i++) add_products(a->c, &a->k, a->c->u, i);
}

/* All threads on each chunk and on one sum. */
static void sum_together(const call *c)
{
    const winograd *w = c->p->state;
    for (int64_t at = 0; at < w->tiles; at += w->chunk) {
        chunk_call a = { c, chunk_of(w, c, 0, at, w->tiles) };
        cpu_parallel(a.k.rows, transform_range, &a);
        cpu_parallel(units(w), add_range, &a);
    }
}

static void run_weights(const call *c, const cpu_run *r)
{
    const winograd *w = c->p->state;
    if (r->first) memset(c->u, 0, c->p->held_bytes);
    if (shares(w))
        sum_together(c);
    else
        cpu_parallel(w->parts, sum_parts, (void *)c);
    if (!r->last) return;
    for (int64_t part = 1; part < w->parts; part++)
        cpu_accumulate(c->p->device->kern, c->u, sum_of(c, part), POINTS * w->u_stride);
    convert_weights(c->p, r->buffer[DNN_DIFF_WEIGHTS], c->u);
}

typedef struct bias_args {
    const cpu_pass *p;
    const float *dy;
    float *db;
    bool add;
} bias_args;

/* db = sum of dy over samples and pixels, or += that, for some channel blocks. */
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
        float *db = a->db + block * kern->block;
        for (int c = 0; c < kern->block; c++)
            db[c] = (a->add ? db[c] : 0.0f) + (float)(sum[c] * (double)pixels);
    }
}

static afn_status winograd_run(const cpu_pass *p, const cpu_run *r)
{
    const winograd *w = p->state;
    void *const *buffer = r->buffer;
    const bool data = w->kind == DNN_BACKWARD_DATA;
    const bool gradient = w->kind == DNN_BACKWARD_WEIGHTS;
    call c = { .p = p,
               .in = buffer[data ? DNN_DIFF_DST : DNN_SRC],
               .out = buffer[data       ? DNN_DIFF_SRC
                             : gradient ? DNN_DIFF_DST
                                        : DNN_DST],
               .u = p->packed_bytes ? buffer[DNN_WEIGHTS] : r->held,
               .scratch = r->scratch,
               .bias = gradient ? NULL : buffer[DNN_BIAS] };
    if (gradient) {
        if (buffer[DNN_DIFF_BIAS])
            cpu_parallel(w->out.blocks, bias_range,
                         &(bias_args){ p, c.out, buffer[DNN_DIFF_BIAS], !r->first });
        run_weights(&c, r);
        return AFN_OK;
    }
    if (!p->packed_bytes && r->first) convert_weights(p, buffer[DNN_WEIGHTS], c.u);
    cpu_parallel(w->parts, part_range, &c);
    return AFN_OK;
}

const cpu_algo cpu_algo_winograd = {
    .name = "winograd",
    .prepare = winograd_prepare,
    .run = winograd_run,
    .pack = winograd_pack,
    .free = winograd_free,
};
