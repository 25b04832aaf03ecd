/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/engine/cpu: the device, layouts, and what the kernels share.
 *
 * Layout rule: a (C,H,W) value is blocked, (n, C/B, h, w, B) with B = 16 on AVX-512 and
 * 8 elsewhere, from the first convolution to the last layer; a (C) value is row-major.
 * The one exception is an input of few channels that only convolutions read: it stays
 * row-major, which oneDNN's first-layer kernels want. */
#ifndef AFN_CPU_H
#define AFN_CPU_H

#include "engine/backend.h"
#include "engine/cpu/dnn.h"
#include "engine/cpu/kern.h"
#include "engine/cpu/tune.h"

typedef struct cpu_device {
    dnn_device *dnn;
    const afn_kern *kern; /* on floats */
    int threads;
    dnn_order blocked; /* DNN_BLOCKED8 or 16, as kern->block */
    tune *tune;        /* choices of algorithms, NULL until there is one to make */
    dnn_type type;     /* of values but the logits, which are floats */
} cpu_device;

/* afn_layout.format: order and type of a value; DNN_PLAIN or one of the blocked orders.
 */
typedef struct cpu_format {
    dnn_order order;
    dnn_type type;
} cpu_format;
int cpu_format_code(cpu_format f);
cpu_format cpu_format_of(const afn_layout *l);

/* Kernels for values of this layout. */
const afn_kern *cpu_kern(const afn_layout *l, const cpu_device *d);
const afn_kern *cpu_kern_of(dnn_type type, const cpu_device *d);

/* The values of one sample, with padding. */
int64_t cpu_count(const afn_layout *l);

/* Layout of values of this shape. */
afn_status cpu_layout(afn_layout *out, const afn_shape *shape, cpu_format f);

/* The type of a step's output, where it can write either. */
dnn_type cpu_output_type(const cpu_device *d, const afn_step *step);

/* The order that the layout rule gives a value of this shape. */
dnn_order cpu_order(const cpu_device *d, const afn_shape *shape);

/* Descriptor of an n-sample value. */
afn_status cpu_value_md(dnn_md **out, const afn_shape *shape, int64_t n, cpu_format f);

/* A blocked value as its kernels see it. */
typedef struct cpu_blocks {
    int64_t n, blocks, pixels; /* samples, channel blocks of each, pixels */
    int64_t channels;
    int width;    /* channels in a block */
    int64_t size; /* values in a block: pixels * width */
} cpu_blocks;
cpu_blocks cpu_blocks_of(const cpu_device *d, const afn_shape *shape, int64_t n);

/* Channel vectors (gamma, statistics, bias) are padded to whole blocks. */
int64_t cpu_padded(const cpu_device *d, int64_t channels);
void cpu_use_vector(const afn_prepare *p, const afn_node *node, int slot);

/* On all threads: y += x over n values, y = x over some bytes, n floats as values. */
void cpu_accumulate(const afn_kern *kern, void *y, const void *x, int64_t n);
void cpu_copy(void *y, const void *x, size_t bytes);
void cpu_store(const afn_kern *kern, void *y, const float *x, int64_t n);

/* Value i of a buffer. */
static inline void *cpu_at(const afn_kern *kern, void *v, int64_t i)
{
    return (char *)v + i * (int64_t)kern->bytes;
}
static inline const void *cpu_get(const afn_kern *kern, const void *v, int64_t i)
{
    return (const char *)v + i * (int64_t)kern->bytes;
}

/* One call of fn for each piece of [0, n), pieces divided among the threads. */
void cpu_parallel(int64_t n, afn_range_fn fn, void *user);

/* Set the channels of a value that only fill up its last block to 0. */
void cpu_clear_padding(const afn_kern *kern, void *v, const cpu_blocks *b);

/* cpu_alone.c: the backend's time_alone(). */
afn_status cpu_time_alone(void *device, const afn_step *s, int64_t n, double *seconds);

/* Bytes rounded up so that what follows in a scratch buffer stays aligned. */
size_t cpu_aligned(size_t bytes);

/* Such bytes of a primitive's buffer, 0 where it has none or op is NULL. */
size_t cpu_op_bytes(const dnn_op *op, dnn_slot slot);

extern const afn_kernel_ops cpu_input_ops, cpu_conv2d_ops, cpu_linear_ops,
    cpu_batch_norm_ops, cpu_activation_ops, cpu_max_pool_ops, cpu_avg_pool_ops,
    cpu_adaptive_avg_pool_ops, cpu_flatten_ops, cpu_dropout_ops, cpu_add_ops,
    cpu_concat_ops, cpu_scale_ops, cpu_layer_norm_ops, cpu_layer_scale_ops,
    cpu_slice_ops, cpu_shuffle_ops, cpu_stochastic_depth_ops, cpu_outputs_ops;

#endif
