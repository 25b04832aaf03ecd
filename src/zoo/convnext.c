/* SPDX-License-Identifier: Apache-2.0 */
/* ConvNeXt.  Liu et al. 2022, https://arxiv.org/abs/2201.03545.  Norms are over the
 * channels of each pixel, linear layers act on them too, so that a block is a 7x7
 * convolution within channels and a small network on every pixel.
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include "zoo/family.h"

static const float eps = 1e-6f, first_scale = 1e-6f;

typedef struct convnext_config {
    int channels[4], blocks[4]; /* of each stage */
    float depth_drop;           /* stochastic depth of the last block; grows from 0 */
} convnext_config;

/* (c,H,W) -> (c,H,W): x + layer scale of what the branch makes of it. */
static afn_value block(afn_graph *g, afn_value x, int c, float drop)
{
    const afn_conv depthwise = { .oc = c, .k = 7, .pad = 3, .groups = c, .bias = true };
    const afn_declared scale = afn_declare_scale(g, "layer_scale", c, first_scale);
    afn_value y = afn_conv2d(g, x, "block.0", depthwise);
    y = afn_layer_norm(g, y, "block.2", eps);
    y = afn_linear_channels(g, y, "block.3", 4 * c);
    y = afn_activation(g, y, AFN_ACT_GELU);
    y = afn_linear_channels(g, y, "block.5", c);
    y = afn_layer_scale(g, y, scale);
    y = afn_stochastic_depth(g, y, drop);
    return afn_add(g, y, x);
}

/* (C,H,W) -> (c,H/2,W/2) */
static afn_value downsample(afn_graph *g, afn_value x, int c)
{
    x = afn_layer_norm(g, x, "0", eps);
    return afn_conv2d(g, x, "1",
                      (afn_conv){ .oc = c, .k = 2, .stride = 2, .bias = true });
}

static afn_value convnext(afn_graph *g, afn_value x, int classes, const void *config)
{
    const convnext_config *v = config;
    const afn_init normal = { .rule = AFN_INIT_NORMAL, .std = 0.02f };
    const int all = v->blocks[0] + v->blocks[1] + v->blocks[2] + v->blocks[3];
    int at = 0; /* blocks so far */

    afn_set_conv_init(g, normal); /* cut off at 100 deviations in the original */
    afn_set_linear_init(g, normal);
    x = afn_conv2d(
        g, x, "features.0.0",
        (afn_conv){ .oc = v->channels[0], .k = 4, .stride = 4, .bias = true });
    x = afn_layer_norm(g, x, "features.0.1", eps);
    for (int stage = 0; stage < 4; stage++) {
        const int c = v->channels[stage];
        if (stage > 0) {
            afn_enter(g, "features.%d", 2 * stage);
            x = downsample(g, x, c);
            afn_leave(g);
        }
        for (int i = 0; i < v->blocks[stage]; i++, at++) {
            afn_enter(g, "features.%d.%d", 2 * stage + 1, i);
            x = block(g, x, c, v->depth_drop * (float)at / (float)(all - 1));
            afn_leave(g);
        }
    }
    x = afn_mean_hw(g, x);
    x = afn_layer_norm(g, x, "classifier.0", eps);
    return afn_linear(g, x, "classifier.2", classes);
}

#define CONFIG(drop, c, n)                                                             \
    (&(const convnext_config){ .channels = { c, 2 * c, 4 * c, 8 * c },                 \
                               .blocks = { 3, 3, n, 3 },                               \
                               .depth_drop = drop })

const afn_family afn_family_convnext = {
    .name = "convnext",
    .head = "classifier.2",
    .min_size = 32,
    .build = convnext,
    .variant = {
        { "convnext_tiny", .config = CONFIG(0.1f, 96, 9) },
        { "convnext_small", .config = CONFIG(0.4f, 96, 27) },
        { "convnext_base", .config = CONFIG(0.5f, 128, 27) },
        { "convnext_large", .config = CONFIG(0.5f, 192, 27) },
    },
};
