/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that several families are built of: see blocks.h. */
#include "zoo/blocks.h"

afn_value afn_zoo__conv_bn(afn_graph *g, afn_value x, const char *name, afn_conv c,
                           afn_bn bn)
{
    afn_enter(g, "%s", name);
    x = afn_conv2d(g, x, "0", c);
    x = afn_batch_norm(g, x, "1", bn);
    afn_leave(g);
    return x;
}

afn_value afn_zoo__conv_bn_act(afn_graph *g, afn_value x, const char *name, afn_conv c,
                               afn_bn bn, afn_act act)
{
    x = afn_zoo__conv_bn(g, x, name, c, bn);
    return afn_activation(g, x, act);
}

afn_value afn_zoo__squeeze_excite(afn_graph *g, afn_value x, const char *name,
                                  afn_squeeze s)
{
    const afn_value mean = afn_adaptive_avg_pool(g, x, 1, 1);
    if (mean < 0) return mean;
    const int c = (int)afn_graph_node(g, x)->shape.dim[0];

    afn_enter(g, "%s", name);
    afn_value y = afn_conv2d(
        g, mean, "fc1",
        (afn_conv){ .oc = s.channels, .k = 1, .bias = true, .init = s.init });
    y = afn_activation(g, y, s.inner);
    y = afn_conv2d(g, y, "fc2",
                   (afn_conv){ .oc = c, .k = 1, .bias = true, .init = s.init });
    y = afn_activation(g, y, s.gate);
    afn_leave(g);
    return afn_scale(g, x, y);
}

int afn_zoo__scale_channels(int channels, double width)
{
    const double wanted = channels * width;
    int n = (int)(wanted + 4) / 8 * 8;
    if (n < 8) n = 8;
    return n < 0.9 * wanted ? n + 8 : n;
}
