/* SPDX-License-Identifier: Apache-2.0 */
/* Philox4x32-10 and the distributions drawn from it.  Constants from the paper (see
 * rng.h); test_rng.c checks the known-answer vectors of its Random123 package. */
#include "base/rng.h"

#include <math.h>

static void mul_hi_lo(uint32_t a, uint32_t b, uint32_t *hi, uint32_t *lo)
{
    const uint64_t p = (uint64_t)a * b;
    *hi = (uint32_t)(p >> 32);
    *lo = (uint32_t)p;
}

void afn_rng_block(uint32_t out[4], uint64_t seed, uint64_t stream, uint64_t position)
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    uint32_t c0 = (uint32_t)position, c1 = (uint32_t)(position >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    for (int round = 0; round < 10; round++) {
        uint32_t hi0, lo0, hi1, lo1;
        mul_hi_lo(0xD2511F53u, c0, &hi0, &lo0);
        mul_hi_lo(0xCD9E8D57u, c2, &hi1, &lo1);
        c0 = hi1 ^ c1 ^ k0;
        c1 = lo1;
        c2 = hi0 ^ c3 ^ k1;
        c3 = lo0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint64_t afn_rng_stream(afn_rng_purpose purpose, uint32_t a, uint32_t b)
{
    return (uint64_t)purpose << 56 | (uint64_t)(a & 0xFFFFFFu) << 32 | b;
}

afn_rng afn_rng_new(uint64_t seed, uint64_t stream)
{
    return (afn_rng){ .seed = seed, .stream = stream, .used = 4 };
}

uint32_t afn_rng_u32(afn_rng *r)
{
    if (r->used == 4) {
        afn_rng_block(r->block, r->seed, r->stream, r->position++);
        r->used = 0;
    }
    return r->block[r->used++];
}

float afn_rng_float(afn_rng *r)
{
    return (float)(afn_rng_u32(r) >> 8) * 0x1p-24f;
}

double afn_rng_double(afn_rng *r)
{
    const uint64_t hi = afn_rng_u32(r) >> 5, lo = afn_rng_u32(r) >> 6;
    return (double)(hi << 26 | lo) * 0x1p-53;
}

double afn_rng_normal(afn_rng *r) /* Box-Muller, one of the pair */
{
    const double u = 1.0 - afn_rng_double(r); /* (0, 1]: the logarithm is finite */
    const double v = afn_rng_double(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/* Marsaglia and Tsang 2000, "A simple method for generating gamma variables". */
static double gamma_from_1(afn_rng *r, double shape)
{
    const double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        const double x = afn_rng_normal(r), t = 1.0 + c * x;
        const double u = 1.0 - afn_rng_double(r), v = t * t * t;
        if (t > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

double afn_rng_gamma(afn_rng *r, double shape)
{
    if (shape >= 1) return gamma_from_1(r, shape);
    const double boost = pow(1.0 - afn_rng_double(r), 1.0 / shape);
    return gamma_from_1(r, shape + 1) * boost;
}

double afn_rng_beta(afn_rng *r, double a, double b)
{
    const double x = afn_rng_gamma(r, a), y = afn_rng_gamma(r, b);
    /* Tiny shapes: both underflow, and what is left of the distribution is its ends. */
    if (x + y == 0) return afn_rng_double(r) * (a + b) < a ? 1.0 : 0.0;
    return x / (x + y);
}

int64_t afn_rng_below(afn_rng *r, int64_t n)
{
    const uint64_t range = (uint64_t)n;
    const uint64_t limit = UINT64_MAX - UINT64_MAX % range; /* a multiple of n */
    uint64_t v;
    do {
        const uint64_t hi = afn_rng_u32(r);
        v = hi << 32 | afn_rng_u32(r);
    } while (v >= limit);
    return (int64_t)(v % range);
}

void afn_rng_shuffle(afn_rng *r, int64_t *v, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = afn_rng_below(r, i + 1);
        const int64_t t = v[i];
        v[i] = v[j];
        v[j] = t;
    }
}
