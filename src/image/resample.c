/* SPDX-License-Identifier: Apache-2.0 */
/* Resize with Pillow's arithmetic: a convolution with a filter that is stretched when
 * shrinking (antialias), first along rows, then along columns.  Coefficients are fixed
 * point with 22 fractional bits; each pass rounds and clips to 8 bits.  An axis whose
 * length stays is not filtered at all.  The sums are made in sample_kern.c.
 * Source: Pillow, src/libImaging/Resample.c, Geometry.c (nearest) */
#include "image/filter.h"
#include "image/image.h"
#include "image/sample_kern.h"

#include <math.h>
#include <string.h>

enum {
    PRECISION = AFN_SAMPLE_PRECISION,
    BAND = AFN_SAMPLE_BAND,
    /* A band takes up to this many pixels at once, which stay in the cache. */
    BAND_PIXELS = 4096,
    BAND_RESULTS = 1024
};

/* Weights along one axis for `count` results. */
typedef struct axis {
    int64_t count, stride;
    int32_t *k;     /* (count, stride), fixed point */
    int64_t *start; /* (count), first source pixel of each */
    int64_t *taps;  /* (count), source pixels of each, <= stride */
} axis;

static void axis_free(axis *a)
{
    afn_free(a->k);
    afn_free(a->start);
    afn_free(a->taps);
}

static int32_t to_fixed(double weight)
{
    const double scaled = weight * (1 << PRECISION);
    return (int32_t)(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

/* Fill row i of the axis; centre, support and scale in source pixels. */
static void axis_fill(axis *a, int64_t i, double *weight, double centre, double scale,
                      int64_t in_size, const afn_filter_kernel *f)
{
    const double support = f->support * scale, inverse = 1.0 / scale;
    const int64_t low = (int64_t)(centre - support + 0.5);
    const int64_t high = (int64_t)(centre + support + 0.5);
    const int64_t start = low < 0 ? 0 : low;
    const int64_t taps = (high > in_size ? in_size : high) - start;

    double sum = 0.0;
    for (int64_t t = 0; t < taps; t++) {
        weight[t] = f->weight(((double)(t + start) - centre + 0.5) * inverse);
        sum += weight[t];
    }
    int32_t *k = a->k + i * a->stride;
    for (int64_t t = 0; t < taps; t++)
        k[t] = to_fixed(sum != 0.0 ? weight[t] / sum : weight[t]);
    a->start[i] = start;
    a->taps[i] = taps;
}

/* Weights of results first .. first+count-1 of in_size pixels resized to out_size. */
static afn_status axis_make(axis *a, int64_t in_size, int64_t out_size, int64_t first,
                            int64_t count, const afn_filter_kernel *f)
{
    afn_status st = AFN_OK;
    double *weight = NULL; /* (stride) */
    size_t n = 0;
    const double step = (double)(float)in_size / (double)out_size;
    const double scale = step < 1.0 ? 1.0 : step;

    a->count = count;
    a->stride = (int64_t)ceil(f->support * scale) * 2 + 1;
    if (a->stride > in_size) a->stride = in_size;
    AFN_REQUIRE(afn_mul_size(&n, (size_t)count, (size_t)a->stride), AFN_ENOMEM,
                "out of memory");
    a->k = afn_alloc_array(n, sizeof *a->k);
    a->start = afn_alloc_array((size_t)count, sizeof *a->start);
    a->taps = afn_alloc_array((size_t)count, sizeof *a->taps);
    weight = afn_alloc_array((size_t)a->stride, sizeof *weight);
    AFN_REQUIRE(a->k && a->start && a->taps && weight, AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < count; i++)
        axis_fill(a, i, weight, ((double)(first + i) + 0.5) * step, scale, in_size, f);
done:
    afn_free(weight);
    return st;
}

static const afn_sample_kern *kern(void)
{
    static const afn_sample_kern *const by_isa[] = {
        [AFN_ISA_BASE] = &afn_sample_base,
        [AFN_ISA_AVX2] = &afn_sample_avx2,
        [AFN_ISA_AVX512] = &afn_sample_avx512,
    };
    return by_isa[afn_best_isa()];
}

/* ---- across ---- */

/* Sixteen rows on their way through the pass across, and where they come out. */
typedef struct band {
    const afn_sample_kern *kern;
    const axis *across;
    int64_t n;      /* channels */
    uint8_t *in;    /* (BAND_PIXELS, n, 16), or less where the picture is narrow */
    uint8_t *out;   /* (BAND_RESULTS, n, 16), likewise */
    uint8_t *spare; /* (across->count, n) for rows of the band that there are not */
    const uint8_t *from[BAND];
    uint8_t *to[BAND];
} band;

/* One result of all rows of the band. */
static void sum_pixel(const band *b, uint8_t *out, const uint8_t *in, const int32_t *k,
                      int64_t taps)
{
    const size_t bytes = (size_t)(b->n * BAND);
    if (b->n == 3)
        b->kern->sum_band(out, in, k, taps);
    else
        b->kern->sum(out, in, bytes, bytes, k, taps);
}

/* Results first .. end-1 of all rows of the band; their source fits into it. */
static void band_part(band *b, int64_t first, int64_t end)
{
    const axis *a = b->across;
    const int64_t x = a->start[first], n = a->start[end - 1] + a->taps[end - 1] - x;
    const int64_t pixel = b->n * BAND; /* bytes */
    const uint8_t *from[BAND];
    uint8_t *to[BAND];
    for (int r = 0; r < BAND; r++) {
        from[r] = b->from[r] + b->n * x;
        to[r] = b->to[r] + b->n * first;
    }
    b->kern->to_band(b->in, from, (size_t)(n * b->n));
    for (int64_t i = first; i < end; i++)
        sum_pixel(b, b->out + pixel * (i - first), b->in + pixel * (a->start[i] - x),
                  a->k + i * a->stride, a->taps[i]);
    b->kern->from_band(to, b->out, (size_t)((end - first) * b->n));
}

/* All results, as many at once as the band takes; one whose source alone is larger is
 * left to row_across(). */
static void band_across(band *b)
{
    const axis *a = b->across;
    for (int64_t first = 0, end; first < a->count; first = end) {
        end = first + 1;
        while (end < a->count && end - first < BAND_RESULTS &&
               a->start[end] + a->taps[end] - a->start[first] <= BAND_PIXELS)
            end++;
        band_part(b, first, end);
    }
}

/* The plain form, for sources so long that no band takes them: one row of n channels.
 */
static void row_across(uint8_t *out, const uint8_t *in, int64_t n, const axis *a)
{
    for (int64_t i = 0; i < a->count; i++)
        for (int64_t c = 0; c < n; c++)
            kern()->sum(out + n * i + c, in + n * a->start[i] + c, (size_t)n, 1,
                        a->k + i * a->stride, a->taps[i]);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static afn_status band_make(band *b, const axis *a, int64_t channels)
{
    const int64_t n = a->start[a->count - 1] + a->taps[a->count - 1] - a->start[0];
    const int64_t pixel = channels * BAND; /* bytes */
    *b = (band){ .kern = kern(), .across = a, .n = channels };
    b->in = afn_alloc_aligned((size_t)(pixel * least(n, BAND_PIXELS)));
    b->out = afn_alloc_aligned((size_t)(pixel * least(a->count, BAND_RESULTS)));
    b->spare = afn_alloc_aligned((size_t)(channels * a->count));
    return b->in && b->out && b->spare ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

static void band_free(band *b)
{
    afn_free(b->in);
    afn_free(b->out);
    afn_free(b->spare);
}

/* n_rows rows of the picture from `row` on -> rows of (a->count, channels). */
static afn_status pass_across(uint8_t *out, size_t stride, const afn_image *in,
                              int64_t row, int64_t n_rows, const axis *a)
{
    afn_status st = AFN_OK;
    band b = { 0 };
    const int64_t n = afn_image_channels(in);
    const size_t in_stride = (size_t)(in->width * n);
    const uint8_t *from = in->pixels + (size_t)row * in_stride;
    if (a->stride > BAND_PIXELS) {
        for (int64_t i = 0; i < n_rows; i++)
            row_across(out + (size_t)i * stride, from + (size_t)i * in_stride, n, a);
        return AFN_OK;
    }
    AFN_TRY(band_make(&b, a, n));
    for (int64_t i = 0; i < n_rows; i += BAND) {
        for (int64_t r = 0; r < BAND; r++) {
            const bool there = i + r < n_rows;
            b.from[r] = from + (size_t)(there ? i + r : n_rows - 1) * in_stride;
            b.to[r] = there ? out + (size_t)(i + r) * stride : b.spare;
        }
        band_across(&b);
    }
done:
    band_free(&b);
    return st;
}

/* ---- down ---- */

/* Rows of pixels in memory: of the picture, or between the passes. */
typedef struct rows {
    const uint8_t *data;
    size_t stride; /* bytes */
} rows;

static void pass_down(uint8_t *out, size_t stride, rows in, const axis *a,
                      int64_t first_row, size_t row_bytes)
{
    for (int64_t i = 0; i < a->count; i++)
        kern()->sum(out + (size_t)i * stride,
                    in.data + (size_t)(a->start[i] - first_row) * in.stride, in.stride,
                    row_bytes, a->k + i * a->stride, a->taps[i]);
}

/* Both passes.  Only the source rows that some result needs go through the first. */
static afn_status convolve(uint8_t *out, size_t stride, const afn_image *in,
                           const afn_resize_part *part)
{
    afn_status st = AFN_OK;
    axis across = { 0 }, down = { 0 };
    uint8_t *between = NULL; /* (n_rows, part->w, n) */
    const int64_t n = afn_image_channels(in);
    const afn_filter_kernel *f = afn_image__filter(part->filter);
    const bool vertical = part->height != in->height;
    const size_t in_stride = (size_t)(in->width * n), row_bytes = (size_t)(part->w * n);
    int64_t row = part->y, n_rows = part->h; /* source rows needed */

    if (vertical) {
        AFN_TRY(axis_make(&down, in->height, part->height, part->y, part->h, f));
        row = down.start[0];
        n_rows = down.start[part->h - 1] + down.taps[part->h - 1] - row;
    }
    rows source = { in->pixels + (size_t)row * in_stride + n * part->x, in_stride };
    if (part->width != in->width) {
        AFN_TRY(axis_make(&across, in->width, part->width, part->x, part->w, f));
        size_t bytes = 0;
        AFN_REQUIRE(!vertical || (afn_mul_size(&bytes, (size_t)n_rows, row_bytes) &&
                                  (between = afn_alloc_aligned(bytes)) != NULL),
                    AFN_ENOMEM, "out of memory");
        uint8_t *to = vertical ? between : out;
        const size_t to_stride = vertical ? row_bytes : stride;
        AFN_TRY(pass_across(to, to_stride, in, row, n_rows, &across));
        source = (rows){ between, row_bytes };
    }
    if (vertical) pass_down(out, stride, source, &down, row, row_bytes);
done:
    axis_free(&across);
    axis_free(&down);
    afn_free(between);
    return st;
}

/* Source pixel of each of `count` results from `first` on; -1 outside.  The position
 * is accumulated, not multiplied: that is how Pillow comes to its roundings. */
static void nearest_table(int64_t *table, int64_t in_size, int64_t out_size,
                          int64_t first, int64_t count)
{
    const double step = (double)(float)in_size / (double)out_size;
    double at = step * 0.5;
    for (int64_t i = 0; i < first; i++) at += step;
    for (int64_t i = 0; i < count; i++) {
        const int64_t from = (int64_t)at;
        table[i] = from < in_size ? from : -1;
        at += step;
    }
}

static afn_status nearest(uint8_t *out, size_t stride, const afn_image *in,
                          const afn_resize_part *part)
{
    afn_status st = AFN_OK;
    int64_t *column = afn_alloc_array((size_t)part->w, sizeof *column);
    int64_t *line = afn_alloc_array((size_t)part->h, sizeof *line);
    const int64_t n = afn_image_channels(in);
    AFN_REQUIRE(column && line, AFN_ENOMEM, "out of memory");
    nearest_table(column, in->width, part->width, part->x, part->w);
    nearest_table(line, in->height, part->height, part->y, part->h);
    for (int64_t y = 0; y < part->h; y++) {
        uint8_t *to = out + (size_t)y * stride;
        memset(to, 0, (size_t)(part->w * n));
        if (line[y] < 0) continue;
        const uint8_t *from = in->pixels + n * in->width * line[y];
        for (int64_t x = 0; x < part->w; x++)
            if (column[x] >= 0) memcpy(to + n * x, from + n * column[x], (size_t)n);
    }
done:
    afn_free(column);
    afn_free(line);
    return st;
}

static void copy_rows(uint8_t *out, size_t stride, const afn_image *in,
                      const afn_resize_part *part)
{
    const int64_t n = afn_image_channels(in);
    for (int64_t y = 0; y < part->h; y++)
        memcpy(out + (size_t)y * stride,
               in->pixels + n * (in->width * (part->y + y) + part->x),
               (size_t)(part->w * n));
}

/* A picture with alpha: pixels are mixed as they show. */
static afn_status convolve_alpha(uint8_t *out, size_t stride, const afn_image *in,
                                 const afn_resize_part *part)
{
    afn_image shown;
    afn_status st = afn_image__multiply_alpha(&shown, in);
    if (st == AFN_OK) st = convolve(out, stride, &shown, part);
    for (int64_t y = 0; st == AFN_OK && y < part->h; y++)
        afn_image__divide_alpha(out + (size_t)y * stride, part->w);
    afn_image_free(&shown);
    return st;
}

afn_status afn_image__resize_part(uint8_t *out, size_t stride, const afn_image *in,
                                  const afn_resize_part *part)
{
    if (part->width == in->width && part->height == in->height) {
        copy_rows(out, stride, in, part);
        return AFN_OK;
    }
    if (part->filter == AFN_FILTER_NEAREST) return nearest(out, stride, in, part);
    if (afn_image_channels(in) == 4) return convolve_alpha(out, stride, in, part);
    return convolve(out, stride, in, part);
}

afn_status afn_image_resize(afn_image *out, const afn_image *in, int64_t width,
                            int64_t height, afn_filter filter)
{
    afn_status st = AFN_OK;
    const afn_resize_part all = {
        .width = width, .height = height, .w = width, .h = height, .filter = filter
    };

    *out = (afn_image){ 0 };
    AFN_TRY(afn_image__check(in));
    AFN_REQUIRE((unsigned)filter < AFN_N_FILTERS, AFN_EINVAL, "filter %d, need 0 to %d",
                (int)filter, AFN_N_FILTERS - 1);
    AFN_TRY(afn_image__alloc_channels(out, width, height, afn_image_channels(in)));
    AFN_TRY(afn_image__resize_part(out->pixels,
                                   (size_t)(width * afn_image_channels(in)), in, &all));
done:
    if (st != AFN_OK) afn_image_free(out);
    return st;
}
