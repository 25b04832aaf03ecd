/* SPDX-License-Identifier: Apache-2.0 */
/* GoogLeNet (Inception v1) with batch norm.  Szegedy et al. 2014,
 * https://arxiv.org/abs/1409.4842.  Scopes and layer names spell torchvision's
 * state_dict keys: its .pth loads as is.  As there, what the paper calls the 5x5
 * branch is 3x3 (torchvision issue 906). */
#include "zoo/family.h"

/* Output channels of the four branches, and what two of them are reduced to first. */
typedef struct inception {
    const char *name;
    int one, reduce3, three, reduce5, five, pooled;
} inception;

/* torchvision cuts the normal distribution at 2, which is 200 deviations. */
static const afn_init start = { .rule = AFN_INIT_NORMAL, .std = 0.01f, .bias = true };

static afn_value conv(afn_graph *g, afn_value x, const char *name, afn_conv c)
{
    afn_enter(g, "%s", name);
    x = afn_conv2d(g, x, "conv", c);
    x = afn_batch_norm(g, x, "bn", (afn_bn){ .eps = 1e-3f });
    afn_leave(g);
    return afn_relu(g, x);
}

static afn_value block(afn_graph *g, afn_value x, const inception *v)
{
    const afn_pool same = { .k = 3, .stride = 1, .pad = 1, .ceil = true };
    afn_enter(g, "%s", v->name);
    const afn_value a = conv(g, x, "branch1", (afn_conv){ .oc = v->one, .k = 1 });
    afn_value b = conv(g, x, "branch2.0", (afn_conv){ .oc = v->reduce3, .k = 1 });
    b = conv(g, b, "branch2.1", (afn_conv){ .oc = v->three, .k = 3, .pad = 1 });
    afn_value c = conv(g, x, "branch3.0", (afn_conv){ .oc = v->reduce5, .k = 1 });
    c = conv(g, c, "branch3.1", (afn_conv){ .oc = v->five, .k = 3, .pad = 1 });
    afn_value d = afn_max_pool(g, x, same);
    d = conv(g, d, "branch4.1", (afn_conv){ .oc = v->pooled, .k = 1 });
    afn_leave(g);
    return afn_concat(g, 4, (afn_value[]){ a, b, c, d });
}

/* A classifier of its own on a value in the middle. */
static afn_value aux(afn_graph *g, afn_value x, const char *name, int classes)
{
    afn_enter(g, "%s", name);
    x = afn_adaptive_avg_pool(g, x, 4, 4);
    x = conv(g, x, "conv", (afn_conv){ .oc = 128, .k = 1 });
    x = afn_flatten(g, x);
    x = afn_linear(g, x, "fc1", 1024);
    x = afn_relu(g, x);
    x = afn_dropout(g, x, 0.7f);
    x = afn_linear(g, x, "fc2", classes);
    afn_leave(g);
    return x;
}

static afn_value stem(afn_graph *g, afn_value x)
{
    const afn_pool half = { .k = 3, .stride = 2, .ceil = true };
    x = conv(g, x, "conv1", (afn_conv){ .oc = 64, .k = 7, .stride = 2, .pad = 3 });
    x = afn_max_pool(g, x, half);
    x = conv(g, x, "conv2", (afn_conv){ .oc = 64, .k = 1 });
    x = conv(g, x, "conv3", (afn_conv){ .oc = 192, .k = 3, .pad = 1 });
    return afn_max_pool(g, x, half);
}

static afn_value googlenet(afn_graph *g, afn_value x, int classes, const void *config)
{
    enum { BLOCKS = 9, A4 = 2, D4 = 5 }; /* the two that auxiliary classifiers read */
    static const inception table[BLOCKS] = {
        { "inception3a", 64, 96, 128, 16, 32, 32 },
        { "inception3b", 128, 128, 192, 32, 96, 64 },
        { "inception4a", 192, 96, 208, 16, 48, 64 },
        { "inception4b", 160, 112, 224, 24, 64, 64 },
        { "inception4c", 128, 128, 256, 24, 64, 64 },
        { "inception4d", 112, 144, 288, 32, 64, 64 },
        { "inception4e", 256, 160, 320, 32, 128, 128 },
        { "inception5a", 256, 160, 320, 32, 128, 128 },
        { "inception5b", 384, 192, 384, 48, 128, 128 },
    };
    afn_value made[BLOCKS];

    (void)config;
    afn_set_conv_init(g, start);
    afn_set_linear_init(g, start);
    x = stem(g, x);
    for (int i = 0; i < BLOCKS; i++) {
        x = made[i] = block(g, x, &table[i]);
        if (i == 1)
            x = afn_max_pool(g, x, (afn_pool){ .k = 3, .stride = 2, .ceil = true });
        if (i == 6)
            x = afn_max_pool(g, x, (afn_pool){ .k = 2, .stride = 2, .ceil = true });
    }
    afn_aux side[2] = { { .weight = 0.3f }, { .weight = 0.3f } };
    const bool with_aux = afn_graph_makes_aux(g);
    if (with_aux) {
        side[0].logits = aux(g, made[A4], "aux1", classes);
        side[1].logits = aux(g, made[D4], "aux2", classes);
    }
    x = afn_mean_hw(g, x);
    x = afn_dropout(g, x, 0.2f);
    x = afn_linear(g, x, "fc", classes);
    return afn_outputs(g, x, with_aux ? 2 : 0, side);
}

const afn_family afn_family_googlenet = {
    .name = "googlenet",
    .head = "fc",
    .min_size = 15,
    .aux = { { "aux1", "aux1.fc2" }, { "aux2", "aux2.fc2" } },
    .signed_pixels = true,
    .build = googlenet,
    .variant = { { .name = "googlenet" } },
};
