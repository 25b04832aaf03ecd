/* SPDX-License-Identifier: Apache-2.0 */
/* MNASNet-B1 of four widths.  Tan et al. 2018, https://arxiv.org/abs/1807.11626.
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is.
 * torchvision's version 2: the stem grows with the width, too. */
#include <stdio.h>

#include "zoo/blocks.h"
#include "zoo/family.h"

/* TensorFlow's decay of 0.9997, as PyTorch counts it. */
static const afn_bn bn = { .momentum = (float)(1 - 0.9997) };

typedef struct stack {
    int k, stride, expand; /* inner channels are this many times the input's */
    int oc, blocks;
} stack;

/* Convolution "<index>", batch norm "<index + 1>"; convolution and norm only. */
static afn_value conv_bn(afn_graph *g, afn_value x, int index, afn_conv c)
{
    char conv[16], norm[16];
    snprintf(conv, sizeof conv, "%d", index);
    snprintf(norm, sizeof norm, "%d", index + 1);
    x = afn_conv2d(g, x, conv, c);
    return afn_batch_norm(g, x, norm, bn);
}

/* Inverted residual, (ic,H,W) -> (oc,H/stride,W/stride): 1x1 to expand, k x k within
 * each channel, 1x1 down without activation; the input is added where the shape stays.
 */
static afn_value inverted_residual(afn_graph *g, afn_value x, int ic, const stack *s,
                                   int stride)
{
    const int inner = ic * s->expand;
    afn_value y = conv_bn(g, x, 0, (afn_conv){ .oc = inner, .k = 1 });
    y = afn_relu(g, y);
    y = conv_bn(g, y, 3,
                (afn_conv){ .oc = inner,
                            .k = s->k,
                            .stride = stride,
                            .pad = s->k / 2,
                            .groups = inner });
    y = afn_relu(g, y);
    y = conv_bn(g, y, 6, (afn_conv){ .oc = s->oc, .k = 1 });
    return stride == 1 && ic == s->oc ? afn_add(g, y, x) : y;
}

/* Layers 0 to 7, (3,H,W) -> (oc,H/2,W/2) */
static afn_value stem(afn_graph *g, afn_value x, int c, int oc)
{
    x = conv_bn(g, x, 0, (afn_conv){ .oc = c, .k = 3, .stride = 2, .pad = 1 });
    x = afn_relu(g, x);
    x = conv_bn(g, x, 3, (afn_conv){ .oc = c, .k = 3, .pad = 1, .groups = c });
    x = afn_relu(g, x);
    return conv_bn(g, x, 6, (afn_conv){ .oc = oc, .k = 1 });
}

static afn_value mnasnet(afn_graph *g, afn_value x, int classes, const void *config)
{
    static const stack stacks[] = { { 3, 2, 3, 24, 3 },  { 5, 2, 3, 40, 3 },
                                    { 5, 2, 6, 80, 3 },  { 3, 1, 6, 96, 2 },
                                    { 5, 2, 6, 192, 4 }, { 3, 1, 6, 320, 1 } };
    const double width = *(const double *)config;
    int ic = afn_zoo__scale_channels(16, width);

    /* kaiming_uniform_ with the gain of a sigmoid, 1 */
    afn_set_conv_init(g, (afn_init){ .rule = AFN_INIT_KAIMING_NORMAL });
    afn_set_linear_init(g, (afn_init){ .rule = AFN_INIT_UNIFORM_FAN_OUT, .std = 3 });
    afn_enter(g, "layers");
    x = stem(g, x, afn_zoo__scale_channels(32, width), ic);
    for (int i = 0; i < (int)AFN_COUNT(stacks); i++) {
        stack s = stacks[i];
        s.oc = afn_zoo__scale_channels(s.oc, width);
        for (int b = 0; b < s.blocks; b++) {
            afn_enter(g, "%d.%d.layers", 8 + i, b);
            x = inverted_residual(g, x, ic, &s, b == 0 ? s.stride : 1);
            afn_leave(g);
            ic = s.oc;
        }
    }
    x = conv_bn(g, x, 14, (afn_conv){ .oc = 1280, .k = 1 });
    afn_leave(g);
    x = afn_relu(g, x);
    x = afn_mean_hw(g, x);
    x = afn_dropout(g, x, 0.2f);
    return afn_linear(g, x, "classifier.1", classes);
}

#define WIDTH(w) (&(const double){ w })

const afn_family afn_family_mnasnet = {
    .name = "mnasnet",
    .head = "classifier.1",
    .min_size = 1,
    .version = "2",
    .build = mnasnet,
    .variant = {
        { "mnasnet0_5", .config = WIDTH(0.5) },
        { "mnasnet0_75", .config = WIDTH(0.75) },
        { "mnasnet1_0", .config = WIDTH(1.0) },
        { "mnasnet1_3", .config = WIDTH(1.3) },
    },
};
