/* SPDX-License-Identifier: Apache-2.0 */
/* EfficientNet B0 to B7 and V2.  Tan and Le 2019, https://arxiv.org/abs/1905.11946, and
 * 2021, https://arxiv.org/abs/2104.00298.
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include <math.h>
#include <stdio.h>

#include "zoo/blocks.h"
#include "zoo/family.h"

enum { MAX_STAGES = 7 };

/* A row of table 1 of the first paper, table 4 of the second. */
typedef struct stage {
    bool fused; /* one k x k convolution expands, where else 1x1 and depthwise do */
    int expand; /* inner channels are this many times the input's */
    int k, stride;
    int oc, blocks;
} stage;

typedef struct efficientnet_config {
    int stem;            /* channels of the first convolution */
    const stage *stage;  /* [MAX_STAGES], ends with 0 blocks */
    int last;            /* channels of the last; 0 = 4 times its input's */
    double width, depth; /* of all channels, of the blocks of each stage */
    float dropout;
    afn_bn bn;
} efficientnet_config;

/* (ic,H,W) -> (oc,H/stride,W/stride): 1x1 to expand, k x k within each channel,
 * squeeze-excitation, 1x1 down without activation. */
static afn_value mbconv(afn_graph *g, afn_value x, int ic, const stage *s, afn_bn bn)
{
    static const char *const layer[] = { "0", "1", "2", "3" };
    const int inner = afn_zoo__scale_channels(ic, s->expand);
    const afn_conv depthwise = {
        .oc = inner, .k = s->k, .stride = s->stride, .pad = s->k / 2, .groups = inner
    };
    const afn_squeeze squeeze = { .channels = ic / 4,
                                  .inner = AFN_ACT_SILU,
                                  .gate = AFN_ACT_SIGMOID };
    int n = 0;

    if (inner != ic)
        x = afn_zoo__conv_bn_act(g, x, layer[n++], (afn_conv){ .oc = inner, .k = 1 },
                                 bn, AFN_ACT_SILU);
    x = afn_zoo__conv_bn_act(g, x, layer[n++], depthwise, bn, AFN_ACT_SILU);
    x = afn_zoo__squeeze_excite(g, x, layer[n++], squeeze);
    return afn_zoo__conv_bn(g, x, layer[n], (afn_conv){ .oc = s->oc, .k = 1 }, bn);
}

/* The same shapes: k x k to expand, 1x1 down; k x k alone where nothing expands. */
static afn_value fused_mbconv(afn_graph *g, afn_value x, int ic, const stage *s,
                              afn_bn bn)
{
    const int inner = afn_zoo__scale_channels(ic, s->expand);
    afn_conv spatial = { .oc = inner, .k = s->k, .stride = s->stride, .pad = s->k / 2 };
    if (inner == ic) spatial.oc = s->oc;
    x = afn_zoo__conv_bn_act(g, x, "0", spatial, bn, AFN_ACT_SILU);
    if (inner == ic) return x;
    return afn_zoo__conv_bn(g, x, "1", (afn_conv){ .oc = s->oc, .k = 1 }, bn);
}

static afn_value block(afn_graph *g, afn_value x, int ic, const stage *s, afn_bn bn,
                       float drop)
{
    const bool residual = s->stride == 1 && s->oc == ic;
    afn_value y = s->fused ? fused_mbconv(g, x, ic, s, bn) : mbconv(g, x, ic, s, bn);
    if (!residual) return y;
    if (drop > 0) y = afn_stochastic_depth(g, y, drop);
    return afn_add(g, y, x);
}

/* The stages of a variant, scaled; the number of all their blocks. */
static int scale_stages(stage out[MAX_STAGES], const efficientnet_config *v)
{
    int blocks = 0;
    for (int i = 0; i < MAX_STAGES; i++) {
        out[i] = v->stage[i];
        out[i].oc = afn_zoo__scale_channels(out[i].oc, v->width);
        out[i].blocks = (int)ceil(out[i].blocks * v->depth);
        blocks += out[i].blocks;
    }
    return blocks;
}

/* Stochastic depth grows evenly from 0 at the first block towards 0.2. */
static afn_value efficientnet(afn_graph *g, afn_value x, int classes,
                              const void *config)
{
    const efficientnet_config *v = config;
    stage stages[MAX_STAGES];
    const int blocks = scale_stages(stages, v);
    int ic = afn_zoo__scale_channels(v->stem, v->width), n = 0, index = 1;
    char last[32];

    afn_set_conv_init(g, (afn_init){ .rule = AFN_INIT_KAIMING_NORMAL });
    afn_set_linear_init(g, (afn_init){ .rule = AFN_INIT_UNIFORM_FAN_OUT, .std = 1 });
    x = afn_zoo__conv_bn_act(g, x, "features.0",
                             (afn_conv){ .oc = ic, .k = 3, .stride = 2, .pad = 1 },
                             v->bn, AFN_ACT_SILU);
    for (; index <= MAX_STAGES && stages[index - 1].blocks; index++) {
        stage s = stages[index - 1];
        for (int i = 0; i < stages[index - 1].blocks; i++, n++) {
            afn_enter(g, "features.%d.%d.block", index, i);
            x = block(g, x, ic, &s, v->bn, (float)(0.2 * n / blocks));
            afn_leave(g);
            ic = s.oc;
            s.stride = 1;
        }
    }
    snprintf(last, sizeof last, "features.%d", index);
    x = afn_zoo__conv_bn_act(g, x, last,
                             (afn_conv){ .oc = v->last ? v->last : 4 * ic, .k = 1 },
                             v->bn, AFN_ACT_SILU);
    x = afn_mean_hw(g, x);
    x = afn_dropout(g, x, v->dropout);
    return afn_linear(g, x, "classifier.1", classes);
}

static const stage b_stages[MAX_STAGES] = {
    { false, 1, 3, 1, 16, 1 },  { false, 6, 3, 2, 24, 2 },  { false, 6, 5, 2, 40, 2 },
    { false, 6, 3, 2, 80, 3 },  { false, 6, 5, 1, 112, 3 }, { false, 6, 5, 2, 192, 4 },
    { false, 6, 3, 1, 320, 1 },
};

static const stage s_stages[MAX_STAGES] = {
    { true, 1, 3, 1, 24, 2 },   { true, 4, 3, 2, 48, 4 },   { true, 4, 3, 2, 64, 4 },
    { false, 4, 3, 2, 128, 6 }, { false, 6, 3, 1, 160, 9 }, { false, 6, 3, 2, 256, 15 },
};

static const stage m_stages[MAX_STAGES] = {
    { true, 1, 3, 1, 24, 3 },    { true, 4, 3, 2, 48, 5 },
    { true, 4, 3, 2, 80, 5 },    { false, 4, 3, 2, 160, 7 },
    { false, 6, 3, 1, 176, 14 }, { false, 6, 3, 2, 304, 18 },
    { false, 6, 3, 1, 512, 5 },
};

static const stage l_stages[MAX_STAGES] = {
    { true, 1, 3, 1, 32, 4 },    { true, 4, 3, 2, 64, 7 },
    { true, 4, 3, 2, 96, 7 },    { false, 4, 3, 2, 192, 10 },
    { false, 6, 3, 1, 224, 19 }, { false, 6, 3, 2, 384, 25 },
    { false, 6, 3, 1, 640, 7 },
};

#define USUAL                                                                          \
    {                                                                                  \
        .eps = 1e-5f, .momentum = 0.1f                                                 \
    }
#define TENSORFLOW                                                                     \
    {                                                                                  \
        .eps = 0.001f, .momentum = 0.01f                                               \
    }
#define B(width, depth, dropout, ...)                                                  \
    (&(const efficientnet_config){ 32, b_stages, 0, width, depth, dropout,             \
                                   __VA_ARGS__ })
#define V2(stem, stages, dropout)                                                      \
    (&(const efficientnet_config){                                                     \
        stem, stages, 1280, 1, 1, dropout, { .eps = 0.001f } })

const afn_family afn_family_efficientnet = {
    .name = "efficientnet",
    .head = "classifier.1",
    .min_size = 1,
    .build = efficientnet,
    .variant = {
        { "efficientnet_b0", .config = B(1.0, 1.0, 0.2f, USUAL) },
        { "efficientnet_b1", .config = B(1.0, 1.1, 0.2f, USUAL) },
        { "efficientnet_b2", .config = B(1.1, 1.2, 0.3f, USUAL) },
        { "efficientnet_b3", .config = B(1.2, 1.4, 0.3f, USUAL) },
        { "efficientnet_b4", .config = B(1.4, 1.8, 0.4f, USUAL) },
        { "efficientnet_b5", .config = B(1.6, 2.2, 0.4f, TENSORFLOW) },
        { "efficientnet_b6", .config = B(1.8, 2.6, 0.5f, TENSORFLOW) },
        { "efficientnet_b7", .config = B(2.0, 3.1, 0.5f, TENSORFLOW) },
        { "efficientnet_v2_s", .config = V2(24, s_stages, 0.2f) },
        { "efficientnet_v2_m", .config = V2(24, m_stages, 0.3f) },
        { "efficientnet_v2_l", .config = V2(32, l_stages, 0.4f) },
    },
};
