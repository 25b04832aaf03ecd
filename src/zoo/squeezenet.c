/* SPDX-License-Identifier: Apache-2.0 */
/* SqueezeNet 1.0 and 1.1.  Iandola et al. 2016, https://arxiv.org/abs/1602.07360; 1.1
 * is the authors' later version with earlier pools and 2.4 times less arithmetic.
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include "zoo/family.h"

enum { POOL = 0, ROWS = 10 };

/* A network is a stem and rows: a fire module of this many squeeze channels s (it
 * expands to 4s + 4s), or POOL.  "features.<n>" counts both, after the stem's three. */
typedef struct squeezenet_config {
    afn_conv stem;
    int row[ROWS];
} squeezenet_config;

/* Fire module, (C,H,W) -> (2e,H,W): squeeze to s channels, expand to e + e. */
static afn_value fire(afn_graph *g, afn_value x, int index, int s, int e)
{
    afn_enter(g, "features.%d", index);
    x = afn_conv_relu(g, x, "squeeze", (afn_conv){ .oc = s, .k = 1, .bias = true });
    const afn_value a =
        afn_conv_relu(g, x, "expand1x1", (afn_conv){ .oc = e, .k = 1, .bias = true });
    const afn_value b = afn_conv_relu(
        g, x, "expand3x3", (afn_conv){ .oc = e, .k = 3, .pad = 1, .bias = true });
    afn_leave(g);
    return afn_concat(g, 2, (afn_value[]){ a, b });
}

static afn_value squeezenet(afn_graph *g, afn_value x, int classes, const void *config)
{
    static const afn_init head = { .rule = AFN_INIT_NORMAL, .std = 0.01f };
    const afn_pool half = { .k = 3, .stride = 2, .ceil = true };
    const squeezenet_config *v = config;

    afn_set_conv_init(g, (afn_init){ .rule = AFN_INIT_KAIMING_UNIFORM });
    x = afn_conv_relu(g, x, "features.0", v->stem);
    x = afn_max_pool(g, x, half);
    for (int i = 0; i < ROWS; i++) {
        const int s = v->row[i];
        x = s == POOL ? afn_max_pool(g, x, half) : fire(g, x, 3 + i, s, 4 * s);
    }
    x = afn_dropout(g, x, 0.5f);
    x = afn_conv_relu(g, x, "classifier.1",
                      (afn_conv){ .oc = classes, .k = 1, .bias = true, .init = &head });
    return afn_mean_hw(g, x);
}

static const squeezenet_config squeezenet1_0 = {
    .stem = { .oc = 96, .k = 7, .stride = 2, .bias = true },
    .row = { 16, 16, 32, POOL, 32, 48, 48, 64, POOL, 64 },
};

static const squeezenet_config squeezenet1_1 = {
    .stem = { .oc = 64, .k = 3, .stride = 2, .bias = true },
    .row = { 16, 16, POOL, 32, 32, POOL, 48, 48, 64, 64 },
};

const afn_family afn_family_squeezenet = {
    .name = "squeezenet",
    .head = "classifier.1",
    .min_size = 17,
    .build = squeezenet,
    .variant = {
        { "squeezenet1_0", .config = &squeezenet1_0, .min_size = 21 },
        { "squeezenet1_1", .config = &squeezenet1_1 },
    },
};
