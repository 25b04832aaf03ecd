/* SPDX-License-Identifier: Apache-2.0 */
/* DenseNet-BC.  Huang et al. 2016, https://arxiv.org/abs/1608.06993.
 * Scopes and layer names spell torchvision's state_dict keys.  Its published files
 * write "norm.1" for norm1: src/weights/old_names.c knows. */
#include "zoo/family.h"

enum { MAX_LAYERS = 48 }; /* of a block */

typedef struct densenet_config {
    int growth; /* channels that a layer adds */
    int stem;   /* channels of the first convolution */
    int layers[4];
} densenet_config;

static afn_value bn_relu_conv(afn_graph *g, afn_value x, const char *bn,
                              const char *conv, afn_conv c)
{
    x = afn_batch_norm(g, x, bn, (afn_bn){ 0 });
    x = afn_relu(g, x);
    return afn_conv2d(g, x, conv, c);
}

/* (C,H,W) -> (C + layers * growth,H,W).  A layer reads all that came before it and adds
 * its own channels.  Each concatenation takes the parts and not the one before: so what
 * is kept for backward is the parts. */
static afn_value dense_block(afn_graph *g, afn_value x, int layers, int growth)
{
    afn_value part[1 + MAX_LAYERS] = { x };
    for (int i = 0; i < layers; i++) {
        x = i == 0 ? x : afn_concat(g, 1 + i, part);
        afn_enter(g, "denselayer%d", i + 1);
        x = bn_relu_conv(g, x, "norm1", "conv1",
                         (afn_conv){ .oc = 4 * growth, .k = 1 });
        x = bn_relu_conv(g, x, "norm2", "conv2",
                         (afn_conv){ .oc = growth, .k = 3, .pad = 1 });
        afn_leave(g);
        part[1 + i] = x;
    }
    return afn_concat(g, 1 + layers, part);
}

/* (C,H,W) -> (C/2,H/2,W/2) */
static afn_value transition(afn_graph *g, afn_value x, int c)
{
    x = bn_relu_conv(g, x, "norm", "conv", (afn_conv){ .oc = c / 2, .k = 1 });
    return afn_avg_pool(g, x, (afn_pool){ .k = 2 });
}

static afn_value densenet(afn_graph *g, afn_value x, int classes, const void *config)
{
    const densenet_config *v = config;
    int c = v->stem;

    afn_set_conv_init(g, (afn_init){ .rule = AFN_INIT_KAIMING_NORMAL_FAN_IN });
    afn_set_linear_init(g, (afn_init){ .rule = AFN_INIT_UNIFORM_FAN_IN });
    afn_enter(g, "features");
    x = afn_conv2d(g, x, "conv0", (afn_conv){ .oc = c, .k = 7, .stride = 2, .pad = 3 });
    x = afn_batch_norm(g, x, "norm0", (afn_bn){ 0 });
    x = afn_relu(g, x);
    x = afn_max_pool(g, x, (afn_pool){ .k = 3, .stride = 2, .pad = 1 });
    for (int b = 0; b < 4; b++) {
        afn_enter(g, "denseblock%d", b + 1);
        x = dense_block(g, x, v->layers[b], v->growth);
        afn_leave(g);
        c += v->layers[b] * v->growth;
        if (b == 3) break;
        afn_enter(g, "transition%d", b + 1);
        x = transition(g, x, c);
        afn_leave(g);
        c /= 2;
    }
    x = afn_batch_norm(g, x, "norm5", (afn_bn){ 0 });
    afn_leave(g);
    x = afn_relu(g, x);
    x = afn_mean_hw(g, x);
    return afn_linear(g, x, "classifier", classes);
}

#define DENSENET(growth, stem, ...)                                                    \
    (&(const densenet_config){ growth, stem, { __VA_ARGS__ } })

const afn_family afn_family_densenet = {
    .name = "densenet",
    .head = "classifier",
    .min_size = 29,
    .build = densenet,
    .variant = {
        { "densenet121", .config = DENSENET(32, 64, 6, 12, 24, 16) },
        { "densenet161", .config = DENSENET(48, 96, 6, 12, 36, 24) },
        { "densenet169", .config = DENSENET(32, 64, 6, 12, 32, 32) },
        { "densenet201", .config = DENSENET(32, 64, 6, 12, 48, 32) },
    },
};
