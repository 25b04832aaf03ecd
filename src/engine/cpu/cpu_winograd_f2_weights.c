/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of weights by Winograd F(2,3) in bf16: 3 x 3 convolutions of stride 1.
 * kern_winograd_f2.c has the transforms, kern_pairs.c the products.
 *
 *     dw = G' [ sum over tiles of in(x) (ic) gradient(dy) (oc) ] G
 * The same tile of two images makes a pair; a chunk of pairs at a time is transformed,
 * dy for all output channels of a thread, x for a few blocks of input channels.
 *
 * Threads divide the channels, as in cpu_pairs.c: the bits of a sum do not depend on
 * how many there are. */
#include <string.h>

#include "engine/cpu/cpu_pass.h"

enum { BLOCK = 16, OUT = 2, UNIT = AFN_PAIRS_OC, VECTOR = 64, POINTS = AFN_F2_POINTS };

/* Pairs of tiles at a time, and bytes of x that are transformed at a time. */
enum { MOST_PAIRS = 272, X_BYTES = 1 << 20 };

/* Floats of the 16 sums of a unit of oc with one block of ic. */
enum { SUM_POINT = UNIT * BLOCK * BLOCK, SUM = POINTS * SUM_POINT };

typedef struct f2w {
    dnn_md *weights;
    int64_t n, h, w, oh, ow, pad_y, pad_x;
    int64_t ic, oc; /* blocks */
    int64_t tiles_h, tiles_w, pairs, chunk;
    int64_t x_group;                     /* blocks of ic transformed at a time */
    int cells_oc, cells_ic;              /* threads divide dw like this */
    size_t dy_bytes, x_bytes, sum_bytes; /* scratch of one cell */
} f2w;

static void release(void *state)
{
    f2w *f = state;
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

static void set_shape(f2w *f, const dnn_product *d)
{
    f->n = dnn_md_dim(d->src, 0);
    f->h = dnn_md_dim(d->src, 2);
    f->w = dnn_md_dim(d->src, 3);
    f->oh = dnn_md_dim(d->dst, 2);
    f->ow = dnn_md_dim(d->dst, 3);
    f->pad_y = d->conv->ph;
    f->pad_x = d->conv->pw;
    f->ic = ceil_div(dnn_md_dim(d->src, 1), BLOCK);
    f->oc = ceil_div(dnn_md_dim(d->dst, 1), BLOCK);
    f->tiles_h = ceil_div(f->oh, OUT);
    f->tiles_w = ceil_div(f->ow, OUT);
    f->pairs = ceil_div(f->n, 2) * f->tiles_h * f->tiles_w;
    /* Odd: points that are an even number of cache lines apart meet in few sets. */
    f->chunk = ceil_div(f->pairs, ceil_div(f->pairs, MOST_PAIRS)) | 1;
}

/* The way to divide dw that leaves the busiest thread the least work: products, and
 * transforms of its own channels, which cost as much as about 8 products. */
static void set_cells(f2w *f, int threads)
{
    double best = 0;
    for (int k = 1; k <= threads; k++) {
        if (threads % k) continue;
        const double oc = (double)ceil_div(ceil_div(f->oc, UNIT), k) * UNIT;
        const double ic = (double)ceil_div(f->ic, threads / k);
        const double work = oc * ic + oc + 2 * ic;
        if (best > 0 && work >= best) continue;
        best = work;
        f->cells_oc = k;
        f->cells_ic = threads / k;
    }
}

static bool is_one_chunk(const f2w *f)
{
    return f->chunk >= f->pairs;
}

static void set_scratch(f2w *f)
{
    const int64_t units = ceil_div(ceil_div(f->oc, UNIT), f->cells_oc);
    const int64_t ic = ceil_div(f->ic, f->cells_ic);
    const int64_t x_block = POINTS * f->chunk * VECTOR;
    const int64_t fit = X_BYTES / x_block;
    f->x_group = least(ic, fit > 0 ? fit : 1);
    f->dy_bytes = (size_t)(units * UNIT * x_block);
    f->x_bytes = (size_t)(f->x_group * x_block);
    f->sum_bytes = (size_t)(is_one_chunk(f) ? f->x_group : units * ic) * SUM * 4;
}

static size_t cell_bytes(const f2w *f)
{
    return f->dy_bytes + f->x_bytes + f->sum_bytes;
}

static afn_status prepare(cpu_pass *p, dnn_pass kind, const dnn_product *d)
{
    afn_status st = AFN_OK;
    f2w *f = p->state = afn_alloc(sizeof *f);
    AFN_REQUIRE(f, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(kind == DNN_BACKWARD_WEIGHTS && cpu_winograd_window(d->conv) &&
                    p->device->type == DNN_BF16,
                AFN_EUNSUPPORTED, "no winograd for this pass");
    AFN_TRY(cpu_need_format(d->src, (cpu_format){ DNN_BLOCKED16, DNN_BF16 }));
    AFN_TRY(cpu_need_format(d->dst, (cpu_format){ DNN_BLOCKED16, DNN_BF16 }));
    set_shape(f, d);
    set_cells(f, p->device->threads);
    set_scratch(f);
    const int64_t dim[] = { dnn_md_dim(d->dst, 1), dnn_md_dim(d->src, 1), 3, 3 };
    AFN_TRY(dnn_md_new(&f->weights, 4, dim, DNN_WEIGHTS16, DNN_F32));
    p->weights = f->weights;
    p->scratch_bytes = (size_t)(f->cells_oc * f->cells_ic) * cell_bytes(f);
done:
    return st;
}

/* ---- one thread's part ---- */

typedef struct cell {
    const f2w *f;
    const char *x, *dy; /* values */
    float *dw, *db;     /* db NULL = not wanted */
    int64_t oc0, oc1, ic0, ic1;
    char *dy_pairs;       /* (units, points, chunk, blocks of the unit) vectors */
    char *x_pairs;        /* (blocks of a group, points, chunk) */
    float *sums;          /* (units, ic) or (blocks of a group) of SUM */
    int64_t first, count; /* pairs of the chunk */
} cell;

/* What a transform works on, by block of channels of a value. */
typedef struct side {
    const char *value;
    int64_t blocks, h, w, pad_y, pad_x;
    void (*transform)(const afn_f2_tiles *k, bool second);
    char *to; /* vectors of this block's first point */
    int64_t width;
} side;

static void transform_run(const cell *c, const side *s, int64_t block, int64_t t,
                          int64_t count)
{
    const f2w *f = c->f;
    const int64_t row = t / f->tiles_w, image = row / f->tiles_h * 2;
    afn_f2_tiles k = {
        .t = s->to + (t - c->first) * s->width * VECTOR,
        .point = f->chunk * s->width * 2 * BLOCK,
        .tile = s->width * 2 * BLOCK,
        .y0 = row % f->tiles_h * OUT - s->pad_y,
        .x0 = t % f->tiles_w * OUT - s->pad_x,
        .h = s->h,
        .w = s->w,
        .count = count,
    };
    for (int64_t i = image; i < image + 2 && i < f->n; i++) {
        k.x = (char *)s->value + (i * s->blocks + block) * s->h * s->w * 2 * BLOCK;
        s->transform(&k, i > image);
    }
}

/* All tiles of the chunk, a row of an image at a time. */
static void transform_block(const cell *c, const side *s, int64_t block)
{
    const int64_t end = c->first + c->count, row = c->f->tiles_w;
    for (int64_t t = c->first; t < end;) {
        const int64_t next = least(end, (t / row + 1) * row);
        transform_run(c, s, block, t, next - t);
        t = next;
    }
}

static int unit_width(const cell *c, int64_t o)
{
    return (int)least(UNIT, c->oc1 - o);
}

static char *unit_at(const cell *c, int64_t o)
{
    return c->dy_pairs + (o - c->oc0) * POINTS * c->f->chunk * VECTOR;
}

static void transform_dy(const cell *c)
{
    const f2w *f = c->f;
    side s = { .value = c->dy,
               .blocks = f->oc,
               .h = f->oh,
               .w = f->ow,
               .transform = afn_kern_avx512_bf16.f2->gradient_pairs };
    for (int64_t unit = c->oc0; unit < c->oc1; unit += UNIT) {
        s.width = unit_width(c, unit);
        for (int64_t o = unit; o < unit + s.width; o++) {
            s.to = unit_at(c, unit) + (o - unit) * VECTOR;
            transform_block(c, &s, o);
        }
    }
}

static char *x_at(const cell *c, int64_t in_group)
{
    return c->x_pairs + in_group * POINTS * c->f->chunk * VECTOR;
}

static void transform_x(const cell *c, int64_t from, int64_t to)
{
    const f2w *f = c->f;
    side s = { .value = c->x,
               .blocks = f->ic,
               .h = f->h,
               .w = f->w,
               .pad_y = f->pad_y,
               .pad_x = f->pad_x,
               .transform = afn_kern_avx512_bf16.f2->input_pairs,
               .width = 1 };
    for (int64_t i = from; i < to; i++) {
        s.to = x_at(c, i - from);
        transform_block(c, &s, i);
    }
}

static float *sum_at(const cell *c, int64_t o, int64_t i, int64_t in_group)
{
    if (is_one_chunk(c->f)) return c->sums + in_group * SUM;
    return c->sums + ((o - c->oc0) / UNIT * (c->ic1 - c->ic0) + i - c->ic0) * SUM;
}

/* One unit of oc with the blocks [from, to) of ic. */
static void multiply_unit(const cell *c, int64_t o, int64_t from, int64_t to)
{
    const f2w *f = c->f;
    const int width = unit_width(c, o);
    for (int64_t p = 0; p < POINTS; p++)
        for (int64_t i = from; i < to; i++)
            afn_kern_avx512_bf16.pairs->tile(
                &(afn_pairs_tile){ .dy = unit_at(c, o) + p * f->chunk * width * VECTOR,
                                   .x = x_at(c, i - from) + p * f->chunk * VECTOR,
                                   .runs = 1,
                                   .run = c->count,
                                   .x_step = c->count,
                                   .dw = sum_at(c, o, i, i - from) + p * SUM_POINT,
                                   .dw_step = BLOCK * BLOCK,
                                   .oc = width,
                                   .add = c->first > 0 });
}

/* From the sums of a unit, which are complete, to weights. */
static void finish_unit(const cell *c, int64_t o, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++)
        for (int64_t b = 0; b < unit_width(c, o); b++)
            afn_kern_avx512_bf16.f2->weights_gradient(
                c->dw + ((o + b) * c->f->ic + i) * 9 * BLOCK * BLOCK,
                sum_at(c, o, i, i - from) + b * BLOCK * BLOCK, SUM_POINT);
}

static void add_chunk(const cell *c)
{
    const f2w *f = c->f;
    transform_dy(c);
    for (int64_t from = c->ic0; from < c->ic1; from += f->x_group) {
        const int64_t to = least(c->ic1, from + f->x_group);
        transform_x(c, from, to);
        for (int64_t o = c->oc0; o < c->oc1; o += UNIT) {
            multiply_unit(c, o, from, to);
            if (c->first + c->count == f->pairs) finish_unit(c, o, from, to);
        }
    }
}

/* db = sum of dy over samples and pixels. */
static void sum_bias(const cell *c)
{
    const f2w *f = c->f;
    const afn_kern_window all = { .h1 = f->oh, .w1 = f->ow, .row = f->ow, .weight = 1 };
    for (int64_t o = c->oc0; o < c->oc1; o++) {
        double sum[BLOCK] = { 0 };
        for (int64_t n = 0; n < f->n; n++) {
            float one[BLOCK];
            afn_kern_avx512_bf16.window(
                one, c->dy + (n * f->oc + o) * f->oh * f->ow * 2 * BLOCK, &all);
            for (int i = 0; i < BLOCK; i++) sum[i] += (double)one[i];
        }
        for (int i = 0; i < BLOCK; i++) c->db[o * BLOCK + i] = (float)sum[i];
    }
}

/* ---- running ---- */

typedef struct call {
    const f2w *f;
    void *const *buffer;
    char *scratch;
} call;

/* Part k of `parts` of so many blocks, in whole units. */
static void part_of(int64_t blocks, int unit, int k, int parts, int64_t *from,
                    int64_t *to)
{
    const int64_t units = ceil_div(blocks, unit);
    *from = least(blocks, units * k / parts * unit);
    *to = least(blocks, units * (k + 1) / parts * unit);
}

static void run_cells(void *user, int64_t from, int64_t to)
{
    const call *a = user;
    const f2w *f = a->f;
    for (int64_t k = from; k < to; k++) {
        char *own = a->scratch + (size_t)k * cell_bytes(f);
        cell c = { .f = f,
                   .x = a->buffer[DNN_SRC],
                   .dy = a->buffer[DNN_DIFF_DST],
                   .dw = a->buffer[DNN_DIFF_WEIGHTS],
                   .db = a->buffer[DNN_DIFF_BIAS],
                   .dy_pairs = own,
                   .x_pairs = own + f->dy_bytes,
                   .sums = (float *)(own + f->dy_bytes + f->x_bytes) };
        part_of(f->oc, UNIT, (int)k / f->cells_ic, f->cells_oc, &c.oc0, &c.oc1);
        part_of(f->ic, 1, (int)k % f->cells_ic, f->cells_ic, &c.ic0, &c.ic1);
        if (c.oc0 == c.oc1 || c.ic0 == c.ic1) continue;
        if (c.db && c.ic0 == 0) sum_bias(&c);
        for (; c.first < f->pairs; c.first += f->chunk) {
            c.count = least(f->chunk, f->pairs - c.first);
            add_chunk(&c);
        }
    }
}

static afn_status run(const cpu_pass *p, const cpu_run *r)
{
    const f2w *f = p->state;
    cpu_parallel(f->cells_oc * f->cells_ic, run_cells,
                 &(call){ f, r->buffer, r->scratch });
    return AFN_OK;
}

const cpu_algo cpu_algo_winograd_f2_weights = {
    .name = "winograd-f2-weights",
    .prepare = prepare,
    .run = run,
    .free = release,
};
