/* SPDX-License-Identifier: Apache-2.0 */
/* Inception v3.  Szegedy et al. 2015, https://arxiv.org/abs/1512.00567.  Scopes and
 * layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include "zoo/family.h"

/* torchvision cuts the normal distribution at 2, which is 20 deviations. */
static const afn_init start = { .rule = AFN_INIT_NORMAL, .std = 0.1f, .bias = true };

static const afn_pool mean_3x3 = { .k = 3, .stride = 1, .pad = 1 };
static const afn_pool max_half = { .k = 3, .stride = 2 };

static afn_value conv(afn_graph *g, afn_value x, const char *name, afn_conv c)
{
    afn_enter(g, "%s", name);
    x = afn_conv2d(g, x, "conv", c);
    x = afn_batch_norm(g, x, "bn", (afn_bn){ .eps = 1e-3f });
    afn_leave(g);
    return afn_relu(g, x);
}

static afn_conv square(int oc, int k)
{
    return (afn_conv){ .oc = oc, .k = k, .pad = k / 2 };
}

static afn_conv half(int oc)
{
    return (afn_conv){ .oc = oc, .k = 3, .stride = 2 };
}

/* A row or column of k pixels. */
static afn_conv row(int oc, int k)
{
    return (afn_conv){ .oc = oc, .kh = 1, .kw = k, .pw = k / 2 };
}

static afn_conv column(int oc, int k)
{
    return (afn_conv){ .oc = oc, .kh = k, .kw = 1, .ph = k / 2 };
}

static afn_value pooled(afn_graph *g, afn_value x, int oc)
{
    x = afn_avg_pool(g, x, mean_3x3);
    return conv(g, x, "branch_pool", square(oc, 1));
}

static afn_value block_a(afn_graph *g, afn_value x, int oc)
{
    const afn_value a = conv(g, x, "branch1x1", square(64, 1));
    afn_value b = conv(g, x, "branch5x5_1", square(48, 1));
    b = conv(g, b, "branch5x5_2", square(64, 5));
    afn_value c = conv(g, x, "branch3x3dbl_1", square(64, 1));
    c = conv(g, c, "branch3x3dbl_2", square(96, 3));
    c = conv(g, c, "branch3x3dbl_3", square(96, 3));
    const afn_value d = pooled(g, x, oc);
    return afn_concat(g, 4, (afn_value[]){ a, b, c, d });
}

static afn_value block_b(afn_graph *g, afn_value x, int unused)
{
    (void)unused;
    const afn_value a = conv(g, x, "branch3x3", half(384));
    afn_value b = conv(g, x, "branch3x3dbl_1", square(64, 1));
    b = conv(g, b, "branch3x3dbl_2", square(96, 3));
    b = conv(g, b, "branch3x3dbl_3", half(96));
    const afn_value c = afn_max_pool(g, x, max_half);
    return afn_concat(g, 3, (afn_value[]){ a, b, c });
}

/* 7x7 as a row and a column, c channels wide within. */
static afn_value block_c(afn_graph *g, afn_value x, int c)
{
    const afn_value a = conv(g, x, "branch1x1", square(192, 1));
    afn_value b = conv(g, x, "branch7x7_1", square(c, 1));
    b = conv(g, b, "branch7x7_2", row(c, 7));
    b = conv(g, b, "branch7x7_3", column(192, 7));
    afn_value d = conv(g, x, "branch7x7dbl_1", square(c, 1));
    d = conv(g, d, "branch7x7dbl_2", column(c, 7));
    d = conv(g, d, "branch7x7dbl_3", row(c, 7));
    d = conv(g, d, "branch7x7dbl_4", column(c, 7));
    d = conv(g, d, "branch7x7dbl_5", row(192, 7));
    const afn_value e = pooled(g, x, 192);
    return afn_concat(g, 4, (afn_value[]){ a, b, d, e });
}

static afn_value block_d(afn_graph *g, afn_value x, int unused)
{
    (void)unused;
    afn_value a = conv(g, x, "branch3x3_1", square(192, 1));
    a = conv(g, a, "branch3x3_2", half(320));
    afn_value b = conv(g, x, "branch7x7x3_1", square(192, 1));
    b = conv(g, b, "branch7x7x3_2", row(192, 7));
    b = conv(g, b, "branch7x7x3_3", column(192, 7));
    b = conv(g, b, "branch7x7x3_4", half(192));
    const afn_value c = afn_max_pool(g, x, max_half);
    return afn_concat(g, 3, (afn_value[]){ a, b, c });
}

/* Two branches end in a row beside a column. */
static afn_value block_e(afn_graph *g, afn_value x, int unused)
{
    (void)unused;
    const afn_value a = conv(g, x, "branch1x1", square(320, 1));
    const afn_value b = conv(g, x, "branch3x3_1", square(384, 1));
    const afn_value b1 = conv(g, b, "branch3x3_2a", row(384, 3));
    const afn_value b2 = conv(g, b, "branch3x3_2b", column(384, 3));
    afn_value c = conv(g, x, "branch3x3dbl_1", square(448, 1));
    c = conv(g, c, "branch3x3dbl_2", square(384, 3));
    const afn_value c1 = conv(g, c, "branch3x3dbl_3a", row(384, 3));
    const afn_value c2 = conv(g, c, "branch3x3dbl_3b", column(384, 3));
    const afn_value d = pooled(g, x, 192);
    return afn_concat(g, 6, (afn_value[]){ a, b1, b2, c1, c2, d });
}

/* A classifier of its own on a value in the middle.  Its means of 5x5 leave at least
 * the 5x5 pixels that conv1 reads where the image has 299. */
static afn_value aux_logits(afn_graph *g, afn_value x, int classes)
{
    afn_enter(g, "AuxLogits");
    x = afn_avg_pool(g, x, (afn_pool){ .k = 5, .stride = 3 });
    x = conv(g, x, "conv0", (afn_conv){ .oc = 128, .k = 1 });
    x = conv(g, x, "conv1", (afn_conv){ .oc = 768, .k = 5 });
    x = afn_mean_hw(g, x);
    afn_set_linear_init(
        g, (afn_init){ .rule = AFN_INIT_NORMAL, .std = 0.001f, .bias = true });
    x = afn_linear(g, x, "fc", classes);
    afn_set_linear_init(g, start);
    afn_leave(g);
    return x;
}

static afn_value stem(afn_graph *g, afn_value x)
{
    x = conv(g, x, "Conv2d_1a_3x3", half(32));
    x = conv(g, x, "Conv2d_2a_3x3", (afn_conv){ .oc = 32, .k = 3 });
    x = conv(g, x, "Conv2d_2b_3x3", square(64, 3));
    x = afn_max_pool(g, x, max_half);
    x = conv(g, x, "Conv2d_3b_1x1", square(80, 1));
    x = conv(g, x, "Conv2d_4a_3x3", (afn_conv){ .oc = 192, .k = 3 });
    return afn_max_pool(g, x, max_half);
}

static afn_value inception_v3(afn_graph *g, afn_value x, int classes,
                              const void *config)
{
    static const struct {
        const char *name;
        afn_value (*build)(afn_graph *g, afn_value x, int channels);
        int channels;
        bool aux; /* the auxiliary classifier reads it */
    } mixed[] = {
        { "Mixed_5b", block_a, 32, 0 },  { "Mixed_5c", block_a, 64, 0 },
        { "Mixed_5d", block_a, 64, 0 },  { "Mixed_6a", block_b, 0, 0 },
        { "Mixed_6b", block_c, 128, 0 }, { "Mixed_6c", block_c, 160, 0 },
        { "Mixed_6d", block_c, 160, 0 }, { "Mixed_6e", block_c, 192, 1 },
        { "Mixed_7a", block_d, 0, 0 },   { "Mixed_7b", block_e, 0, 0 },
        { "Mixed_7c", block_e, 0, 0 },
    };
    afn_aux aux = { .weight = 0.4f };
    const bool with_aux = afn_graph_makes_aux(g);

    (void)config;
    afn_set_conv_init(g, start);
    afn_set_linear_init(g, start);
    x = stem(g, x);
    for (size_t i = 0; i < AFN_COUNT(mixed); i++) {
        afn_enter(g, "%s", mixed[i].name);
        x = mixed[i].build(g, x, mixed[i].channels);
        afn_leave(g);
        if (mixed[i].aux && with_aux) aux.logits = aux_logits(g, x, classes);
    }
    x = afn_mean_hw(g, x);
    x = afn_dropout(g, x, 0.5f);
    x = afn_linear(g, x, "fc", classes);
    return afn_outputs(g, x, with_aux, &aux);
}

const afn_family afn_family_inception_v3 = {
    .name = "inception_v3",
    .head = "fc",
    .min_size = 75,
    .aux = { { "AuxLogits", "AuxLogits.fc" } },
    .aux_min_size = 299,
    .signed_pixels = true,
    .build = inception_v3,
    .variant = { { .name = "inception_v3" } },
};
