/* SPDX-License-Identifier: Apache-2.0 */
/* Resize with Pillow's arithmetic: a convolution with a filter that is stretched when
 * shrinking (antialias), first along rows, then along columns.  Coefficients are fixed
 * point with 22 fractional bits; each pass rounds and clips to 8 bits.  An axis whose
 * length stays is not filtered at all.
 * Source: Pillow, src/libImaging/Resample.c, Geometry.c (nearest) */
#include "image/filter.h"
#include "image/image.h"

#include <math.h>
#include <string.h>

enum {
    PRECISION = 32 - 8 - 2, /* 8 bits of result, 2 for sums beyond 0 .. 1 */
    HALF = 1 << (PRECISION - 1),
    BLOCK = 192 /* bytes of a row that the vertical pass sums at a time */
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

static uint8_t clip8(int32_t sum)
{
    const int32_t v = sum >> PRECISION;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* One row: in (in_width, 3) -> out (a->count, 3). */
static void row_horizontal(uint8_t *restrict out, const uint8_t *restrict in,
                           const axis *a)
{
    for (int64_t i = 0; i < a->count; i++) {
        const int32_t *restrict k = a->k + i * a->stride;
        const uint8_t *restrict p = in + 3 * a->start[i];
        int32_t r = HALF, g = HALF, b = HALF;
        for (int64_t t = 0; t < a->taps[i]; t++) {
            r += p[3 * t] * k[t];
            g += p[3 * t + 1] * k[t];
            b += p[3 * t + 2] * k[t];
        }
        out[3 * i] = clip8(r);
        out[3 * i + 1] = clip8(g);
        out[3 * i + 2] = clip8(b);
    }
}

/* One row of n bytes: out[i] = sum over t of k[t] in[t * stride + i]. */
static void row_vertical(uint8_t *restrict out, const uint8_t *restrict in,
                         size_t stride, size_t n, const int32_t *restrict k,
                         int64_t taps)
{
    for (size_t at = 0; at < n; at += BLOCK) {
        const size_t m = n - at < BLOCK ? n - at : BLOCK;
        int32_t sum[BLOCK];
        for (size_t i = 0; i < m; i++) sum[i] = HALF;
        for (int64_t t = 0; t < taps; t++) {
            const uint8_t *restrict row = in + (size_t)t * stride + at;
            const int32_t kt = k[t];
            for (size_t i = 0; i < m; i++) sum[i] += row[i] * kt;
        }
        for (size_t i = 0; i < m; i++) out[at + i] = clip8(sum[i]);
    }
}

/* Rows of pixels in memory: of the picture, or between the passes. */
typedef struct rows {
    const uint8_t *data;
    size_t stride; /* bytes */
} rows;

static void pass_vertical(uint8_t *out, size_t stride, rows in, const axis *a,
                          int64_t first_row, size_t row_bytes)
{
    for (int64_t i = 0; i < a->count; i++)
        row_vertical(out + (size_t)i * stride,
                     in.data + (size_t)(a->start[i] - first_row) * in.stride, in.stride,
                     row_bytes, a->k + i * a->stride, a->taps[i]);
}

/* Both passes.  Only the source rows that some result needs go through the first. */
static afn_status convolve(uint8_t *out, size_t stride, const afn_image *in,
                           const afn_resize_part *part)
{
    afn_status st = AFN_OK;
    axis across = { 0 }, down = { 0 };
    uint8_t *between = NULL; /* (n_rows, part->w, 3) */
    const afn_filter_kernel *f = afn_image__filter(part->filter);
    const bool vertical = part->height != in->height;
    const size_t in_stride = (size_t)in->width * 3, row_bytes = (size_t)part->w * 3;
    int64_t row = part->y, n_rows = part->h; /* source rows needed */

    if (vertical) {
        AFN_TRY(axis_make(&down, in->height, part->height, part->y, part->h, f));
        row = down.start[0];
        n_rows = down.start[part->h - 1] + down.taps[part->h - 1] - row;
    }
    rows source = { in->pixels + (size_t)row * in_stride + 3 * part->x, in_stride };
    if (part->width != in->width) {
        AFN_TRY(axis_make(&across, in->width, part->width, part->x, part->w, f));
        size_t bytes = 0;
        AFN_REQUIRE(!vertical || (afn_mul_size(&bytes, (size_t)n_rows, row_bytes) &&
                                  (between = afn_alloc_aligned(bytes)) != NULL),
                    AFN_ENOMEM, "out of memory");
        uint8_t *to = vertical ? between : out;
        const size_t to_stride = vertical ? row_bytes : stride;
        for (int64_t i = 0; i < n_rows; i++)
            row_horizontal(to + (size_t)i * to_stride,
                           in->pixels + (size_t)(row + i) * in_stride, &across);
        source = (rows){ between, row_bytes };
    }
    if (vertical) pass_vertical(out, stride, source, &down, row, row_bytes);
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
    AFN_REQUIRE(column && line, AFN_ENOMEM, "out of memory");
    nearest_table(column, in->width, part->width, part->x, part->w);
    nearest_table(line, in->height, part->height, part->y, part->h);
    for (int64_t y = 0; y < part->h; y++) {
        uint8_t *to = out + (size_t)y * stride;
        memset(to, 0, (size_t)part->w * 3);
        if (line[y] < 0) continue;
        const uint8_t *from = in->pixels + 3 * in->width * line[y];
        for (int64_t x = 0; x < part->w; x++)
            if (column[x] >= 0) memcpy(to + 3 * x, from + 3 * column[x], 3);
    }
done:
    afn_free(column);
    afn_free(line);
    return st;
}

static void copy_rows(uint8_t *out, size_t stride, const afn_image *in,
                      const afn_resize_part *part)
{
    for (int64_t y = 0; y < part->h; y++)
        memcpy(out + (size_t)y * stride,
               in->pixels + 3 * (in->width * (part->y + y) + part->x),
               (size_t)part->w * 3);
}

afn_status afn_image__resize_part(uint8_t *out, size_t stride, const afn_image *in,
                                  const afn_resize_part *part)
{
    if (part->width == in->width && part->height == in->height) {
        copy_rows(out, stride, in, part);
        return AFN_OK;
    }
    if (part->filter == AFN_FILTER_NEAREST) return nearest(out, stride, in, part);
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
    AFN_TRY(afn_image__alloc(out, width, height));
    AFN_TRY(afn_image__resize_part(out->pixels, (size_t)width * 3, in, &all));
done:
    if (st != AFN_OK) afn_image_free(out);
    return st;
}
