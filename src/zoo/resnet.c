/* SPDX-License-Identifier: Apache-2.0 */
/* ResNet, ResNeXt and Wide ResNet.  He et al. 2015, https://arxiv.org/abs/1512.03385;
 * Xie et al. 2016, https://arxiv.org/abs/1611.05431; Zagoruyko and Komodakis 2016,
 * https://arxiv.org/abs/1605.07146.  As torchvision's version 1.5: a bottleneck strides
 * in its 3x3 convolution, not in its first 1x1.
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include "zoo/family.h"

typedef struct resnet_config {
    int blocks[4];   /* of each stage */
    bool bottleneck; /* 1x1, 3x3, 1x1 with 4 times the channels; else 3x3, 3x3 */
    int widen;       /* inner channels of a bottleneck are this many times as many */
    int groups;      /* of its 3x3 */
} resnet_config;

static afn_value conv_bn(afn_graph *g, afn_value x, const char *conv, const char *bn,
                         afn_conv c)
{
    x = afn_conv2d(g, x, conv, c);
    return afn_batch_norm(g, x, bn, (afn_bn){ 0 });
}

/* Ends a block: y + x, where x is brought to y's shape if it has to change. */
static afn_value add_shortcut(afn_graph *g, afn_value y, afn_value x, bool project,
                              afn_conv shape)
{
    if (project) x = conv_bn(g, x, "downsample.0", "downsample.1", shape);
    y = afn_add(g, y, x);
    return afn_relu(g, y);
}

/* (C,H,W) -> (c,H/stride,W/stride) */
static afn_value basic(afn_graph *g, afn_value x, int c, int stride, bool project)
{
    afn_value y = conv_bn(g, x, "conv1", "bn1",
                          (afn_conv){ .oc = c, .k = 3, .stride = stride, .pad = 1 });
    y = afn_relu(g, y);
    y = conv_bn(g, y, "conv2", "bn2", (afn_conv){ .oc = c, .k = 3, .pad = 1 });
    return add_shortcut(g, y, x, project,
                        (afn_conv){ .oc = c, .k = 1, .stride = stride });
}

/* (C,H,W) -> (4c,H/stride,W/stride) through a 3x3 of fewer channels */
static afn_value bottleneck(afn_graph *g, afn_value x, int c, afn_conv inner,
                            bool project)
{
    const int stride = inner.stride;
    afn_value y = conv_bn(g, x, "conv1", "bn1", (afn_conv){ .oc = inner.oc, .k = 1 });
    y = afn_relu(g, y);
    y = conv_bn(g, y, "conv2", "bn2", inner);
    y = afn_relu(g, y);
    y = conv_bn(g, y, "conv3", "bn3", (afn_conv){ .oc = 4 * c, .k = 1 });
    return add_shortcut(g, y, x, project,
                        (afn_conv){ .oc = 4 * c, .k = 1, .stride = stride });
}

static afn_value resnet(afn_graph *g, afn_value x, int classes, const void *config)
{
    const resnet_config *v = config;

    afn_set_conv_init(g, (afn_init){ .rule = AFN_INIT_KAIMING_NORMAL });
    x = conv_bn(g, x, "conv1", "bn1",
                (afn_conv){ .oc = 64, .k = 7, .stride = 2, .pad = 3 });
    x = afn_relu(g, x);
    x = afn_max_pool(g, x, (afn_pool){ .k = 3, .stride = 2, .pad = 1 });
    for (int stage = 0; stage < 4; stage++) {
        const int c = 64 << stage;
        for (int i = 0; i < v->blocks[stage]; i++) {
            const int stride = stage > 0 && i == 0 ? 2 : 1;
            const bool project = i == 0 && (stage > 0 || v->bottleneck);
            const afn_conv inner = { .oc = c * v->widen,
                                     .k = 3,
                                     .stride = stride,
                                     .pad = 1,
                                     .groups = v->groups };
            afn_enter(g, "layer%d.%d", stage + 1, i);
            x = v->bottleneck ? bottleneck(g, x, c, inner, project)
                              : basic(g, x, c, stride, project);
            afn_leave(g);
        }
    }
    x = afn_mean_hw(g, x);
    return afn_linear(g, x, "fc", classes);
}

#define BASIC(...)      (&(const resnet_config){ { __VA_ARGS__ }, false, 1, 1 })
#define BOTTLENECK(...) (&(const resnet_config){ { __VA_ARGS__ }, true, 1, 1 })
#define TWICE_WIDE(...) (&(const resnet_config){ { __VA_ARGS__ }, true, 2, 1 })
/* ResNeXt's names say groups and the channels of each, in layer1. */
#define GROUPED(groups, width, ...)                                                    \
    (&(const resnet_config){ { __VA_ARGS__ }, true, (groups) * (width) / 64, groups })

const afn_family afn_family_resnet = {
    .name = "resnet",
    .head = "fc",
    .min_size = 1,
    .build = resnet,
    .variant = {
        { "resnet18", .config = BASIC(2, 2, 2, 2) },
        { "resnet34", .config = BASIC(3, 4, 6, 3) },
        { "resnet50", .config = BOTTLENECK(3, 4, 6, 3) },
        { "resnet101", .config = BOTTLENECK(3, 4, 23, 3) },
        { "resnet152", .config = BOTTLENECK(3, 8, 36, 3) },
        { "resnext50_32x4d", .config = GROUPED(32, 4, 3, 4, 6, 3) },
        { "resnext101_32x8d", .config = GROUPED(32, 8, 3, 4, 23, 3) },
        { "resnext101_64x4d", .config = GROUPED(64, 4, 3, 4, 23, 3) },
        { "wide_resnet50_2", .config = TWICE_WIDE(3, 4, 6, 3) },
        { "wide_resnet101_2", .config = TWICE_WIDE(3, 4, 23, 3) },
    },
};
