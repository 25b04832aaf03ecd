/* SPDX-License-Identifier: Apache-2.0 */
/* The cpu backend: oneDNN for products and max pooling, our own vector kernels for the
 * rest, one thread pool (OpenMP) for both. */
#include <omp.h>
#include <string.h>

#include "engine/cpu/cpu.h"

/* ---- device ---- */

static void cpu_close(void *device)
{
    cpu_device *d = device;
    if (!d) return;
    dnn_device_close(d->dnn);
    tune_close(d->tune);
    afn_free(d);
}

static const afn_kern *kern_for(dnn_isa isa)
{
    switch (isa) {
    case DNN_ISA_AVX512:
        return &afn_kern_avx512;
    case DNN_ISA_AVX2:
        return &afn_kern_avx2;
    case DNN_ISA_BASE:
        break;
    }
    return &afn_kern_base;
}

afn_precision afn_precision_here(afn_precision wanted)
{
    return dnn_has_bf16() ? wanted : AFN_PRECISION_FP32;
}

static afn_status cpu_open(void **out, int threads, afn_precision precision)
{
    afn_status st = AFN_OK;
    *out = NULL;
    cpu_device *d = afn_alloc(sizeof *d);
    AFN_REQUIRE(d, AFN_ENOMEM, "out of memory");
    d->threads = threads;
    d->kern = kern_for(dnn_best_isa());
    d->type = precision == AFN_PRECISION_BF16 ? DNN_BF16 : DNN_F32;
    d->blocked = d->kern->block == 16 ? DNN_BLOCKED16 : DNN_BLOCKED8;
    AFN_TRY(dnn_device_open(&d->dnn));
    *out = d;
    d = NULL;
done:
    cpu_close(d);
    return st;
}

/* The thread count is a property of the calling thread in OpenMP; oneDNN reads it both
 * when it makes a primitive and when it runs one. */
static void cpu_enter(void *device)
{
    const cpu_device *d = device;
    omp_set_num_threads(d->threads);
}

void cpu_parallel(int64_t n, afn_range_fn fn, void *user)
{
#pragma omp parallel
    {
        const int64_t t = omp_get_thread_num(), count = omp_get_num_threads();
        const int64_t from = n * t / count, to = n * (t + 1) / count;
        if (from < to) fn(user, from, to);
    }
}

/* ---- layouts ---- */

dnn_order cpu_order(const cpu_device *d, const afn_shape *shape)
{
    return shape->rank == 3 ? d->blocked : DNN_PLAIN;
}

enum { TYPE_BIT = 8 }; /* above every order */

int cpu_format_code(cpu_format f)
{
    return (int)f.order | (int)f.type << TYPE_BIT;
}

cpu_format cpu_format_of(const afn_layout *l)
{
    return (cpu_format){ .order = (dnn_order)(l->format & ((1 << TYPE_BIT) - 1)),
                         .type = (dnn_type)(l->format >> TYPE_BIT) };
}

const afn_kern *cpu_kern_of(dnn_type type, const cpu_device *d)
{
    return type == DNN_BF16 ? &afn_kern_avx512_bf16 : d->kern;
}

const afn_kern *cpu_kern(const afn_layout *l, const cpu_device *d)
{
    return cpu_kern_of(cpu_format_of(l).type, d);
}

int64_t cpu_count(const afn_layout *l)
{
    const size_t one =
        cpu_format_of(l).type == DNN_BF16 ? sizeof(uint16_t) : sizeof(float);
    return (int64_t)(l->bytes / one);
}

dnn_type cpu_output_type(const cpu_device *d, const afn_step *step)
{
    return step->logits && !step->add ? DNN_F32 : d->type;
}

afn_status cpu_value_md(dnn_md **out, const afn_shape *shape, int64_t n, cpu_format f)
{
    int64_t dim[4] = { n };
    for (int i = 0; i < shape->rank; i++) dim[i + 1] = shape->dim[i];
    return dnn_md_new(out, shape->rank + 1, dim, f.order, f.type);
}

afn_status cpu_layout(afn_layout *out, const afn_shape *shape, cpu_format f)
{
    dnn_md *md = NULL;
    *out = (afn_layout){ 0 };
    const afn_status st = cpu_value_md(&md, shape, 1, f);
    if (st != AFN_OK) return st;
    *out = (afn_layout){ .format = cpu_format_code(f), .bytes = dnn_md_bytes(md) };
    dnn_md_free(md);
    return AFN_OK;
}

int64_t cpu_padded(const cpu_device *d, int64_t channels)
{
    const int64_t b = d->kern->block;
    return (channels + b - 1) / b * b;
}

cpu_blocks cpu_blocks_of(const cpu_device *d, const afn_shape *shape, int64_t n)
{
    const int64_t pixels = shape->dim[1] * shape->dim[2];
    return (cpu_blocks){ .n = n,
                         .blocks = cpu_padded(d, shape->dim[0]) / d->kern->block,
                         .pixels = pixels,
                         .channels = shape->dim[0],
                         .width = d->kern->block,
                         .size = pixels * d->kern->block };
}

void cpu_use_vector(const afn_prepare *p, const afn_node *node, int slot)
{
    const int i = node->param[slot];
    if (i < 0) return;
    const afn_param *d = afn_graph_param(p->graph, i);
    p->blob[i].used = true;
    p->blob[i].count = cpu_padded(p->device, d->shape.dim[0]);
}

size_t cpu_aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

size_t cpu_op_bytes(const dnn_op *op, dnn_slot slot)
{
    const dnn_md *md = op ? dnn_op_md(op, slot) : NULL;
    return md ? cpu_aligned(dnn_md_bytes(md)) : 0;
}

/* ---- work over whole buffers ---- */

typedef struct two_buffers {
    const afn_kern *kern;
    void *y;
    const void *x;
} two_buffers;

static void accumulate_range(void *user, int64_t from, int64_t to)
{
    const two_buffers *b = user;
    b->kern->accumulate(cpu_at(b->kern, b->y, from), cpu_get(b->kern, b->x, from),
                        to - from);
}

void cpu_accumulate(const afn_kern *kern, void *y, const void *x, int64_t n)
{
    cpu_parallel(n, accumulate_range, &(two_buffers){ kern, y, x });
}

static void copy_range(void *user, int64_t from, int64_t to)
{
    const two_buffers *b = user;
    memcpy((char *)b->y + from, (const char *)b->x + from, (size_t)(to - from));
}

void cpu_copy(void *y, const void *x, size_t bytes)
{
    cpu_parallel((int64_t)bytes, copy_range, &(two_buffers){ NULL, y, x });
}

static void store_range(void *user, int64_t from, int64_t to)
{
    const two_buffers *b = user;
    b->kern->store(cpu_at(b->kern, b->y, from), (const float *)b->x + from, to - from);
}

void cpu_store(const afn_kern *kern, void *y, const float *x, int64_t n)
{
    cpu_parallel(n, store_range, &(two_buffers){ kern, y, x });
}

void cpu_clear_padding(const afn_kern *kern, void *v, const cpu_blocks *b)
{
    const int64_t used = b->channels % b->width, rest = b->width - used;
    if (!used) return;
    for (int64_t n = 0; n < b->n; n++) {
        const int64_t last = ((n + 1) * b->blocks - 1) * b->size;
        for (int64_t i = 0; i < b->pixels; i++)
            memset(cpu_at(kern, v, last + i * b->width + used), 0,
                   (size_t)rest * kern->bytes);
    }
}

/* ---- conversion ---- */

static afn_status reorder(const cpu_device *d, const dnn_md *from, const dnn_md *to,
                          const void *in, void *out)
{
    dnn_op *op = NULL;
    afn_status st = dnn_reorder_new(&op, d->dnn, from, to);
    if (st != AFN_OK) return st;
    const size_t need = cpu_op_bytes(op, DNN_SCRATCH);
    void *scratch = need ? afn_alloc_aligned(need) : NULL;
    if (need && !scratch)
        st = afn_fail(AFN_ENOMEM, "out of memory");
    else
        st = dnn_reorder_run(d->dnn, op, in, out, scratch);
    afn_free(scratch);
    dnn_op_free(op);
    return st;
}

static afn_status cpu_pack(void *device, const afn_blob *b, const afn_shape *shape,
                           const float *host, float *packed)
{
    const int64_t n = afn_shape_count(shape);
    dnn_md *plain = NULL;
    if (!b->layout) {
        memcpy(packed, host, (size_t)n * sizeof(float));
        memset(packed + n, 0, (size_t)(b->count - n) * sizeof(float));
        return AFN_OK;
    }
    afn_status st = dnn_md_plain(&plain, b->layout);
    if (st == AFN_OK) st = reorder(device, plain, b->layout, host, packed);
    dnn_md_free(plain);
    return st;
}

static afn_status cpu_unpack(void *device, const afn_blob *b, const afn_shape *shape,
                             const float *packed, float *host)
{
    dnn_md *plain = NULL;
    if (!b->layout) {
        memcpy(host, packed, (size_t)afn_shape_count(shape) * sizeof(float));
        return AFN_OK;
    }
    afn_status st = dnn_md_plain(&plain, b->layout);
    if (st == AFN_OK) st = reorder(device, b->layout, plain, packed, host);
    dnn_md_free(plain);
    return st;
}

static void free_layout(void *layout)
{
    dnn_md_free(layout);
}

/* Between a value and row-major floats, in either direction. */
static afn_status convert(void *device, const afn_layout *l, const afn_shape *shape,
                          int64_t n, const void *in, void *out, bool reading)
{
    afn_status st = AFN_OK;
    dnn_md *own = NULL, *plain = NULL;
    const cpu_format f = cpu_format_of(l), floats = { DNN_PLAIN, DNN_F32 };
    if (l->format == cpu_format_code(floats)) {
        cpu_copy(out, in, (size_t)n * l->bytes);
        return AFN_OK;
    }
    AFN_TRY(cpu_value_md(&own, shape, n, f));
    AFN_TRY(cpu_value_md(&plain, shape, n, floats));
    AFN_TRY(reorder(device, reading ? own : plain, reading ? plain : own, in, out));
done:
    dnn_md_free(own);
    dnn_md_free(plain);
    return st;
}

static afn_status read_value(void *device, const afn_layout *l, const afn_shape *shape,
                             int64_t n, const void *value, float *out)
{
    return convert(device, l, shape, n, value, out, true);
}

static afn_status write_value(void *device, const afn_layout *l, const afn_shape *shape,
                              int64_t n, const float *in, void *value)
{
    return convert(device, l, shape, n, in, value, false);
}

static void each(void *device, int64_t n, afn_range_fn fn, void *user)
{
    (void)device;
    cpu_parallel(n, fn, user);
}

/* ---- the table ---- */

static const afn_kernel_ops *const row[] = {
    [AFN_OP_INPUT] = &cpu_input_ops,
    [AFN_OP_CONV2D] = &cpu_conv2d_ops,
    [AFN_OP_LINEAR] = &cpu_linear_ops,
    [AFN_OP_BATCH_NORM] = &cpu_batch_norm_ops,
    [AFN_OP_ACTIVATION] = &cpu_activation_ops,
    [AFN_OP_MAX_POOL] = &cpu_max_pool_ops,
    [AFN_OP_AVG_POOL] = &cpu_avg_pool_ops,
    [AFN_OP_ADAPTIVE_AVG_POOL] = &cpu_adaptive_avg_pool_ops,
    [AFN_OP_FLATTEN] = &cpu_flatten_ops,
    [AFN_OP_DROPOUT] = &cpu_dropout_ops,
    [AFN_OP_ADD] = &cpu_add_ops,
    [AFN_OP_CONCAT] = &cpu_concat_ops,
    [AFN_OP_SCALE] = &cpu_scale_ops,
    [AFN_OP_LAYER_NORM] = &cpu_layer_norm_ops,
    [AFN_OP_LAYER_SCALE] = &cpu_layer_scale_ops,
    [AFN_OP_SLICE] = &cpu_slice_ops,
    [AFN_OP_SHUFFLE] = &cpu_shuffle_ops,
    [AFN_OP_STOCHASTIC_DEPTH] = &cpu_stochastic_depth_ops,
    [AFN_OP_OUTPUTS] = &cpu_outputs_ops,
};
static_assert(AFN_COUNT(row) == AFN_N_OPS, "one row per op");

static const afn_kernel_ops *find(afn_op op)
{
    return row[op];
}

/* Activations whose gradient the output tells, and all. */
enum { CLIPS = 1 << AFN_ACT_RELU | 1 << AFN_ACT_RELU6, ALL = (1 << AFN_N_ACTS) - 1 };

const afn_backend afn_backend_cpu = {
    .name = "cpu",
    .fusions = AFN_FUSE_CONV_ACT | AFN_FUSE_NORM_ADD_ACT | AFN_FOLD_NORM,
    .conv_acts = CLIPS,
    .conv_infer_acts = ALL,
    .norm_acts = ALL,
    .slices = true,
    .bf16 = true,
    .open = cpu_open,
    .close = cpu_close,
    .enter = cpu_enter,
    .find = find,
    .pack = cpu_pack,
    .unpack = cpu_unpack,
    .free_layout = free_layout,
    .read_value = read_value,
    .write_value = write_value,
    .each = each,
    .time_alone = cpu_time_alone,
};
