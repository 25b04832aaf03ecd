/* SPDX-License-Identifier: Apache-2.0 */
/* RegNet X and Y.  Radosavovic et al. 2020, https://arxiv.org/abs/2003.13678: widths,
 * depths and group widths are those of its tables, adjusted to whole groups.
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include "zoo/blocks.h"
#include "zoo/family.h"

typedef struct regnet_config {
    int group;     /* channels of a group, at most the stage's */
    int width[4];  /* channels of each stage */
    int blocks[4]; /* of each stage */
    bool squeeze;  /* squeeze-excitation: a Y */
} regnet_config;

static const afn_bn bn = { 0 };

/* The layers between shortcut and sum, (ic,H,W) -> (oc,H/stride,W/stride): 1x1, 3x3 in
 * groups, in a Y squeeze-excitation, 1x1. */
static afn_value transform(afn_graph *g, afn_value x, int ic, afn_conv grouped,
                           bool squeeze)
{
    static const afn_init init = { .rule = AFN_INIT_KAIMING_NORMAL, .bias = true };
    const afn_conv point = { .oc = grouped.oc, .k = 1 };

    afn_enter(g, "f");
    x = afn_zoo__conv_bn_act(g, x, "a", point, bn, AFN_ACT_RELU);
    x = afn_zoo__conv_bn_act(g, x, "b", grouped, bn, AFN_ACT_RELU);
    if (squeeze)
        x = afn_zoo__squeeze_excite(g, x, "se",
                                    (afn_squeeze){ .channels = ic / 4,
                                                   .inner = AFN_ACT_RELU,
                                                   .gate = AFN_ACT_SIGMOID,
                                                   .init = &init });
    x = afn_zoo__conv_bn(g, x, "c", point, bn);
    afn_leave(g);
    return x;
}

/* (ic,H,W) -> (oc,H/stride,W/stride) */
static afn_value block(afn_graph *g, afn_value x, int ic, afn_conv grouped,
                       bool squeeze)
{
    const afn_conv project = { .oc = grouped.oc, .k = 1, .stride = grouped.stride };
    afn_value shortcut = x;
    if (ic != grouped.oc || grouped.stride != 1)
        shortcut = afn_zoo__conv_bn(g, x, "proj", project, bn);
    x = transform(g, x, ic, grouped, squeeze);
    x = afn_add(g, x, shortcut);
    return afn_relu(g, x);
}

static afn_value regnet(afn_graph *g, afn_value x, int classes, const void *config)
{
    const regnet_config *v = config;
    int ic = 32;

    afn_set_conv_init(g, (afn_init){ .rule = AFN_INIT_KAIMING_NORMAL });
    afn_set_linear_init(g, (afn_init){ .rule = AFN_INIT_NORMAL, .std = 0.01f });
    x = afn_zoo__conv_bn_act(g, x, "stem",
                             (afn_conv){ .oc = ic, .k = 3, .stride = 2, .pad = 1 }, bn,
                             AFN_ACT_RELU);
    for (int s = 0; s < 4; s++) {
        const int oc = v->width[s];
        const int group = v->group < oc ? v->group : oc;
        for (int i = 0; i < v->blocks[s]; i++) {
            const afn_conv grouped = {
                .oc = oc, .k = 3, .stride = i ? 1 : 2, .pad = 1, .groups = oc / group
            };
            afn_enter(g, "trunk_output.block%d.block%d-%d", s + 1, s + 1, i);
            x = block(g, x, ic, grouped, v->squeeze);
            afn_leave(g);
            ic = oc;
        }
    }
    x = afn_mean_hw(g, x);
    return afn_linear(g, x, "fc", classes);
}

/* clang-format off */
#define X(group, w1, w2, w3, w4, b1, b2, b3, b4) \
    (&(const regnet_config){ group, { w1, w2, w3, w4 }, { b1, b2, b3, b4 }, false })
#define Y(group, w1, w2, w3, w4, b1, b2, b3, b4) \
    (&(const regnet_config){ group, { w1, w2, w3, w4 }, { b1, b2, b3, b4 }, true })

const afn_family afn_family_regnet = {
    .name = "regnet",
    .head = "fc",
    .min_size = 1,
    .build = regnet,
    .variant = {
        /*                             group   channels of a stage   its blocks */
        { "regnet_x_400mf", .config = X(16,    32, 64, 160, 400,     1, 2, 7, 12) },
        { "regnet_x_800mf", .config = X(16,    64, 128, 288, 672,    1, 3, 7, 5) },
        { "regnet_x_1_6gf", .config = X(24,    72, 168, 408, 912,    2, 4, 10, 2) },
        { "regnet_x_3_2gf", .config = X(48,    96, 192, 432, 1008,   2, 6, 15, 2) },
        { "regnet_x_8gf",   .config = X(120,   80, 240, 720, 1920,   2, 5, 15, 1) },
        { "regnet_x_16gf",  .config = X(128,   256, 512, 896, 2048,  2, 6, 13, 1) },
        { "regnet_x_32gf",  .config = X(168,   336, 672, 1344, 2520, 2, 7, 13, 1) },
        { "regnet_y_400mf", .config = Y(8,     48, 104, 208, 440,    1, 3, 6, 6) },
        { "regnet_y_800mf", .config = Y(16,    64, 144, 320, 784,    1, 3, 8, 2) },
        { "regnet_y_1_6gf", .config = Y(24,    48, 120, 336, 888,    2, 6, 17, 2) },
        { "regnet_y_3_2gf", .config = Y(24,    72, 216, 576, 1512,   2, 5, 13, 1) },
        { "regnet_y_8gf",   .config = Y(56,    224, 448, 896, 2016,  2, 4, 10, 1) },
        { "regnet_y_16gf",  .config = Y(112,   224, 448, 1232, 3024, 2, 4, 11, 1) },
        { "regnet_y_32gf",  .config = Y(232,   232, 696, 1392, 3712, 2, 5, 12, 1) },
        { "regnet_y_128gf", .config = Y(264,   528, 1056, 2904, 7392, 2, 7, 17, 1) },
    },
};
/* clang-format on */
