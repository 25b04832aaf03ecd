/* SPDX-License-Identifier: Apache-2.0 */
/* Vector kernels on blocked values: one (sample, channel block) at a time, that is
 * `pixels` groups of `block` channels; threads divide the blocks among them.
 *
 * kern.c is compiled once per instruction set, with its block width, and once more for
 * values in bf16; cpu_backend.c picks the table that fits the processor.  A void
 * pointer is to values of the table's type, a float pointer to floats in both;
 * arithmetic is in float.  Per-channel arguments point at `block` floats.  Padded
 * channels hold 0 and stay 0. */
#ifndef AFN_CPU_KERN_H
#define AFN_CPU_KERN_H

#include "graph/graph.h"

/* Is the slope of this activation found from its argument, not from its result? */
static inline bool afn_act_is_smooth(int act)
{
    return act > AFN_ACT_RELU6;
}

/* Is it not 0 at 0, so that padding does not stay 0? */
static inline bool afn_act_moves_zero(int act)
{
    return act == AFN_ACT_SIGMOID || act == AFN_ACT_HARDSIGMOID;
}

/* What a batch norm does to each channel: (x - mean) scale + bias; (block) each. */
typedef struct afn_norm_vectors {
    const float *mean, *scale, *bias;
} afn_norm_vectors;

/* Backward of batch norm in one block; (pixels, block) each. */
typedef struct afn_norm_block {
    const void *x;   /* what is normalised */
    const void *y;   /* result, after add and activation, for the activation's mask;
                      * NULL = the mask is found from x */
    void *dy;        /* gradient of y */
    const void *dy2; /* second part of it, NULL = none */
    void *dx, *dadd; /* NULL where not wanted; both may be dy */
    bool add_dx, add_dadd; /* add to them instead of writing */
    bool store; /* the sums leave dy complete and masked, where the second pass finds
                 * it; otherwise that pass makes it again */
    afn_norm_vectors v;     /* of the forward pass */
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

/* C (rows, columns) = A (rows, depth) B (depth, columns), kern_product.c. */
typedef struct afn_kern_product {
    const float *a, *b;
    float *c;
    int64_t rows, depth;
    int vectors;                            /* of `block` columns: 1 or 2 */
    int64_t a_row, a_depth, b_depth, c_row; /* floats from one to the next */
    bool add;                               /* to what is in C */
} afn_kern_product;

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
    void (*multiply)(const afn_kern_product *p);
} afn_kern_winograd;

/* Part of a blocked plane that pooling averages. */
typedef struct afn_kern_window {
    int64_t h0, h1, w0, w1; /* pixels [h0,h1) x [w0,w1) */
    int64_t row;            /* pixels in a row of the plane */
    float weight;           /* 1 / divisor */
} afn_kern_window;

/* A row of pixels as pairs of neighbours: vectors of `block` pairs of values, one pair
 * for each channel. */
typedef struct afn_pairs_row {
    const void *x;       /* (w, block); NULL = zeros */
    int64_t w;           /* pixels in it */
    int64_t first, step; /* pixel i of the pairs is first + i step; 0 outside the row */
    int64_t count;       /* pixels to pair; an odd one is paired with 0 */
    void *to;            /* (count + 1) / 2 vectors, */
    int64_t to_step;     /* this many vectors apart */
} afn_pairs_row;

/* A piece of the gradient of weights: dw (ic, oc) = sum over pairs of x (ic) dy (oc),
 * one block of input channels and up to AFN_PAIRS_OC blocks of output channels. */
typedef struct afn_pairs_tile {
    const void *dy, *x; /* (runs, run, oc) and (runs, run) vectors of pairs */
    int64_t runs, run;
    int64_t x_step;  /* vectors from one run of x to the next */
    float *dw;       /* (block ic, block oc), and for each block of oc another one */
    int64_t dw_step; /* floats between those */
    int oc;          /* blocks of output channels */
    bool add;        /* to what is in dw */
} afn_pairs_tile;

enum { AFN_PAIRS_OC = 4 };

typedef struct afn_kern_pairs {
    void (*pack)(const afn_pairs_row *r);
    void (*tile)(const afn_pairs_tile *t);
    /* Add to s (block) what `pairs` vectors, some steps apart, sum up to. */
    void (*sum)(float *s, const void *from, int64_t step, int64_t pairs);
} afn_kern_pairs;

/* Winograd F(2,3) in bf16, kern_winograd_f2.c: tiles of 2 x 2 pixels of the result, 4 x
 * 4 pixels of what is read, 16 points.  Tiles lie side by side in an image. */
typedef struct afn_f2_tiles {
    void *x;           /* (h, w, block): the image */
    void *t;           /* the first tile's first point; a vector for each */
    int64_t point;     /* values from a point to the next, */
    int64_t tile;      /* from a tile to the next */
    int64_t y0, x0;    /* first pixel of the first tile; may lie outside: reads as 0 */
    int64_t h, w;      /* of the image */
    int64_t count;     /* tiles */
    const float *bias; /* (block), NULL = none */
    bool sum;          /* add to what is in the image, before the activation */
    int act;
} afn_f2_tiles;

/* m (tiles, oc) = v (tiles, pairs) u (pairs, oc) */
typedef struct afn_f2_product {
    const void *v, *u; /* u: vectors of pairs, `oc` side by side */
    float *m;
    int64_t v_step, m_step; /* values, floats from one tile to the next */
    int64_t pairs, tiles;   /* tiles: a multiple of AFN_F2_TILES */
    int oc;                 /* vectors of output channels, at most AFN_F2_OC */
} afn_f2_product;

enum { AFN_F2_POINTS = 16, AFN_F2_TILES = 6, AFN_F2_OC = 4 };

typedef struct afn_kern_f2 {
    void (*input)(const afn_f2_tiles *k);  /* t = B' x B, values */
    void (*output)(const afn_f2_tiles *k); /* x = act(A' t A + bias), t in float */
    void (*product)(const afn_f2_product *p);
    /* u = G w G', w (9, block ic, block oc), as vectors of pairs of ic: pair r of point
     * p is vector p point + r pair.  data: w rotated by half a turn, pairs of oc. */
    void (*weights)(void *u, int64_t point, int64_t pair, const float *w, bool data);

    /* For the gradient of weights, t in vectors of pairs: a tile of one image and the
     * same of the next.  The first call writes one half and clears the other. */
    void (*input_pairs)(const afn_f2_tiles *k, bool second);    /* t = B' x B */
    void (*gradient_pairs)(const afn_f2_tiles *k, bool second); /* t = A x A', 2 x 2 */
    /* w = G' u G, u 16 of (block ic, block oc), some floats apart. */
    void (*weights_gradient)(float *w, const float *u, int64_t point);
} afn_kern_f2;

enum { AFN_KERN_MAX_BLOCK = 16 };

/* Channels that change place: lane i of a block comes from lane[i] of the block
 * from[i], (pixels, block); NULL = 0. */
typedef struct afn_lanes {
    const void *from[AFN_KERN_MAX_BLOCK];
    int lane[AFN_KERN_MAX_BLOCK];
} afn_lanes;

/* Backward of a factor for each channel. */
typedef struct afn_scale_block {
    const void *x, *dy;  /* (pixels, block) */
    void *dx;            /* dy factor; NULL = not wanted; may be dy */
    bool add;            /* to dx */
    const float *factor; /* (block) */
    int64_t pixels;
} afn_scale_block;

/* kern_channels.c */
typedef struct afn_kern_channels {
    /* y = x factor, or with add += */
    void (*scale)(void *y, const void *x, const float *factor, int64_t pixels,
                  bool add);
    /* Add to sums (block) those of dy x. */
    void (*scale_backward)(const afn_scale_block *s, double *sums);
    /* y from its lanes, or with add += */
    void (*gather)(void *y, const afn_lanes *l, int64_t pixels, bool add);
} afn_kern_channels;

/* Layer norm of some pixels of a sample, kern_layer_norm.c: a block holds (pixels,
 * block), `step` values from one block to the next. */
typedef struct afn_norm_pixels {
    const void *x, *dy;
    void *y, *dx; /* dx NULL = not wanted; may be dy */
    bool add;     /* to dx */
    bool padded;  /* the last block is filled up with 0, else it ends with the channels
                   */
    int64_t step, channels, pixels; /* pixels: up to AFN_LAYER_NORM_PIXELS */
    const float *weight, *bias;     /* (channels), padded to whole blocks */
    float eps;
    float *mean, *r;         /* (pixels): made by statistics(), read by the others */
    double *dweight, *dbias; /* (channels), padded alike: added to by backward() */
} afn_norm_pixels;

enum { AFN_LAYER_NORM_PIXELS = 32 };

typedef struct afn_kern_layer_norm {
    void (*statistics)(const afn_norm_pixels *n);
    void (*apply)(const afn_norm_pixels *n);
    void (*backward)(const afn_norm_pixels *n);
} afn_kern_layer_norm;

/* A row of a depthwise convolution or of its gradient, kern_depthwise.c: pixel i is the
 * sum over the taps of pixel first + i step of a row times a weight; 0 outside. */
typedef struct afn_depthwise_tap {
    const void *from;    /* (width, block) */
    int64_t first;       /* may lie outside */
    const float *weight; /* (block) */
} afn_depthwise_tap;

enum { AFN_DEPTHWISE_TAPS = 49 };

typedef struct afn_depthwise_row {
    void *to;          /* `count` pixels, to_step apart */
    const float *bias; /* (block); NULL = none */
    int64_t to_step, count, width, step;
    int taps;
    afn_depthwise_tap tap[AFN_DEPTHWISE_TAPS];
} afn_depthwise_row;

/* The gradient of the weights of one block in one sample. */
typedef struct afn_depthwise_weights {
    const void *x, *dy; /* (in_h, in_w, block), (out_h, out_w, block) */
    double *dw;         /* (k, k, block), added to */
    int64_t in_h, in_w, out_h, out_w, stride, pad_h, pad_w;
    int k; /* 3, 5 or 7 */
} afn_depthwise_weights;

typedef struct afn_kern_depthwise {
    void (*row)(const afn_depthwise_row *r);
    void (*weights)(const afn_depthwise_weights *d);
} afn_kern_depthwise;

typedef struct afn_kern {
    int block;                         /* channels side by side: 8 or 16 */
    size_t bytes;                      /* of a value */
    const afn_kern_winograd *winograd; /* NULL in bf16 */
    const afn_kern_pairs *pairs;       /* NULL but in bf16 */
    const afn_kern_f2 *f2;             /* the same */
    const afn_kern_channels *channels;
    const afn_kern_layer_norm *layer_norm;
    const afn_kern_depthwise *depthwise;

    /* Add to s1, s2 (block) the sums of (x - shift) and (x - shift)^2. */
    void (*norm_sums)(const void *x, int64_t pixels, const float *shift, double *s1,
                      double *s2);
    /* y = act((x - mean) scale + bias [+ add]) */
    void (*norm_apply)(void *y, const void *x, const void *add,
                       const afn_norm_vectors *v, int64_t pixels, int act);
    /* Add to s1, s2 the sums of g and g (x - mean), g = dy + dy2, masked. */
    void (*norm_backward_sums)(const afn_norm_block *b, double *s1, double *s2);
    void (*norm_backward)(const afn_norm_block *b);

    /* Over n values, any layout. */
    void (*add)(void *y, const void *a, const void *b, int64_t n);
    void (*accumulate)(void *y, const void *x, int64_t n);
    void (*act)(void *y, const void *x, int64_t n, int act);
    /* dx = dy times the slope of the activation, given its result y where it has a
     * kink, its argument where it is smooth */
    void (*mask)(void *dx, const void *dy, const void *y, int64_t n, int act);
    /* y = x factor, or with add += */
    void (*times)(void *y, const void *x, const float *factor, int64_t n, bool add);
    /* n values that lie some steps apart: to = from, to += from */
    void (*move)(void *to, int64_t to_step, const void *from, int64_t from_step,
                 int64_t n);
    void (*move_add)(void *to, int64_t to_step, const void *from, int64_t from_step,
                     int64_t n);
    void (*load)(float *to, const void *from, int64_t n);
    void (*store)(void *to, const float *from, int64_t n); /* to the nearest value */

    /* y (block) = mean over pixels; backward spreads dy / pixels. */
    void (*mean)(float *y, const void *x, int64_t pixels);
    void (*mean_backward)(void *dx, const float *dy, int64_t pixels, bool accumulate);
    /* y (block) = weighted sum over a window of the plane x; backward adds to dx. */
    void (*window)(float *y, const void *x, const afn_kern_window *w);
    void (*window_backward)(void *dx, const float *dy, const afn_kern_window *w);
} afn_kern;

void afn_product_base(const afn_kern_product *p);
void afn_product_avx2(const afn_kern_product *p);
void afn_product_avx512(const afn_kern_product *p);

/* bf16 needs AVX-512: processors that multiply it have that. */
extern const afn_kern afn_kern_base, afn_kern_avx2, afn_kern_avx512,
    afn_kern_avx512_bf16;
extern const afn_kern_winograd afn_winograd_base, afn_winograd_avx2,
    afn_winograd_avx512;
extern const afn_kern_depthwise afn_depthwise_base, afn_depthwise_avx2,
    afn_depthwise_avx512, afn_depthwise_avx512_bf16;
extern const afn_kern_channels afn_channels_base, afn_channels_avx2,
    afn_channels_avx512, afn_channels_avx512_bf16;
extern const afn_kern_layer_norm afn_layer_norm_base, afn_layer_norm_avx2,
    afn_layer_norm_avx512, afn_layer_norm_avx512_bf16;
extern const afn_kern_pairs afn_pairs_avx512_bf16;
extern const afn_kern_f2 afn_f2_avx512_bf16;

#endif
