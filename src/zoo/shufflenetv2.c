/* SPDX-License-Identifier: Apache-2.0 */
/* ShuffleNet V2.  Ma et al. 2018, https://arxiv.org/abs/1807.11164.
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include "zoo/family.h"

typedef struct shufflenet_config {
    int channels[3]; /* of each stage, both halves */
    int last;        /* of the 1x1 convolution at the end */
} shufflenet_config;

/* Convolution `conv` and batch norm `norm`, 1x1 to c channels with a ReLU. */
static afn_value pointwise(afn_graph *g, afn_value x, const char *conv,
                           const char *norm, int c)
{
    x = afn_conv2d(g, x, conv, (afn_conv){ .oc = c, .k = 1 });
    x = afn_batch_norm(g, x, norm, (afn_bn){ 0 });
    return afn_relu(g, x);
}

/* 3x3 within each of c channels, and its norm. */
static afn_value depthwise(afn_graph *g, afn_value x, const char *conv,
                           const char *norm, int c, int stride)
{
    x = afn_conv2d(
        g, x, conv,
        (afn_conv){ .oc = c, .k = 3, .stride = stride, .pad = 1, .groups = c });
    return afn_batch_norm(g, x, norm, (afn_bn){ 0 });
}

/* The branch of a unit that does the work: 1x1, 3x3 within channels, 1x1. */
static afn_value branch2(afn_graph *g, afn_value x, int c, int stride)
{
    afn_enter(g, "branch2");
    x = pointwise(g, x, "0", "1", c);
    x = depthwise(g, x, "3", "4", c, stride);
    x = pointwise(g, x, "5", "6", c);
    afn_leave(g);
    return x;
}

/* (oc,H,W) -> (oc,H,W): one half of the channels stays, the other goes round. */
static afn_value unit(afn_graph *g, afn_value x, int oc)
{
    const int c = oc / 2;
    const afn_value left = afn_slice(g, x, 0, c);
    afn_value right = afn_slice(g, x, c, c);
    right = branch2(g, right, c, 1);
    x = afn_concat(g, 2, (afn_value[]){ left, right });
    return afn_shuffle(g, x, 2);
}

/* (ic,H,W) -> (oc,H/2,W/2): all channels go both ways. */
static afn_value reduce(afn_graph *g, afn_value x, int ic, int oc)
{
    const int c = oc / 2;
    afn_enter(g, "branch1");
    afn_value left = depthwise(g, x, "0", "1", ic, 2);
    left = pointwise(g, left, "2", "3", c);
    afn_leave(g);
    const afn_value right = branch2(g, x, c, 2);
    x = afn_concat(g, 2, (afn_value[]){ left, right });
    return afn_shuffle(g, x, 2);
}

static afn_value shufflenetv2(afn_graph *g, afn_value x, int classes,
                              const void *config)
{
    static const int units[3] = { 4, 8, 4 };
    const shufflenet_config *v = config;
    int ic = 24;

    x = afn_conv2d(g, x, "conv1.0",
                   (afn_conv){ .oc = ic, .k = 3, .stride = 2, .pad = 1 });
    x = afn_batch_norm(g, x, "conv1.1", (afn_bn){ 0 });
    x = afn_relu(g, x);
    x = afn_max_pool(g, x, (afn_pool){ .k = 3, .stride = 2, .pad = 1 });
    for (int stage = 0; stage < 3; stage++) {
        const int oc = v->channels[stage];
        for (int i = 0; i < units[stage]; i++) {
            afn_enter(g, "stage%d.%d", stage + 2, i);
            x = i == 0 ? reduce(g, x, ic, oc) : unit(g, x, oc);
            afn_leave(g);
        }
        ic = oc;
    }
    x = pointwise(g, x, "conv5.0", "conv5.1", v->last);
    x = afn_mean_hw(g, x);
    return afn_linear(g, x, "fc", classes);
}

#define CONFIG(c, last) (&(const shufflenet_config){ { c, 2 * c, 4 * c }, last })

const afn_family afn_family_shufflenetv2 = {
    .name = "shufflenetv2",
    .head = "fc",
    .min_size = 1,
    .build = shufflenetv2,
    .variant = {
        { "shufflenet_v2_x0_5", .config = CONFIG(48, 1024) },
        { "shufflenet_v2_x1_0", .config = CONFIG(116, 1024) },
        { "shufflenet_v2_x1_5", .config = CONFIG(176, 1024) },
        { "shufflenet_v2_x2_0", .config = CONFIG(244, 2048) },
    },
};
