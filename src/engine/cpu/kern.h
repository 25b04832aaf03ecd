/* SPDX-License-Identifier: Apache-2.0 */
/* Vector kernels on blocked values: one (sample, channel block) at a time, that is
 * `pixels` groups of `block` channels; threads divide the blocks among them.
 *
 * kern.c is compiled once per instruction set, with its block width; cpu_backend.c
 * picks the table that fits the processor.  Per-channel arguments point at `block`
 * values. Padded channels hold 0 and stay 0. */
#ifndef AFN_CPU_KERN_H
#define AFN_CPU_KERN_H

#include "graph/graph.h"

/* Batch norm in one block; (pixels, block) each. */
typedef struct afn_norm_block {
    const float *x;   /* what is normalised */
    const float *y;   /* result, after add and activation, for the activation's mask;
                       * NULL = the mask is found from x */
    float *dy;        /* gradient of y */
    const float *dy2; /* second part of it, NULL = none */
    float *dx, *dadd; /* NULL where not wanted; both may be dy */
    bool add_dx, add_dadd; /* add to them instead of writing */
    bool store; /* the sums leave dy complete and masked, where the second pass finds
                 * it; otherwise that pass makes it again */
    const float *mean, *scale, *bias; /* (block) of the forward pass */
    const float *a, *k, *d; /* (block): dx = a g - k (x - mean) - d; k NULL: dx = a g */
    int64_t pixels;
    int act;
} afn_norm_block;

/* Transforms of Winograd F(4,3), winograd.c: vectors of `block` channels, 36 of them a
 * tile, `stride` floats apart on the transformed side. */
typedef struct afn_kern_tile {
    float *x;          /* (h, w, block): the image that the tile is part of */
    float *t;          /* 36 vectors */
    int64_t stride;    /* between them */
    int64_t y0, x0;    /* first pixel of the tile; may lie outside: reads as 0 */
    int64_t h, w;      /* of the image */
    const float *bias; /* (block), NULL = none */
    bool sum;          /* add to what is in the image, before the activation */
    int act;
} afn_kern_tile;

typedef struct afn_kern_winograd {
    void (*input)(const afn_kern_tile *k);    /* t = B' x B, x 6 x 6 */
    void (*output)(const afn_kern_tile *k);   /* x = act(A' t A + bias), x 4 x 4 */
    void (*gradient)(const afn_kern_tile *k); /* t = A x A', x 4 x 4 */
    /* t = G w G', w 9 vectors w_stride apart; rotate: w by half a turn. */
    void (*weights)(float *t, int64_t stride, const float *w, int64_t w_stride,
                    bool rotate);
    /* w = G' t G */
    void (*weights_gradient)(float *w, int64_t w_stride, const float *t,
                             int64_t stride);
} afn_kern_winograd;

typedef struct afn_kern {
    int block; /* channels side by side: 8 or 16 */
    const afn_kern_winograd *winograd;

    /* Add to s1, s2 (block) the sums of (x - shift) and (x - shift)^2. */
    void (*norm_sums)(const float *x, int64_t pixels, const float *shift, double *s1,
                      double *s2);
    /* y = act((x - mean) scale + bias [+ add]) */
    void (*norm_apply)(float *y, const float *x, const float *add, const float *mean,
                       const float *scale, const float *bias, int64_t pixels, int act);
    /* Add to s1, s2 the sums of g and g (x - mean), g = dy + dy2, masked. */
    void (*norm_backward_sums)(const afn_norm_block *b, double *s1, double *s2);
    void (*norm_backward)(const afn_norm_block *b);

    /* Over n floats, any layout. */
    void (*add)(float *y, const float *a, const float *b, int64_t n);
    void (*accumulate)(float *y, const float *x, int64_t n);
    void (*act)(float *y, const float *x, int64_t n, int act);
    /* dy where the activation passes gradients, given its result y; else 0 */
    void (*mask)(float *dx, const float *dy, const float *y, int64_t n, int act);

    /* y (block) = mean over pixels; backward spreads dy / pixels. */
    void (*mean)(float *y, const float *x, int64_t pixels);
    void (*mean_backward)(float *dx, const float *dy, int64_t pixels, bool accumulate);
} afn_kern;

extern const afn_kern afn_kern_base, afn_kern_avx2, afn_kern_avx512;
extern const afn_kern_winograd afn_winograd_base, afn_winograd_avx2,
    afn_winograd_avx512;

#endif
