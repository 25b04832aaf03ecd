/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded random networks.  One random choice per statement: the order in which C
 * evaluates arguments and initialisers is the compiler's.  Layers read recent values or
 * any earlier one of a fitting shape, so values get many readers, branches of all
 * lengths, and dead ends. */
#include <math.h>
#include <stdio.h>

#include "kernels.h"

enum { MAX_VALUES = 128 };

typedef struct builder {
    afn_graph *g;
    afn_rng r;
    afn_value value[MAX_VALUES]; /* (C,H,W) values made so far */
    int n;
    int names; /* layers named so far */
} builder;

static int pick(builder *b, int n)
{
    return (int)afn_rng_below(&b->r, n);
}

static bool chance(builder *b, double p)
{
    return afn_rng_double(&b->r) < p;
}

static const afn_shape *shape_of(const builder *b, afn_value v)
{
    return &afn_graph_node(b->g, v)->shape;
}

/* Mostly the newest value. */
static afn_value pick_value(builder *b)
{
    return chance(b, 0.75) ? b->value[b->n - 1] : b->value[pick(b, b->n)];
}

/* Another value of the same height and width, of the same channels too where asked; v
 * itself where there is none. */
static afn_value pick_partner(builder *b, afn_value v, bool same_channels)
{
    const afn_shape *s = shape_of(b, v);
    afn_value found = v;
    int seen = 0;
    for (int i = 0; i < b->n; i++) {
        const afn_shape *t = shape_of(b, b->value[i]);
        const bool fits = t->dim[1] == s->dim[1] && t->dim[2] == s->dim[2] &&
                          (!same_channels || t->dim[0] == s->dim[0]);
        if (fits && pick(b, ++seen) == 0) found = b->value[i];
    }
    return found;
}

static const char *next_name(builder *b)
{
    static _Thread_local char name[16];
    snprintf(name, sizeof name, "n%d", b->names++);
    return name;
}

static int pick_channels(builder *b)
{
    static const int some[] = { 1, 2, 3, 5, 8, 16, 17, 24, 32, 33 };
    return some[pick(b, (int)AFN_COUNT(some))];
}

static int pick_groups(builder *b, int ic, int *oc)
{
    if (chance(b, 0.2)) return *oc = ic; /* depthwise */
    const int groups = ic % 4 == 0 ? 4 : ic % 3 == 0 ? 3 : 1;
    if (!chance(b, 0.2)) return 1;
    *oc = groups * (1 + pick(b, 6));
    return groups;
}

static afn_value random_conv(builder *b, afn_value x)
{
    const afn_shape *s = shape_of(b, x);
    const int64_t side = s->dim[1] < s->dim[2] ? s->dim[1] : s->dim[2];
    afn_conv c = { .oc = pick_channels(b),
                   .k = 1 + pick(b, 5),
                   .bias = chance(b, 0.5) };
    c.groups = pick_groups(b, (int)s->dim[0], &c.oc);
    c.pad = chance(b, 0.5) ? c.k / 2 : pick(b, 3);
    c.stride = side > 3 && chance(b, 0.3) ? 2 + pick(b, 2) : 1;
    c.dilation = chance(b, 0.15) ? 2 : 1;
    while (side + 2 * c.pad < (int64_t)c.dilation * (c.k - 1) + 1) c.pad++;
    return afn_conv2d(b->g, x, next_name(b), c);
}

/* Statistics of few values are too ill-conditioned to compare; the table has them. */
static afn_value random_norm(builder *b, afn_value x)
{
    const afn_shape *s = shape_of(b, x);
    if (s->dim[1] * s->dim[2] < 8) return afn_relu(b->g, x);
    return afn_batch_norm(b->g, x, next_name(b), (afn_bn){ .eps = 1e-3f });
}

static afn_value random_act(builder *b, afn_value x)
{
    return afn_activation(b->g, x, chance(b, 0.7) ? AFN_ACT_RELU : AFN_ACT_RELU6);
}

static afn_value random_pool(builder *b, afn_value x)
{
    const afn_shape *s = shape_of(b, x);
    const int64_t side = s->dim[1] < s->dim[2] ? s->dim[1] : s->dim[2];
    afn_pool p = { .k = 1 + pick(b, 3) };
    p.ceil = chance(b, 0.5);
    p.stride = side > 3 ? 1 + pick(b, 3) : 1;
    p.pad = pick(b, p.k / 2 + 1);
    p.exclude_pad = chance(b, 0.5);
    if (side + 2 * p.pad < p.k) p.k = 1, p.pad = 0;
    return chance(b, 0.6) ? afn_max_pool(b->g, x, p) : afn_avg_pool(b->g, x, p);
}

static afn_value random_adaptive(builder *b, afn_value x)
{
    const int h = 3 + pick(b, 5), w = 3 + pick(b, 5);
    return afn_adaptive_avg_pool(b->g, x, h, w);
}

static afn_value random_dropout(builder *b, afn_value x)
{
    return afn_dropout(b->g, x, chance(b, 0.2) ? 0 : 0.3f);
}

static afn_value random_add(builder *b, afn_value x)
{
    const afn_value y = pick_partner(b, x, true);
    return chance(b, 0.5) ? afn_add(b->g, x, y) : afn_add(b->g, y, x);
}

static afn_value random_concat(builder *b, afn_value x)
{
    const afn_value y = pick_partner(b, x, false), z = pick_partner(b, x, false);
    return afn_concat(b->g, 2 + pick(b, 2), (afn_value[]){ x, y, z });
}

static afn_value conv_norm(builder *b, afn_value x, int oc, int k, int stride)
{
    const afn_value y =
        afn_conv2d(b->g, x, next_name(b),
                   (afn_conv){ .oc = oc, .k = k, .pad = k / 2, .stride = stride });
    return random_norm(b, y);
}

/* conv-norm-relu-conv-norm, plus the input or a projection of it, often a ReLU. */
static afn_value random_residual(builder *b, afn_value x)
{
    const bool project = chance(b, 0.4);
    const int oc = project ? pick_channels(b) : (int)shape_of(b, x)->dim[0];
    const int stride = project ? 1 + pick(b, 2) : 1;
    afn_value y = conv_norm(b, x, pick_channels(b), 1, 1);
    y = random_act(b, y);
    y = conv_norm(b, y, oc, 3, stride);
    const afn_value s = project ? conv_norm(b, x, oc, 1, stride) : x;
    const afn_value sum = chance(b, 0.5) ? afn_add(b->g, y, s) : afn_add(b->g, s, y);
    return chance(b, 0.8) ? random_act(b, sum) : sum;
}

static afn_value random_layer(builder *b, afn_value x)
{
    static afn_value (*const layer[])(builder *, afn_value) = {
        random_conv,    random_conv, random_conv,     random_norm,   random_norm,
        random_act,     random_act,  random_act,      random_pool,   random_adaptive,
        random_dropout, random_add,  random_residual, random_concat, random_residual,
    };
    return layer[pick(b, (int)AFN_COUNT(layer))](b, x);
}

/* A classifier, or the bare value. */
static afn_value random_head(builder *b, afn_value x)
{
    if (chance(b, 0.2)) return x;
    afn_value y = chance(b, 0.5) ? afn_mean_hw(b->g, x) : afn_flatten(b->g, x);
    if (chance(b, 0.3)) {
        y = afn_linear(b->g, y, next_name(b), 1 + pick(b, 20));
        y = random_act(b, y);
        y = random_dropout(b, y);
    }
    return afn_linear(b->g, y, next_name(b), 1 + pick(b, 12));
}

afn_graph *random_graph(uint64_t seed, int size)
{
    builder b = { .r = afn_rng_new(seed, afn_rng_stream(AFN_RNG_TEST, 1, 0)) };
    const int c = pick_channels(&b), h = 1 + pick(&b, 14), w = 1 + pick(&b, 14);
    must(afn_graph_new(&b.g, chance(&b, 0.4) ? 3 : c, h, w), "random graph");
    b.value[b.n++] = afn_input(b.g);
    while (b.n <= size && b.n < MAX_VALUES) {
        const afn_value from = pick_value(&b);
        const afn_value y = random_layer(&b, from);
        if (y < 0) break; /* reported by finish */
        b.value[b.n++] = y;
    }
    const afn_value out = random_head(&b, b.value[b.n - 1]);
    must(afn_graph_finish(b.g, out), "random graph");
    return b.g;
}

/* Where the values of one parameter lie: the statistics of a trained network. */
static float random_value(afn_rng *r, const afn_param *d)
{
    switch (d->slot) {
    case AFN_RUNNING_VAR:
        return 0.5f + afn_rng_float(r);
    case AFN_WEIGHT:
        if (d->fan_in == 0) return 0.5f + afn_rng_float(r); /* of a norm, a scale */
        return (float)(afn_rng_normal(r) * sqrt(1.5 / (double)d->fan_in));
    default: /* bias, running mean */
        return (float)(afn_rng_normal(r) * 0.3);
    }
}

afn_params *random_params(const afn_graph *g, uint64_t seed)
{
    afn_params *p;
    must(afn_params_new(&p, g), "parameters");
    for (int i = 0; i < afn_params_count(p); i++) {
        afn_rng r = afn_rng_new(seed, afn_rng_stream(AFN_RNG_TEST, 2, (uint32_t)i));
        float *v = afn_params_f32(p, i);
        for (int64_t k = 0; v && k < afn_params_size(p, i); k++)
            v[k] = random_value(&r, afn_graph_param(g, i));
    }
    return p;
}
