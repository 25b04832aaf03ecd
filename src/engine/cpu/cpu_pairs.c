/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of weights of a convolution in bf16, of our own: any window, any stride,
 * one group, values in blocks of 16 channels.  kern_pairs.c has the products.
 *
 * Values are laid out anew as pairs of neighbouring pixels of a row, a chunk of rows at
 * a time so that it stays in the cache.  For each tap (ky, kx) of the window
 *     dw (oc, ic) += sum over the pairs of the chunk of dy (oc) x shifted by tap (ic)
 * For each kx there is one layout of x.  Its rows are sorted by their remainder by the
 * stride: those that one ky takes are then neighbours, and a chunk is one long sum.
 *
 * Threads divide the channels.  Every element of dw is summed by one thread in the same
 * order however many there are, so that its bits do not depend on them. */
#include <string.h>

#include "engine/cpu/cpu_pass.h"

/* Pairs that one sum takes: enough to make up for reading and writing dw, few enough
 * for dy and x to stay near.  Bytes of x laid out at a time. */
enum { MOST_PAIRS = 512, X_BYTES = 512 << 10 };

/* What is summed between two additions to dw: some rows of one sample, or all rows of
 * some samples. */
typedef struct chunk {
    int64_t n, first; /* sample, row of dy */
    int64_t samples, rows;
} chunk;

typedef struct pairs {
    const afn_kern_pairs *kern;
    dnn_md *weights;
    int64_t n, h, w, oh, ow; /* of x, of dy; of windows of one pixel see merge_rows() */
    int64_t ic, oc;          /* blocks */
    int64_t kh, kw, sh, sw, dh, dw, ph, pw;
    int64_t samples, rows;    /* of the largest chunk */
    int64_t row;              /* pairs in a row */
    int64_t x_rows;           /* rows of x for one remainder, one sample of a chunk */
    int64_t x_group;          /* blocks of ic laid out at a time */
    int cells_oc, cells_ic;   /* threads divide dw like this */
    size_t dy_bytes, x_bytes; /* scratch of one cell */
} pairs;

static void release(void *state)
{
    pairs *g = state;
    if (!g) return;
    dnn_md_free(g->weights);
    afn_free(g);
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

static void set_shape(pairs *g, const dnn_product *d)
{
    const afn_conv_attr *c = d->conv;
    g->n = dnn_md_dim(d->src, 0);
    g->h = dnn_md_dim(d->src, 2);
    g->w = dnn_md_dim(d->src, 3);
    g->oh = dnn_md_dim(d->dst, 2);
    g->ow = dnn_md_dim(d->dst, 3);
    g->ic = ceil_div(dnn_md_dim(d->src, 1), 16);
    g->oc = ceil_div(dnn_md_dim(d->dst, 1), 16);
    g->kh = c->kh;
    g->kw = c->kw;
    g->sh = c->sh;
    g->sw = c->sw;
    g->dh = c->dh;
    g->dw = c->dw;
    g->ph = c->ph;
    g->pw = c->pw;
}

/* A window of one pixel does not care where a row ends: rows of an odd number of
 * pixels, which would each be filled up to pairs, are joined while they are not too
 * long. */
static void merge_rows(pairs *g)
{
    if (g->kh * g->kw * g->sh * g->sw > 1 || g->ph || g->pw) return;
    int64_t best = 1;
    for (int64_t k = 2; k <= g->h && k * g->w <= 2 * MOST_PAIRS; k++)
        if (g->h % k == 0 &&
            ceil_div(k * g->w, 2) * best < ceil_div(best * g->w, 2) * k)
            best = k;
    g->h /= best;
    g->oh /= best;
    g->w *= best;
    g->ow *= best;
}

static void set_chunks(pairs *g)
{
    g->row = ceil_div(g->ow, 2);
    g->samples = least(g->n, MOST_PAIRS / (g->row * g->oh));
    g->rows = g->oh;
    if (g->samples == 0) {
        const int64_t most = g->row < MOST_PAIRS ? MOST_PAIRS / g->row : 1;
        g->rows = ceil_div(g->oh, ceil_div(g->oh, most));
        g->samples = 1;
    }
    g->x_rows = g->rows + (g->kh - 1) * g->dh / g->sh;
}

/* Bytes of one block of ic, of all remainders and all kx. */
static int64_t x_block_bytes(const pairs *g)
{
    return g->samples * g->sh * g->x_rows * g->kw * g->row * 64;
}

/* Of all ways to divide dw among the threads, the one with the least work for the
 * busiest: products, and a share of laying out. */
static void set_cells(pairs *g, int threads)
{
    double best = 0;
    for (int k = 1; k <= threads; k++) {
        if (threads % k) continue;
        const double oc =
            (double)ceil_div(ceil_div(g->oc, AFN_PAIRS_OC), k) * AFN_PAIRS_OC;
        const double ic = (double)ceil_div(g->ic, threads / k);
        const double work =
            8 * oc * ic * (double)(g->kh * g->kw) + oc + ic * (double)(g->kw * g->sh);
        if (best > 0 && work >= best) continue;
        best = work;
        g->cells_oc = k;
        g->cells_ic = threads / k;
    }
}

/* Blocks [from, to) of `blocks` for part k of `parts`, whole groups of `unit`. */
static void part_of(int64_t blocks, int unit, int k, int parts, int64_t *from,
                    int64_t *to)
{
    const int64_t units = ceil_div(blocks, unit);
    *from = least(blocks, units * k / parts * unit);
    *to = least(blocks, units * (k + 1) / parts * unit);
}

static void set_scratch(pairs *g)
{
    const int64_t units = ceil_div(ceil_div(g->oc, AFN_PAIRS_OC), g->cells_oc);
    const int64_t ic = ceil_div(g->ic, g->cells_ic);
    const int64_t fit = X_BYTES / x_block_bytes(g);
    g->x_group = least(ic, fit > 0 ? fit : 1);
    g->dy_bytes = (size_t)(units * AFN_PAIRS_OC * g->samples * g->rows * g->row) * 64;
    g->x_bytes = (size_t)(g->x_group * x_block_bytes(g));
}

static afn_status prepare(cpu_pass *p, dnn_pass kind, const dnn_product *d)
{
    afn_status st = AFN_OK;
    const afn_kern *kern = &afn_kern_avx512_bf16;
    pairs *g = p->state = afn_alloc(sizeof *g);
    AFN_REQUIRE(g, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(kind == DNN_BACKWARD_WEIGHTS && d->conv && d->conv->groups == 1 &&
                    p->device->type == DNN_BF16,
                AFN_EUNSUPPORTED, "no pairs for this pass");
    AFN_TRY(cpu_need_format(d->src, (cpu_format){ DNN_BLOCKED16, DNN_BF16 }));
    AFN_TRY(cpu_need_format(d->dst, (cpu_format){ DNN_BLOCKED16, DNN_BF16 }));
    g->kern = kern->pairs;
    set_shape(g, d);
    merge_rows(g);
    set_chunks(g);
    set_cells(g, p->device->threads);
    set_scratch(g);
    const int64_t dim[] = { dnn_md_dim(d->dst, 1), dnn_md_dim(d->src, 1), d->conv->kh,
                            d->conv->kw };
    AFN_TRY(dnn_md_new(&g->weights, 4, dim, DNN_WEIGHTS16, DNN_F32));
    p->weights = g->weights;
    p->scratch_bytes = (size_t)(g->cells_oc * g->cells_ic) * (g->dy_bytes + g->x_bytes);
done:
    return st;
}

/* ---- one thread's part ---- */

typedef struct cell {
    const pairs *g;
    const char *x, *dy; /* values */
    float *dw, *db;     /* db NULL = not wanted */
    int64_t oc0, oc1, ic0, ic1;
    char *dy_pairs; /* (units of 4 oc, samples, rows, row) of (oc, 16 pairs) */
    char *x_pairs;  /* (ic, kx, remainder, samples, x_rows, row) of 16 pairs */
} cell;

/* Blocks of oc in the unit that begins at o. */
static int unit_width(const cell *c, int64_t o)
{
    return (int)least(AFN_PAIRS_OC, c->oc1 - o);
}

static char *unit_at(const cell *c, int64_t o, const chunk *k)
{
    return c->dy_pairs + (o - c->oc0) * k->samples * k->rows * c->g->row * 64;
}

static void pack_dy_block(const cell *c, const chunk *k, int64_t unit, int64_t o)
{
    const pairs *g = c->g;
    const int width = unit_width(c, unit);
    char *to = unit_at(c, unit, k) + (o - unit) * 64;
    for (int64_t s = 0; s < k->samples; s++) {
        const char *plane = c->dy + ((k->n + s) * g->oc + o) * g->oh * g->ow * 32;
        for (int64_t r = 0; r < k->rows; r++, to += g->row * width * 64)
            g->kern->pack(&(afn_pairs_row){ .x = plane + (k->first + r) * g->ow * 32,
                                            .w = g->ow,
                                            .step = 1,
                                            .count = g->ow,
                                            .to = to,
                                            .to_step = width });
    }
}

static void pack_dy(const cell *c, const chunk *k)
{
    const pairs *g = c->g;
    for (int64_t unit = c->oc0; unit < c->oc1; unit += AFN_PAIRS_OC) {
        const int width = unit_width(c, unit);
        for (int64_t o = unit; o < unit + width; o++) {
            pack_dy_block(c, k, unit, o);
            if (c->db && c->ic0 == 0)
                g->kern->sum(c->db + o * 16, unit_at(c, unit, k) + (o - unit) * 64,
                             width, k->samples * k->rows * g->row);
        }
    }
}

/* Vectors of one remainder of one kx of one block. */
static int64_t x_plane(const pairs *g, const chunk *k)
{
    return k->samples * g->x_rows * g->row;
}

/* Rows of x that a chunk meets with one kx and one remainder. */
static void pack_x_plane(const cell *c, const chunk *k, int64_t i, int64_t kx,
                         int64_t rest, char *to)
{
    const pairs *g = c->g;
    for (int64_t s = 0; s < k->samples; s++) {
        const char *plane = c->x + ((k->n + s) * g->ic + i) * g->h * g->w * 32;
        for (int64_t r = 0; r < g->x_rows; r++, to += g->row * 64) {
            const int64_t y = (k->first + r) * g->sh + rest - g->ph;
            g->kern->pack(&(afn_pairs_row){
                .x = y >= 0 && y < g->h ? plane + y * g->w * 32 : NULL,
                .w = g->w,
                .first = kx * g->dw - g->pw,
                .step = g->sw,
                .count = g->ow,
                .to = to,
                .to_step = 1 });
        }
    }
}

/* Remainders that some ky has: 0 alone where the window is one row. */
static int64_t remainders(const pairs *g)
{
    return least(g->sh, (g->kh - 1) * g->dh + 1);
}

static void pack_x(const cell *c, const chunk *k, int64_t from, int64_t to)
{
    const pairs *g = c->g;
    char *at = c->x_pairs;
    for (int64_t i = from; i < to; i++)
        for (int64_t kx = 0; kx < g->kw; kx++)
            for (int64_t rest = 0; rest < g->sh; rest++, at += x_plane(g, k) * 64)
                if (rest < remainders(g)) pack_x_plane(c, k, i, kx, rest, at);
}

/* All taps of one block of ic (the b-th laid out) with one unit of oc. */
static void multiply_block(const cell *c, const chunk *k, int64_t o, int64_t i,
                           int64_t b)
{
    const pairs *g = c->g;
    const int64_t taps = g->kh * g->kw, block = taps * 256;
    afn_pairs_tile t = { .dy = unit_at(c, o, k),
                         .runs = k->samples,
                         .run = k->rows * g->row,
                         .x_step = g->x_rows * g->row,
                         .dw_step = g->ic * block,
                         .oc = unit_width(c, o),
                         .add = k->n > 0 || k->first > 0 };
    for (int64_t tap = 0; tap < taps; tap++) {
        const int64_t down = tap / g->kw * g->dh, kx = tap % g->kw;
        const int64_t plane = (b * g->kw + kx) * g->sh + down % g->sh;
        t.x = c->x_pairs + (plane * x_plane(g, k) + down / g->sh * g->row) * 64;
        t.dw = c->dw + (o * g->ic + i) * block + tap * 256;
        g->kern->tile(&t);
    }
}

static void add_chunk(const cell *c, const chunk *k)
{
    const pairs *g = c->g;
    pack_dy(c, k);
    for (int64_t from = c->ic0; from < c->ic1; from += g->x_group) {
        const int64_t to = least(c->ic1, from + g->x_group);
        pack_x(c, k, from, to);
        for (int64_t o = c->oc0; o < c->oc1; o += AFN_PAIRS_OC)
            for (int64_t i = from; i < to; i++) multiply_block(c, k, o, i, i - from);
    }
}

static void run_cell(const cell *c)
{
    const pairs *g = c->g;
    if (c->db && c->ic0 == 0)
        memset(c->db + c->oc0 * 16, 0, (size_t)(c->oc1 - c->oc0) * 16 * sizeof *c->db);
    for (int64_t n = 0; n < g->n; n += g->samples)
        for (int64_t first = 0; first < g->oh; first += g->rows)
            add_chunk(c, &(chunk){ .n = n,
                                   .first = first,
                                   .samples = least(g->samples, g->n - n),
                                   .rows = least(g->rows, g->oh - first) });
}

/* ---- running ---- */

typedef struct call {
    const pairs *g;
    void *const *buffer;
    char *scratch;
} call;

static void run_cells(void *user, int64_t from, int64_t to)
{
    const call *a = user;
    const pairs *g = a->g;
    for (int64_t k = from; k < to; k++) {
        char *own = a->scratch + (size_t)k * (g->dy_bytes + g->x_bytes);
        cell c = { .g = g,
                   .x = a->buffer[DNN_SRC],
                   .dy = a->buffer[DNN_DIFF_DST],
                   .dw = a->buffer[DNN_DIFF_WEIGHTS],
                   .db = a->buffer[DNN_DIFF_BIAS],
                   .dy_pairs = own,
                   .x_pairs = own + g->dy_bytes };
        part_of(g->oc, AFN_PAIRS_OC, (int)k / g->cells_ic, g->cells_oc, &c.oc0, &c.oc1);
        part_of(g->ic, 1, (int)k % g->cells_ic, g->cells_ic, &c.ic0, &c.ic1);
        if (c.oc0 < c.oc1 && c.ic0 < c.ic1) run_cell(&c);
    }
}

static afn_status run(const cpu_pass *p, const cpu_run *r)
{
    const pairs *g = p->state;
    cpu_parallel(g->cells_oc * g->cells_ic, run_cells,
                 &(call){ g, r->buffer, r->scratch });
    return AFN_OK;
}

const cpu_algo cpu_algo_pairs = {
    .name = "pairs",
    .prepare = prepare,
    .run = run,
    .free = release,
};
