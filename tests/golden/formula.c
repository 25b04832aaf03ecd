/* SPDX-License-Identifier: Apache-2.0 */
#include "formula.h"

#include <math.h>
#include <string.h>

/* Purposes of a stream of hashes. */
enum { WEIGHTS = 1, PIXELS = 2, SIGN_BITS = 3 };

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint64_t stream_key(int purpose, int index)
{
    return mix((uint64_t)purpose << 32 | (uint32_t)index);
}

static uint64_t hash(uint64_t key, int64_t i)
{
    return mix(key + (uint64_t)(i + 1) * 0x9E3779B97F4A7C15u);
}

typedef struct range {
    double low, high;
} range;

/* Smallest and largest starting value of a parameter. */
static range value_range(const afn_graph *g, const afn_param *p, const spec *s)
{
    const afn_node *node = afn_graph_node(g, p->node);
    const bool norm = node->op == AFN_OP_BATCH_NORM;
    const bool end = norm && afn_glob(s->end_norm, node->name);
    if (p->slot == AFN_RUNNING_VAR) return (range){ s->var_low, s->var_high };
    if (p->slot == AFN_WEIGHT && norm)
        return end ? (range){ s->end_low, s->end_high } : (range){ 0.3, 0.6 };
    if (p->slot == AFN_WEIGHT) {
        const double bound =
            sqrt(s->fan * (double)p->shape.dim[0] / (double)afn_shape_count(&p->shape));
        return (range){ -bound, bound };
    }
    return p->slot == AFN_BIAS && norm && !end ? (range){ 1.0, 2.0 }
                                               : (range){ -0.1, 0.1 };
}

static float value_at(uint64_t key, int64_t i, range r)
{
    const double unit = (double)(hash(key, i) >> 11) * 0x1p-53;
    return (float)(r.low + (r.high - r.low) * unit);
}

void formula_fill(afn_params *p, const afn_graph *g, const spec *s)
{
    for (int k = 0; k < afn_params_count(p); k++) {
        float *v = afn_params_f32(p, k);
        if (!v) {
            *afn_params_i64(p, k) = 0;
            continue;
        }
        const range r = value_range(g, afn_graph_param(g, k), s);
        const uint64_t key = stream_key(WEIGHTS, k);
        const int64_t n = afn_params_size(p, k);
        for (int64_t i = 0; i < n; i++) v[i] = value_at(key, i, r);
    }
}

void formula_subtract(float *values, const afn_graph *g, int param, const spec *s)
{
    const afn_param *d = afn_graph_param(g, param);
    const range r = value_range(g, d, s);
    const uint64_t key = stream_key(WEIGHTS, param);
    const int64_t n = afn_shape_count(&d->shape);
    for (int64_t i = 0; i < n; i++) values[i] -= value_at(key, i, r);
}

void formula_pixels(uint8_t *pixels, const spec *s)
{
    const uint64_t tiles = stream_key(PIXELS, 2 * s->seed);
    const uint64_t noise = stream_key(PIXELS, 2 * s->seed + 1);
    int64_t at = 0;
    for (int i = 0; i < s->n; i++)
        for (int y = 0; y < s->h; y++)
            for (int x = 0; x < s->w; x++)
                for (int c = 0; c < 3; c++, at++) {
                    const int tile = ((i * 64 + y / 8) * 64 + x / 8) * 3 + c;
                    const uint64_t level = hash(tiles, tile) >> 57;
                    pixels[at] = (uint8_t)(level + (hash(noise, at) >> 57));
                }
}

void formula_labels(int *labels, const spec *s, int classes)
{
    for (int i = 0; i < s->n; i++) labels[i] = (7 * i + 3) % classes;
}

/* Elements are summed by their byte of sign bits first, so that each costs two
 * additions and not sixteen. */
void formula_sketch(double out[SKETCH], int param, const float *v, int64_t n)
{
    const uint64_t key = stream_key(SIGN_BITS, param);
    double by_byte[2][256] = { { 0 } }, sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        const uint64_t bits = hash(key, i);
        const double x = v[i];
        sum += x;
        squares += x * x;
        by_byte[0][bits & 0xFF] += x;
        by_byte[1][bits >> 8 & 0xFF] += x;
    }
    out[0] = sqrt(squares);
    for (int k = 0; k < SIGNS; k++) {
        double negative = 0; /* sum of the elements whose bit k is set */
        for (int b = 0; b < 256; b++)
            if (b >> k % 8 & 1) negative += by_byte[k / 8][b];
        out[1 + k] = sum - 2.0 * negative;
    }
}

double formula_distance(const double a[SKETCH], const float b[SKETCH])
{
    double squares = 0;
    for (int k = 1; k < SKETCH; k++) squares += (a[k] - b[k]) * (a[k] - b[k]);
    return sqrt(squares / SIGNS);
}
