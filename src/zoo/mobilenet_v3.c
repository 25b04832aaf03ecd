/* SPDX-License-Identifier: Apache-2.0 */
/* MobileNet V3, large and small.  Howard et al. 2019, https://arxiv.org/abs/1905.02244.
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include <stdio.h>

#include "zoo/blocks.h"
#include "zoo/family.h"

enum { MAX_BLOCKS = 15, STEM = 16 };

static const afn_bn bn = { .eps = 0.001f, .momentum = 0.01f };

/* A row of the paper's tables 1 and 2. */
typedef struct block {
    int k;     /* 0 = no more blocks */
    int inner; /* channels between expansion and projection */
    int oc;
    bool squeeze;
    afn_act act;
    int stride;
} block;

typedef struct mobilenet_v3_config {
    block block[MAX_BLOCKS];
    int hidden; /* outputs of the first linear layer */
} mobilenet_v3_config;

/* Inverted residual, (ic,H,W) -> (oc,H/stride,W/stride): 1x1 to expand, k x k within
 * each channel, squeeze-excitation, 1x1 down without activation; the input is added
 * where the shape stays.  "block.<n>" counts the layers that there are. */
static afn_value inverted_residual(afn_graph *g, afn_value x, int ic, const block *b)
{
    static const char *const layer[] = { "0", "1", "2", "3" };
    const afn_conv depthwise = { .oc = b->inner,
                                 .k = b->k,
                                 .stride = b->stride,
                                 .pad = b->k / 2,
                                 .groups = b->inner };
    const afn_squeeze squeeze = { .channels = afn_zoo__scale_channels(b->inner / 4, 1),
                                  .inner = AFN_ACT_RELU,
                                  .gate = AFN_ACT_HARDSIGMOID };
    afn_value y = x;
    int n = 0;

    if (b->inner != ic)
        y = afn_zoo__conv_bn_act(g, y, layer[n++], (afn_conv){ .oc = b->inner, .k = 1 },
                                 bn, b->act);
    y = afn_zoo__conv_bn_act(g, y, layer[n++], depthwise, bn, b->act);
    if (b->squeeze) y = afn_zoo__squeeze_excite(g, y, layer[n++], squeeze);
    y = afn_zoo__conv_bn(g, y, layer[n], (afn_conv){ .oc = b->oc, .k = 1 }, bn);
    return b->stride == 1 && b->oc == ic ? afn_add(g, y, x) : y;
}

static afn_value mobilenet_v3(afn_graph *g, afn_value x, int classes,
                              const void *config)
{
    const mobilenet_v3_config *v = config;
    const afn_conv stem = { .oc = STEM, .k = 3, .stride = 2, .pad = 1 };
    char last[32];
    int ic = STEM, n = 0;

    afn_set_conv_init(g, (afn_init){ .rule = AFN_INIT_KAIMING_NORMAL });
    afn_set_linear_init(g, (afn_init){ .rule = AFN_INIT_NORMAL, .std = 0.01f });
    x = afn_zoo__conv_bn_act(g, x, "features.0", stem, bn, AFN_ACT_HARDSWISH);
    for (; n < MAX_BLOCKS && v->block[n].k; n++) {
        afn_enter(g, "features.%d.block", 1 + n);
        x = inverted_residual(g, x, ic, &v->block[n]);
        afn_leave(g);
        ic = v->block[n].oc;
    }
    snprintf(last, sizeof last, "features.%d", 1 + n);
    x = afn_zoo__conv_bn_act(g, x, last, (afn_conv){ .oc = 6 * ic, .k = 1 }, bn,
                             AFN_ACT_HARDSWISH);
    x = afn_mean_hw(g, x);
    x = afn_linear(g, x, "classifier.0", v->hidden);
    x = afn_activation(g, x, AFN_ACT_HARDSWISH);
    x = afn_dropout(g, x, 0.2f);
    return afn_linear(g, x, "classifier.3", classes);
}

#define RE AFN_ACT_RELU
#define HS AFN_ACT_HARDSWISH

static const mobilenet_v3_config large = {
    .hidden = 1280,
    .block = {
        { 3, 16, 16, false, RE, 1 },   { 3, 64, 24, false, RE, 2 },
        { 3, 72, 24, false, RE, 1 },   { 5, 72, 40, true, RE, 2 },
        { 5, 120, 40, true, RE, 1 },   { 5, 120, 40, true, RE, 1 },
        { 3, 240, 80, false, HS, 2 },  { 3, 200, 80, false, HS, 1 },
        { 3, 184, 80, false, HS, 1 },  { 3, 184, 80, false, HS, 1 },
        { 3, 480, 112, true, HS, 1 },  { 3, 672, 112, true, HS, 1 },
        { 5, 672, 160, true, HS, 2 },  { 5, 960, 160, true, HS, 1 },
        { 5, 960, 160, true, HS, 1 },
    },
};

static const mobilenet_v3_config small = {
    .hidden = 1024,
    .block = {
        { 3, 16, 16, true, RE, 2 },  { 3, 72, 24, false, RE, 2 },
        { 3, 88, 24, false, RE, 1 }, { 5, 96, 40, true, HS, 2 },
        { 5, 240, 40, true, HS, 1 }, { 5, 240, 40, true, HS, 1 },
        { 5, 120, 48, true, HS, 1 }, { 5, 144, 48, true, HS, 1 },
        { 5, 288, 96, true, HS, 2 }, { 5, 576, 96, true, HS, 1 },
        { 5, 576, 96, true, HS, 1 },
    },
};

const afn_family afn_family_mobilenet_v3 = {
    .name = "mobilenet_v3",
    .head = "classifier.3",
    .min_size = 1,
    .build = mobilenet_v3,
    .variant = {
        { "mobilenet_v3_large", .config = &large },
        { "mobilenet_v3_small", .config = &small },
    },
};
