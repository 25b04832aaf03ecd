/* SPDX-License-Identifier: Apache-2.0 */
/* Counter-based random numbers: Philox4x32-10.
 *
 * A value is a pure function of (seed, stream, position), so the order in which threads
 * ask never changes a result.  Give every use its own stream, e.g.
 * afn_rng_new(seed, afn_rng_stream(AFN_RNG_SHUFFLE, epoch, 0)).
 *
 * Source     Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" */
#ifndef AFN_BASE_RNG_H
#define AFN_BASE_RNG_H

#include <stdint.h>

typedef struct afn_rng {
    uint64_t seed;
    uint64_t stream;
    uint64_t position; /* blocks of four numbers drawn so far */
    uint32_t block[4];
    int used; /* numbers of block already handed out, 4 = none left */
} afn_rng;

/* What a stream of numbers is for; streams of two purposes never overlap. */
typedef enum afn_rng_purpose {
    AFN_RNG_INIT = 1,    /* a = parameter index */
    AFN_RNG_SHUFFLE = 2, /* a = epoch */
    AFN_RNG_SPLIT = 3,   /* a = class */
    AFN_RNG_DROPOUT = 4, /* a = node, b = step */
    AFN_RNG_FAKE = 5,    /* a = sample */
    AFN_RNG_AUGMENT = 6, /* a = epoch or view, b = sample */
    AFN_RNG_TEST = 7,
    AFN_RNG_MIX = 8 /* a = epoch, b = batch */
} afn_rng_purpose;

/* Stream id of one use: a < 2^24, b < 2^32. */
uint64_t afn_rng_stream(afn_rng_purpose purpose, uint32_t a, uint32_t b);

afn_rng afn_rng_new(uint64_t seed, uint64_t stream);

uint32_t afn_rng_u32(afn_rng *r);
float afn_rng_float(afn_rng *r);                         /* [0, 1), 24 bits */
double afn_rng_double(afn_rng *r);                       /* [0, 1), 53 bits */
double afn_rng_normal(afn_rng *r);                       /* mean 0, deviation 1 */
double afn_rng_gamma(afn_rng *r, double shape);          /* scale 1, shape > 0 */
double afn_rng_beta(afn_rng *r, double a, double b);     /* [0, 1], a and b > 0 */
int64_t afn_rng_below(afn_rng *r, int64_t n);            /* 0 .. n-1, unbiased, n > 0 */
void afn_rng_shuffle(afn_rng *r, int64_t *v, int64_t n); /* Fisher-Yates */

/* The block of four numbers at a position, for kernels that compute it in place. */
void afn_rng_block(uint32_t out[4], uint64_t seed, uint64_t stream, uint64_t position);

#endif
