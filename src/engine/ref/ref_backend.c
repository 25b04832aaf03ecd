/* SPDX-License-Identifier: Apache-2.0 */
/* The naive backend: every operator, no combined steps, no memory formats.  It is the
 * specification that the others are tested against. */
#include <omp.h>

#include "engine/ref/ref.h"

typedef struct device {
    int threads;
} device;

static afn_status ref_open(void **out, int threads, afn_precision precision)
{
    (void)precision; /* fp32 */
    device *d = afn_alloc(sizeof *d);
    *out = d;
    if (!d) return afn_fail(AFN_ENOMEM, "out of memory");
    d->threads = threads > 0 ? threads : afn_cpu_count();
    return AFN_OK;
}

static void ref_enter(void *dev)
{
    const device *d = dev;
    omp_set_num_threads(d->threads);
}

/* Bytes of n samples of a shape; false where they overflow. */
static bool value_bytes(size_t *out, const afn_shape *shape, int64_t n)
{
    const int64_t count = afn_shape_count(shape);
    return count >= 0 && afn_mul_size(out, (size_t)count, (size_t)n) &&
           afn_mul_size(out, *out, sizeof(float)) && *out <= INT64_MAX;
}

/* Mark the parameters of a node as used, in PyTorch's layout. */
static void use_params(const afn_prepare *p)
{
    for (int slot = 0; slot < AFN_MAX_PARAMS; slot++) {
        const int i = p->step->node->param[slot];
        if (i < 0 || slot == AFN_NUM_BATCHES) continue; /* a count, kept by the plan */
        p->blob[i].used = true;
        p->blob[i].count = afn_shape_count(&afn_graph_param(p->graph, i)->shape);
    }
}

afn_status afn_ref__prepare(const afn_prepare *p, afn_kernel *k)
{
    const afn_step *s = p->step;
    assert(!s->norm && !s->add && s->act == AFN_NO_ACT); /* fusions are 0 */
    char text[64];
    k->out.format = AFN_REF_FORMAT;
    size_t all;
    if (!value_bytes(&all, &s->out_shape, p->n) ||
        !value_bytes(&k->out.bytes, &s->out_shape, 1))
        return afn_fail(AFN_ESHAPE, "output %s is too large",
                        afn_shape_text(&s->out_shape, text, sizeof text));
    afn_step *copy = afn_alloc(sizeof *copy);
    if (!copy) return afn_fail(AFN_ENOMEM, "out of memory");
    *copy = *s;
    k->state = copy;
    use_params(p);
    return AFN_OK;
}

static const afn_kernel_ops *const op_table[] = {
    [AFN_OP_INPUT] = &afn_ref__input,
    [AFN_OP_CONV2D] = &afn_ref__conv2d,
    [AFN_OP_LINEAR] = &afn_ref__linear,
    [AFN_OP_BATCH_NORM] = &afn_ref__batch_norm,
    [AFN_OP_ACTIVATION] = &afn_ref__activation,
    [AFN_OP_MAX_POOL] = &afn_ref__max_pool,
    [AFN_OP_AVG_POOL] = &afn_ref__avg_pool,
    [AFN_OP_ADAPTIVE_AVG_POOL] = &afn_ref__adaptive_avg_pool,
    [AFN_OP_FLATTEN] = &afn_ref__flatten,
    [AFN_OP_DROPOUT] = &afn_ref__dropout,
    [AFN_OP_ADD] = &afn_ref__add,
    [AFN_OP_CONCAT] = &afn_ref__concat,
    [AFN_OP_SCALE] = &afn_ref__scale,
    [AFN_OP_LAYER_NORM] = &afn_ref__layer_norm,
    [AFN_OP_LAYER_SCALE] = &afn_ref__layer_scale,
    [AFN_OP_SLICE] = &afn_ref__slice,
    [AFN_OP_SHUFFLE] = &afn_ref__shuffle,
    [AFN_OP_STOCHASTIC_DEPTH] = &afn_ref__stochastic_depth,
    [AFN_OP_OUTPUTS] = &afn_ref__concat, /* rows of logits, one after another */
};
static_assert(AFN_COUNT(op_table) == AFN_N_OPS, "one row per op");

static const afn_kernel_ops *ref_find(afn_op op)
{
    return op_table[op];
}

static afn_status ref_pack(void *dev, const afn_blob *b, const afn_shape *shape,
                           const float *host, float *packed)
{
    (void)dev, (void)shape;
    memcpy(packed, host, (size_t)b->count * sizeof *packed);
    return AFN_OK;
}

static afn_status ref_read(void *dev, const afn_layout *l, const afn_shape *shape,
                           int64_t n, const void *value, float *out)
{
    (void)dev, (void)l;
    memcpy(out, value, (size_t)(n * afn_shape_count(shape)) * sizeof *out);
    return AFN_OK;
}

static afn_status ref_write(void *dev, const afn_layout *l, const afn_shape *shape,
                            int64_t n, const float *in, void *value)
{
    (void)dev, (void)l;
    memcpy(value, in, (size_t)(n * afn_shape_count(shape)) * sizeof *in);
    return AFN_OK;
}

static void ref_each(void *dev, int64_t n, afn_range_fn fn, void *user)
{
    (void)dev;
    if (n > 0) fn(user, 0, n);
}

const afn_backend afn_backend_ref = {
    .name = "ref",
    .fusions = 0,
    .open = ref_open,
    .close = afn_free,
    .enter = ref_enter,
    .find = ref_find,
    .pack = ref_pack,
    .unpack = ref_pack,      /* the same copy the other way */
    .free_layout = afn_free, /* none is ever made */
    .read_value = ref_read,
    .write_value = ref_write,
    .each = ref_each,
};
