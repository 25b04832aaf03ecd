/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a graph's parameters: one aligned block of floats, PyTorch's layouts, each
 * parameter on a 64-byte boundary; int64 counters apart. */
#include <math.h>

#include "graph/graph.h"

enum { ALIGNMENT = 64 };

struct afn_params {
    int count;
    int64_t *size;    /* [count] elements */
    int64_t *offset;  /* [count] in floats, -1 for a counter */
    void *block;      /* what values lie in */
    float *values;    /* on a 64-byte boundary */
    int64_t *counter; /* [count], used where offset is -1 */
};

/* Places every parameter; returns the floats needed. */
static int64_t place(afn_params *p, const afn_graph *g)
{
    int64_t at = 0;
    for (int i = 0; i < p->count; i++) {
        const afn_param *d = afn_graph_param(g, i);
        p->size[i] = afn_shape_count(&d->shape);
        p->offset[i] = d->dtype == AFN_F32 ? at : -1;
        if (d->dtype == AFN_F32) at += (p->size[i] + 15) / 16 * 16;
    }
    return at;
}

static float *align(void *p)
{
    const uintptr_t up = ALIGNMENT - (uintptr_t)p % ALIGNMENT;
    return (float *)((char *)p + up);
}

afn_status afn_params_new(afn_params **out, const afn_graph *g)
{
    afn_status st = AFN_OK;
    *out = NULL;
    afn_params *p = afn_alloc(sizeof *p);
    AFN_REQUIRE(p, AFN_ENOMEM, "out of memory");
    p->count = afn_graph_n_params(g);
    p->size = afn_alloc_array((size_t)p->count, sizeof *p->size);
    p->offset = afn_alloc_array((size_t)p->count, sizeof *p->offset);
    p->counter = afn_alloc_array((size_t)p->count, sizeof *p->counter);
    AFN_REQUIRE(p->size && p->offset && p->counter, AFN_ENOMEM, "out of memory");
    const size_t bytes = (size_t)place(p, g) * sizeof(float);
    p->block = afn_alloc(bytes + ALIGNMENT); /* zero without having been touched */
    AFN_REQUIRE(p->block, AFN_ENOMEM, "out of memory: %zu MB of parameters",
                bytes >> 20);
    p->values = align(p->block);
    *out = p;
    p = NULL;
done:
    afn_params_free(p);
    return st;
}

void afn_params_free(afn_params *p)
{
    if (!p) return;
    afn_free(p->size);
    afn_free(p->offset);
    afn_free(p->counter);
    afn_free(p->block);
    afn_free(p);
}

int afn_params_count(const afn_params *p)
{
    return p->count;
}

int64_t afn_params_size(const afn_params *p, int i)
{
    return p->size[i];
}

int64_t afn_params_bytes(const afn_params *p)
{
    int64_t bytes = 0;
    for (int i = 0; i < p->count; i++)
        bytes += p->offset[i] < 0 ? (int64_t)sizeof(int64_t)
                                  : p->size[i] * (int64_t)sizeof(float);
    return bytes;
}

float *afn_params_f32(const afn_params *p, int i)
{
    return p->offset[i] < 0 ? NULL : p->values + p->offset[i];
}

int64_t *afn_params_i64(const afn_params *p, int i)
{
    return p->offset[i] < 0 ? &p->counter[i] : NULL;
}

static void fill_uniform(float *v, int64_t n, afn_rng *rng, double bound)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = (float)((2.0 * afn_rng_double(rng) - 1.0) * bound);
}

static void fill_normal(float *v, int64_t n, afn_rng *rng, double std)
{
    for (int64_t i = 0; i < n; i++) v[i] = (float)(afn_rng_normal(rng) * std);
}

static void fill_constant(float *v, int64_t n, float value)
{
    for (int64_t i = 0; i < n; i++) v[i] = value;
}

void afn_params_init(afn_params *p, const afn_graph *g, int i, uint64_t seed)
{
    const afn_param *d = afn_graph_param(g, i);
    float *v = afn_params_f32(p, i);
    const int64_t n = p->size[i];
    afn_rng rng = afn_rng_new(seed, afn_rng_stream(AFN_RNG_INIT, (uint32_t)i, 0));
    if (!v) {
        *afn_params_i64(p, i) = 0;
        return;
    }
    switch (d->init.rule) {
    case AFN_INIT_DEFAULT:
    case AFN_INIT_UNIFORM_FAN_IN:
        fill_uniform(v, n, &rng, 1.0 / sqrt(d->fan_in));
        break;
    case AFN_INIT_NORMAL:
        fill_normal(v, n, &rng, d->init.std);
        break;
    case AFN_INIT_KAIMING_NORMAL:
        fill_normal(v, n, &rng, sqrt(2.0 / d->fan_out));
        break;
    case AFN_INIT_KAIMING_UNIFORM:
        fill_uniform(v, n, &rng, sqrt(6.0 / d->fan_in));
        break;
    case AFN_INIT_KAIMING_NORMAL_FAN_IN:
        fill_normal(v, n, &rng, sqrt(2.0 / d->fan_in));
        break;
    case AFN_INIT_UNIFORM_FAN_OUT:
        fill_uniform(v, n, &rng, sqrt(d->init.std / d->fan_out));
        break;
    case AFN_INIT_CONSTANT:
        fill_constant(v, n, d->init.std);
        break;
    case AFN_INIT_ZEROS:
        fill_constant(v, n, 0.0f);
        break;
    case AFN_INIT_ONES:
        fill_constant(v, n, 1.0f);
        break;
    }
}

void afn_params_init_all(afn_params *p, const afn_graph *g, uint64_t seed)
{
    for (int i = 0; i < p->count; i++) afn_params_init(p, g, i, seed);
}
