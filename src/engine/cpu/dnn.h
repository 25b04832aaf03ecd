/* SPDX-License-Identifier: Apache-2.0 */
/* A narrow view of oneDNN: descriptors, primitives, execution.  Only dnn*.c include
 * dnnl.h, so its version (2.x or 3.x) and its conventions (dilation 0 is PyTorch's 1)
 * end there. */
#ifndef AFN_CPU_DNN_H
#define AFN_CPU_DNN_H

#include "engine/backend.h"

/* Engine, stream and what the processor offers. */
typedef struct dnn_device dnn_device;
afn_status dnn_device_open(dnn_device **out);
void dnn_device_close(dnn_device *d);

/* Instruction sets that oneDNN uses here, best last. */
typedef enum dnn_isa { DNN_ISA_BASE, DNN_ISA_AVX2, DNN_ISA_AVX512 } dnn_isa;
dnn_isa dnn_best_isa(void);

/* Does the processor multiply bf16 itself? */
bool dnn_has_bf16(void);

/* Version of the library that runs: "2.6.3". */
const char *dnn_version(void);

/* ---- how values lie in memory ---- */

typedef struct dnn_md dnn_md; /* shape, type and order of a buffer; owned */

typedef enum dnn_type { DNN_F32, DNN_BF16 } dnn_type;

typedef enum dnn_order {
    DNN_PLAIN,          /* row-major */
    DNN_BLOCKED8,       /* (n, C/8, h, w, 8), channels padded with zeros */
    DNN_BLOCKED16,      /* (n, C/16, h, w, 16) */
    DNN_WEIGHTS8,       /* (oc/8, ic/8, kh, kw, 8 ic, 8 oc), padded alike */
    DNN_WEIGHTS16,      /* (oc/16, ic/16, kh, kw, 16 ic, 16 oc) */
    DNN_WEIGHTS8_DATA,  /* (oc/8, ic/8, kh, kw, 8 oc, 8 ic) */
    DNN_WEIGHTS16_DATA, /* (oc/16, ic/16, kh, kw, 16 oc, 16 ic) */
    DNN_DEPTHWISE8,     /* (g/8, kh, kw, 8) of (g, 1, 1, kh, kw) */
    DNN_DEPTHWISE16,    /* (g/16, kh, kw, 16) */
    DNN_ANY             /* the primitive chooses */
} dnn_order;

afn_status dnn_md_new(dnn_md **out, int rank, const int64_t *dim, dnn_order order,
                      dnn_type type);
afn_status dnn_md_copy(dnn_md **out, const dnn_md *md);
/* Row-major floats with the same dimensions. */
afn_status dnn_md_plain(dnn_md **out, const dnn_md *md);
/* The same dimensions in this type, laid out as the primitive chooses. */
afn_status dnn_md_any(dnn_md **out, const dnn_md *md, dnn_type type);
/* The same dimensions and type, laid out as the primitive chooses. */
afn_status dnn_md_unordered(dnn_md **out, const dnn_md *md);
void dnn_md_free(dnn_md *md);
size_t dnn_md_bytes(const dnn_md *md);
int64_t dnn_md_dim(const dnn_md *md, int i);
bool dnn_md_equal(const dnn_md *a, const dnn_md *b);

/* ---- primitives ---- */

typedef struct dnn_op dnn_op;

typedef enum dnn_pass {
    DNN_INFER,
    DNN_FORWARD, /* in training */
    DNN_BACKWARD_DATA,
    DNN_BACKWARD_WEIGHTS
} dnn_pass;

/* How a convolution is computed. */
typedef enum dnn_algo {
    DNN_DIRECT,
    DNN_WINOGRAD /* F(4,3); not on every processor, nor in oneDNN 3.x */
} dnn_algo;

/* Buffers of a primitive. */
typedef enum dnn_slot {
    DNN_SRC,
    DNN_WEIGHTS,
    DNN_BIAS,
    DNN_DST,
    DNN_DIFF_SRC,
    DNN_DIFF_WEIGHTS,
    DNN_DIFF_BIAS,
    DNN_DIFF_DST,
    DNN_WORKSPACE,
    DNN_SCRATCH,
    DNN_N_SLOTS
} dnn_slot;

/* A convolution, or with rank 2 descriptors a linear layer.  In a backward pass src,
 * dst, weights and bias describe the gradients of the same names.  Where src and dst
 * are bf16, bias is fp32, and so are the weights of DNN_BACKWARD_WEIGHTS. */
typedef struct dnn_product {
    const dnn_md *src, *weights, *dst;
    const dnn_md *bias;        /* NULL = none */
    const afn_conv_attr *conv; /* NULL = linear */
    dnn_algo algo;             /* of a convolution */
    bool sum;                  /* dst = product + dst */
    int act;                   /* applied last, or AFN_NO_ACT */
} dnn_product;

afn_status dnn_product_new(dnn_op **out, dnn_device *d, dnn_pass pass,
                           const dnn_product *p);

/* Max pooling; window as in the graph, dst's size decides padding at the far end. */
typedef struct dnn_pool {
    const dnn_md *src, *dst;
    const afn_pool_attr *pool;
    int64_t in_h, in_w, out_h, out_w;
} dnn_pool;

afn_status dnn_max_pool_new(dnn_op **out, dnn_device *d, dnn_pass pass,
                            const dnn_pool *p);

afn_status dnn_reorder_new(dnn_op **out, dnn_device *d, const dnn_md *from,
                           const dnn_md *to);

void dnn_op_free(dnn_op *op);

/* Descriptor of one buffer, NULL where the primitive has none; lives with op. */
const dnn_md *dnn_op_md(const dnn_op *op, dnn_slot slot);

/* Name of the implementation that was chosen: "jit:avx512_core". */
const char *dnn_op_impl(const dnn_op *op);

/* Run on these buffers, [DNN_N_SLOTS], NULL where unused. */
afn_status dnn_run(dnn_device *d, dnn_op *op, void *const *buffer);

/* The same for a reorder. */
afn_status dnn_reorder_run(dnn_device *d, dnn_op *op, const void *from, void *to,
                           void *scratch);

#endif
