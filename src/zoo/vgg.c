/* SPDX-License-Identifier: Apache-2.0 */
/* VGG with 11, 13, 16 and 19 layers, with and without batch norm.  Simonyan and
 * Zisserman 2014, https://arxiv.org/abs/1409.1556 (configurations A, B, D, E).
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include <stdio.h>

#include "zoo/family.h"

typedef struct vgg_config {
    int convs[5]; /* convolutions of each stage; a stage ends with a halving pool */
    bool norm;
} vgg_config;

/* "features.<n>": layers are numbered through, activations and pools included. */
static afn_value features(afn_graph *g, afn_value x, const vgg_config *v)
{
    static const int channels[5] = { 64, 128, 256, 512, 512 };
    int index = 0;
    for (int stage = 0; stage < 5; stage++) {
        for (int i = 0; i < v->convs[stage]; i++) {
            char name[32];
            snprintf(name, sizeof name, "features.%d", index++);
            x = afn_conv2d(
                g, x, name,
                (afn_conv){ .oc = channels[stage], .k = 3, .pad = 1, .bias = true });
            if (v->norm) {
                snprintf(name, sizeof name, "features.%d", index++);
                x = afn_batch_norm(g, x, name, (afn_bn){ 0 });
            }
            x = afn_relu(g, x);
            index++;
        }
        x = afn_max_pool(g, x, (afn_pool){ .k = 2 });
        index++;
    }
    return x;
}

static afn_value vgg(afn_graph *g, afn_value x, int classes, const void *config)
{
    afn_set_conv_init(g, (afn_init){ .rule = AFN_INIT_KAIMING_NORMAL });
    afn_set_linear_init(g, (afn_init){ .rule = AFN_INIT_NORMAL, .std = 0.01f });

    x = features(g, x, config);
    x = afn_adaptive_avg_pool(g, x, 7, 7);
    x = afn_flatten(g, x);

    afn_enter(g, "classifier");
    x = afn_linear(g, x, "0", 4096);
    x = afn_relu(g, x);
    x = afn_dropout(g, x, 0.5f);
    x = afn_linear(g, x, "3", 4096);
    x = afn_relu(g, x);
    x = afn_dropout(g, x, 0.5f);
    x = afn_linear(g, x, "6", classes);
    afn_leave(g);
    return x;
}

const afn_family afn_family_vgg = {
    .name = "vgg",
    .head = "classifier.6",
    .min_size = 32,
    .build = vgg,
    .variant = {
        { "vgg11", .config = &(const vgg_config){ { 1, 1, 2, 2, 2 }, .norm = false } },
        { "vgg13", .config = &(const vgg_config){ { 2, 2, 2, 2, 2 }, .norm = false } },
        { "vgg16", .config = &(const vgg_config){ { 2, 2, 3, 3, 3 }, .norm = false } },
        { "vgg19", .config = &(const vgg_config){ { 2, 2, 4, 4, 4 }, .norm = false } },
        { "vgg11_bn", .config = &(const vgg_config){ { 1, 1, 2, 2, 2 }, .norm = true } },
        { "vgg13_bn", .config = &(const vgg_config){ { 2, 2, 2, 2, 2 }, .norm = true } },
        { "vgg16_bn", .config = &(const vgg_config){ { 2, 2, 3, 3, 3 }, .norm = true } },
        { "vgg19_bn", .config = &(const vgg_config){ { 2, 2, 4, 4, 4 }, .norm = true } },
    },
};
