/* SPDX-License-Identifier: Apache-2.0 */
/* MobileNet V2.  Sandler et al. 2018, https://arxiv.org/abs/1801.04381.
 * Scopes and layer names spell torchvision's state_dict keys: its .pth loads as is. */
#include "zoo/blocks.h"
#include "zoo/family.h"

static afn_value conv_bn_relu6(afn_graph *g, afn_value x, const char *name, afn_conv c)
{
    return afn_zoo__conv_bn_act(g, x, name, c, (afn_bn){ 0 }, AFN_ACT_RELU6);
}

typedef struct block {
    int expand; /* inner channels are this many times the input's; 1 = no expansion */
    int ic, oc, stride;
} block;

/* Inverted residual, (ic,H,W) -> (oc,H/stride,W/stride): 1x1 to expand, 3x3 within each
 * channel, 1x1 down without activation; the input is added where the shape stays. */
static afn_value inverted_residual(afn_graph *g, afn_value x, const block *b)
{
    const int inner = b->ic * b->expand;
    const bool expands = b->expand > 1;
    const afn_conv depthwise = {
        .oc = inner, .k = 3, .stride = b->stride, .pad = 1, .groups = inner
    };

    afn_value y = x;
    if (expands) y = conv_bn_relu6(g, y, "0", (afn_conv){ .oc = inner, .k = 1 });
    y = conv_bn_relu6(g, y, expands ? "1" : "0", depthwise);
    y = afn_conv2d(g, y, expands ? "2" : "1", (afn_conv){ .oc = b->oc, .k = 1 });
    y = afn_batch_norm(g, y, expands ? "3" : "2", (afn_bn){ 0 });
    return b->stride == 1 && b->ic == b->oc ? afn_add(g, y, x) : y;
}

static afn_value mobilenet_v2(afn_graph *g, afn_value x, int classes,
                              const void *config)
{
    static const struct {
        int expand, oc, blocks, stride; /* stride of the first block, then 1 */
    } stage[] = {
        { 1, 16, 1, 1 }, { 6, 24, 2, 2 },  { 6, 32, 3, 2 },  { 6, 64, 4, 2 },
        { 6, 96, 3, 1 }, { 6, 160, 3, 2 }, { 6, 320, 1, 1 },
    };
    int ic = 32, index = 1;

    (void)config;
    afn_set_conv_init(g, (afn_init){ .rule = AFN_INIT_KAIMING_NORMAL });
    afn_set_linear_init(g, (afn_init){ .rule = AFN_INIT_NORMAL, .std = 0.01f });
    x = conv_bn_relu6(g, x, "features.0",
                      (afn_conv){ .oc = ic, .k = 3, .stride = 2, .pad = 1 });
    for (size_t s = 0; s < AFN_COUNT(stage); s++) {
        for (int i = 0; i < stage[s].blocks; i++) {
            const int stride = i == 0 ? stage[s].stride : 1;
            afn_enter(g, "features.%d.conv", index++);
            x = inverted_residual(g, x,
                                  &(block){ stage[s].expand, ic, stage[s].oc, stride });
            afn_leave(g);
            ic = stage[s].oc;
        }
    }
    x = conv_bn_relu6(g, x, "features.18", (afn_conv){ .oc = 1280, .k = 1 });
    x = afn_mean_hw(g, x);
    x = afn_dropout(g, x, 0.2f);
    return afn_linear(g, x, "classifier.1", classes);
}

const afn_family afn_family_mobilenet_v2 = {
    .name = "mobilenet_v2",
    .head = "classifier.1",
    .min_size = 1,
    .build = mobilenet_v2,
    .variant = { { .name = "mobilenet_v2" } },
};
