/* SPDX-License-Identifier: Apache-2.0 */
/* AlexNet, in the one-tower form.  Krizhevsky 2014, "One weird trick for parallelizing
 * convolutional neural networks", https://arxiv.org/abs/1404.5997.
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include "zoo/family.h"

static afn_value features(afn_graph *g, afn_value x)
{
    const afn_pool half = { .k = 3, .stride = 2 };

    afn_enter(g, "features");
    x = afn_conv_relu(
        g, x, "0",
        (afn_conv){ .oc = 64, .k = 11, .stride = 4, .pad = 2, .bias = true });
    x = afn_max_pool(g, x, half);
    x = afn_conv_relu(g, x, "3",
                      (afn_conv){ .oc = 192, .k = 5, .pad = 2, .bias = true });
    x = afn_max_pool(g, x, half);
    x = afn_conv_relu(g, x, "6",
                      (afn_conv){ .oc = 384, .k = 3, .pad = 1, .bias = true });
    x = afn_conv_relu(g, x, "8",
                      (afn_conv){ .oc = 256, .k = 3, .pad = 1, .bias = true });
    x = afn_conv_relu(g, x, "10",
                      (afn_conv){ .oc = 256, .k = 3, .pad = 1, .bias = true });
    x = afn_max_pool(g, x, half);
    afn_leave(g);
    return x;
}

static afn_value alexnet(afn_graph *g, afn_value x, int classes, const void *config)
{
    (void)config;
    x = features(g, x);
    x = afn_adaptive_avg_pool(g, x, 6, 6);
    x = afn_flatten(g, x);

    afn_enter(g, "classifier");
    x = afn_dropout(g, x, 0.5f);
    x = afn_linear(g, x, "1", 4096);
    x = afn_relu(g, x);
    x = afn_dropout(g, x, 0.5f);
    x = afn_linear(g, x, "4", 4096);
    x = afn_relu(g, x);
    x = afn_linear(g, x, "6", classes);
    afn_leave(g);
    return x;
}

const afn_family afn_family_alexnet = {
    .name = "alexnet",
    .head = "classifier.6",
    .min_size = 63,
    .build = alexnet,
    .variant = { { .name = "alexnet" } },
};
