/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd F(2,3) of our own in bf16: 3 x 3 convolutions of stride 1, forward and
 * backward data.  kern_winograd_f2.c has the arithmetic and the paper.
 *
 * The result is cut into tiles of 2 x 2 pixels, which the threads divide.  A thread
 * takes a chunk of tiles at a time, so that it stays in its cache: what the tiles read
 * becomes 16 matrices v (tile, ic) in bf16; for a group of output channels these are
 * multiplied by 16 matrices u (ic, oc), made from the weights in fp32; and the products
 * in float become pixels.
 *     forward   y  = out[ in(x)  u(w) ]
 *     data      dx = out[ in(dy) u(w rotated)' ]   padded by 2 - pad
 * Each sum runs over the channels in one order, whatever the batch and the threads. */
#include <string.h>

#include "engine/cpu/cpu_pass.h"

enum { BLOCK = 16, OUT = 2, GROUP = AFN_F2_OC, VECTOR = 64 };

/* Of v and the products of one group: what leaves room in a cache of 1 MB. */
enum { CHUNK_BYTES = 640 << 10 };

/* A blocked value: what is read, or what is written. */
typedef struct plane {
    int64_t blocks, h, w;
} plane;

typedef struct f2 {
    const afn_kern_f2 *kern;
    dnn_md *weights;
    plane in, out; /* of backward data they are dy and dx */
    int64_t pad_y, pad_x;
    int64_t n, tiles_h, tiles_w, tiles, chunk; /* chunk: most tiles at a time */
    int64_t pairs;                             /* of channels that are read */
    int64_t v_point, m_point; /* values, floats from one matrix to the next */
    size_t u_bytes, v_bytes, m_bytes;
    int parts; /* one for each thread, with v and m of its own */
    bool data, sum;
    int act;
} f2;

static void release(void *state)
{
    f2 *f = state;
    if (!f) return;
    dnn_md_free(f->weights);
    afn_free(f);
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- preparing ---- */

static plane plane_of(const dnn_md *md)
{
    return (plane){ .blocks = ceil_div(dnn_md_dim(md, 1), BLOCK),
                    .h = dnn_md_dim(md, 2),
                    .w = dnn_md_dim(md, 3) };
}

static void set_planes(f2 *f, const dnn_product *d)
{
    const afn_conv_attr *c = d->conv;
    f->in = plane_of(f->data ? d->dst : d->src);
    f->out = plane_of(f->data ? d->src : d->dst);
    f->pad_y = f->data ? 2 - c->ph : c->ph;
    f->pad_x = f->data ? 2 - c->pw : c->pw;
    f->n = dnn_md_dim(d->src, 0);
    f->tiles_h = ceil_div(f->out.h, OUT);
    f->tiles_w = ceil_div(f->out.w, OUT);
    f->tiles = f->n * f->tiles_h * f->tiles_w;
    f->pairs = f->in.blocks * BLOCK / 2;
}

/* An odd number of cache lines, so that 16 matrices do not meet in one cache set. */
static int64_t skewed(int64_t bytes)
{
    return (ceil_div(bytes, VECTOR) | 1) * VECTOR;
}

static void set_chunk(f2 *f, int threads)
{
    const int64_t v_tile = f->pairs * 4, m_tile = GROUP * VECTOR;
    const int64_t most = CHUNK_BYTES / (AFN_F2_POINTS * (v_tile + m_tile));
    const int64_t part = ceil_div(f->tiles, threads);
    const int64_t chunks = ceil_div(part, most > AFN_F2_TILES ? most : AFN_F2_TILES);
    f->chunk = ceil_div(ceil_div(part, chunks), AFN_F2_TILES) * AFN_F2_TILES;
    f->parts = threads;
    f->v_point = skewed(f->chunk * v_tile) / 2;
    f->m_point = skewed(f->chunk * m_tile) / 4;
    f->v_bytes = (size_t)(AFN_F2_POINTS * f->v_point) * 2;
    f->m_bytes = (size_t)(AFN_F2_POINTS * f->m_point) * 4;
    f->u_bytes = (size_t)(f->out.blocks * AFN_F2_POINTS * f->pairs * VECTOR);
}

static afn_status prepare(cpu_pass *p, dnn_pass kind, const dnn_product *d)
{
    afn_status st = AFN_OK;
    const afn_kern *kern = &afn_kern_avx512_bf16;
    f2 *f = p->state = afn_alloc(sizeof *f);
    AFN_REQUIRE(f, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(kind != DNN_BACKWARD_WEIGHTS && cpu_winograd_window(d->conv) &&
                    p->device->type == DNN_BF16,
                AFN_EUNSUPPORTED, "no winograd for this pass");
    AFN_TRY(cpu_need_format(d->src, (cpu_format){ DNN_BLOCKED16, DNN_BF16 }));
    AFN_TRY(cpu_need_format(d->dst, (cpu_format){ DNN_BLOCKED16, DNN_BF16 }));
    f->kern = kern->f2;
    f->data = kind == DNN_BACKWARD_DATA;
    f->sum = !f->data && d->sum;
    f->act = f->data ? AFN_NO_ACT : d->act;
    AFN_REQUIRE(!afn_act_is_smooth(f->act), AFN_EUNSUPPORTED, "no winograd with it");
    set_planes(f, d);
    set_chunk(f, p->device->threads);
    const int64_t dim[] = { dnn_md_dim(d->dst, 1), dnn_md_dim(d->src, 1), 3, 3 };
    AFN_TRY(dnn_md_new(&f->weights, 4, dim, DNN_WEIGHTS16, DNN_F32));
    p->weights = f->weights;
    p->packed_bytes = kind == DNN_INFER ? f->u_bytes : 0;
    p->held_bytes = kind == DNN_INFER ? 0 : f->u_bytes;
    p->scratch_bytes = (size_t)f->parts * (f->v_bytes + f->m_bytes);
done:
    return st;
}

/* ---- weights ---- */

typedef struct weights_args {
    const f2 *f;
    const float *w; /* blocked, as the pass's */
    char *u;        /* (groups, points, pairs, blocks of the group) vectors */
} weights_args;

static int group_width(const f2 *f, int64_t first)
{
    return (int)least(GROUP, f->out.blocks - first);
}

/* The matrices of the group that begins at a block. */
static char *group_at(const f2 *f, char *u, int64_t first)
{
    return u + first * AFN_F2_POINTS * f->pairs * VECTOR;
}

/* One block of weights: read in a row, written where its channels are. */
static void weights_range(void *user, int64_t from, int64_t to)
{
    const weights_args *a = user;
    const f2 *f = a->f;
    const int64_t ic_blocks = f->data ? f->out.blocks : f->in.blocks;
    for (int64_t i = from; i < to; i++) {
        const int64_t ob = i / ic_blocks, ib = i % ic_blocks;
        const int64_t out = f->data ? ib : ob, in = f->data ? ob : ib;
        const int64_t first = out / GROUP * GROUP;
        const int width = group_width(f, first);
        char *u =
            group_at(f, a->u, first) + (in * BLOCK / 2 * width + out - first) * VECTOR;
        f->kern->weights(u, f->pairs * width, width, a->w + i * 9 * BLOCK * BLOCK,
                         f->data);
    }
}

static void convert_weights(const f2 *f, const float *w, void *u)
{
    cpu_parallel(f->in.blocks * f->out.blocks, weights_range,
                 &(weights_args){ f, w, u });
}

static void pack(const cpu_pass *p, const float *weights, void *packed)
{
    convert_weights(p->state, weights, packed);
}

/* ---- one thread's tiles ---- */

typedef struct part {
    const f2 *f;
    const char *in;
    char *out, *u;
    const float *bias; /* NULL = none */
    char *v, *m;
} part;

/* Tiles [first, first + count) in a row of tiles of one image, `row` of the chunk. */
typedef struct run {
    int64_t first, count, at;
} run;

/* Calls fn for each run of a chunk. */
static void each_run(const part *p, int64_t first, int64_t count, int64_t block,
                     void (*fn)(const part *p, const run *r, int64_t block))
{
    const int64_t end = first + count, row = p->f->tiles_w;
    for (int64_t t = first; t < end;) {
        const int64_t next = least(end, (t / row + 1) * row);
        fn(p, &(run){ t, next - t, t - first }, block);
        t = next;
    }
}

/* Where a run lies in its image. */
static void place(afn_f2_tiles *k, const f2 *f, const run *r, int64_t *image)
{
    const int64_t row = r->first / f->tiles_w;
    *image = row / f->tiles_h;
    k->y0 = row % f->tiles_h * OUT;
    k->x0 = r->first % f->tiles_w * OUT;
    k->count = r->count;
}

static void read_run(const part *p, const run *r, int64_t block)
{
    const f2 *f = p->f;
    int64_t image;
    afn_f2_tiles k = {
        .point = f->v_point, .tile = f->pairs * 2, .h = f->in.h, .w = f->in.w
    };
    place(&k, f, r, &image);
    k.y0 -= f->pad_y;
    k.x0 -= f->pad_x;
    k.x = (char *)p->in + (image * f->in.blocks + block) * f->in.h * f->in.w * 32;
    k.t = p->v + (r->at * k.tile + block * BLOCK) * 2;
    f->kern->input(&k);
}

static void write_run(const part *p, const run *r, int64_t block)
{
    const f2 *f = p->f;
    int64_t image;
    afn_f2_tiles k = { .point = f->m_point,
                       .tile = GROUP * BLOCK,
                       .h = f->out.h,
                       .w = f->out.w,
                       .bias = p->bias ? p->bias + block * BLOCK : NULL,
                       .sum = f->sum,
                       .act = f->act };
    place(&k, f, r, &image);
    k.x = p->out + (image * f->out.blocks + block) * f->out.h * f->out.w * 32;
    k.t = p->m + (r->at * k.tile + block % GROUP * BLOCK) * 4;
    f->kern->output(&k);
}

static void multiply_group(const part *p, int64_t first, int64_t tiles)
{
    const f2 *f = p->f;
    const int width = group_width(f, first);
    afn_f2_product k = { .v_step = f->pairs * 2,
                         .m_step = GROUP * BLOCK,
                         .pairs = f->pairs,
                         .tiles = ceil_div(tiles, AFN_F2_TILES) * AFN_F2_TILES,
                         .oc = width };
    for (int64_t i = 0; i < AFN_F2_POINTS; i++) {
        k.v = p->v + i * f->v_point * 2;
        k.u = group_at(f, p->u, first) + i * f->pairs * width * VECTOR;
        k.m = (float *)p->m + i * f->m_point;
        f->kern->product(&k);
    }
}

static void run_chunk(const part *p, int64_t first, int64_t count)
{
    const f2 *f = p->f;
    for (int64_t b = 0; b < f->in.blocks; b++) each_run(p, first, count, b, read_run);
    for (int64_t g = 0; g < f->out.blocks; g += GROUP) {
        multiply_group(p, g, count);
        for (int64_t b = g; b < g + group_width(f, g); b++)
            each_run(p, first, count, b, write_run);
    }
}

/* ---- running ---- */

static void run_parts(void *user, int64_t from, int64_t to)
{
    const part *call = user;
    const f2 *f = call->f;
    for (int64_t k = from; k < to; k++) {
        part own = *call;
        const int64_t end = f->tiles * (k + 1) / f->parts;
        own.v = call->v + (size_t)k * (f->v_bytes + f->m_bytes);
        own.m = own.v + f->v_bytes;
        for (int64_t t = f->tiles * k / f->parts; t < end; t += f->chunk)
            run_chunk(&own, t, least(f->chunk, end - t));
    }
}

static afn_status run_pass(const cpu_pass *p, const cpu_run *r)
{
    const f2 *f = p->state;
    void *const *buffer = r->buffer;
    part call = { .f = f,
                  .in = buffer[f->data ? DNN_DIFF_DST : DNN_SRC],
                  .out = buffer[f->data ? DNN_DIFF_SRC : DNN_DST],
                  .u = p->packed_bytes ? buffer[DNN_WEIGHTS] : r->held,
                  .bias = f->data ? NULL : buffer[DNN_BIAS],
                  .v = r->scratch };
    if (!p->packed_bytes && r->first) convert_weights(f, buffer[DNN_WEIGHTS], call.u);
    cpu_parallel(f->parts, run_parts, &call);
    return AFN_OK;
}

const cpu_algo cpu_algo_winograd_f2 = {
    .name = "winograd-f2",
    .prepare = prepare,
    .run = run_pass,
    .pack = pack,
    .free = release,
};
