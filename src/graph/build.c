/* SPDX-License-Identifier: Apache-2.0 */
/* Builders: from a family's short struct to a node with full attributes and its
 * parameters.  Each does nothing once the graph has an error. */
#include "graph/node.h"

static int or_else(int value, int fallback)
{
    return value ? value : fallback;
}

static afn_value simple(afn_graph *g, afn_op op, afn_value x)
{
    return afn_graph__append(g, &(afn_node){ .op = op, .n_inputs = 1, .input = &x });
}

afn_value afn_input(afn_graph *g)
{
    return afn_graph__append(g, &(afn_node){ .op = AFN_OP_INPUT });
}

void afn_set_conv_init(afn_graph *g, afn_init init)
{
    g->conv_init = init;
}

void afn_set_linear_init(afn_graph *g, afn_init init)
{
    g->linear_init = init;
}

/* Weight and, where wanted, bias: (oc) of a convolution or linear layer. */
static void add_weight_and_bias(afn_graph *g, afn_value v, afn_shape weight, bool bias,
                                afn_init init)
{
    if (v < 0) return;
    const int64_t oc = weight.dim[0];
    const float fan_in = (float)(afn_shape_count(&weight) / oc);
    const float fan_out =
        weight.rank == 4 ? (float)(oc * weight.dim[2] * weight.dim[3]) : (float)oc;
    afn_param p = {
        .shape = weight, .init = init, .fan_in = fan_in, .fan_out = fan_out
    };
    afn_graph__add_param(g, v, AFN_WEIGHT, "weight", p);
    if (!bias) return;
    p.shape = AFN_SHAPE(oc);
    if (init.rule != AFN_INIT_DEFAULT) p.init.rule = AFN_INIT_ZEROS;
    afn_graph__add_param(g, v, AFN_BIAS, "bias", p);
}

afn_value afn_conv2d(afn_graph *g, afn_value x, const char *name, afn_conv c)
{
    const afn_conv_attr a = {
        .oc = c.oc,
        .kh = or_else(c.kh, c.k),
        .kw = or_else(c.kw, c.k),
        .sh = or_else(c.stride, 1),
        .sw = or_else(c.stride, 1),
        .ph = or_else(c.ph, c.pad),
        .pw = or_else(c.pw, c.pad),
        .dh = or_else(c.dilation, 1),
        .dw = or_else(c.dilation, 1),
        .groups = or_else(c.groups, 1),
    };
    const afn_value v = afn_graph__append(g, &(afn_node){ .op = AFN_OP_CONV2D,
                                                          .n_inputs = 1,
                                                          .input = &x,
                                                          .attr.conv = a,
                                                          .name = name });
    if (v < 0) return v;
    const int64_t ic = g->node[x].shape.dim[0];
    add_weight_and_bias(g, v, AFN_SHAPE(a.oc, ic / a.groups, a.kh, a.kw), c.bias,
                        c.init ? *c.init : g->conv_init);
    return v;
}

afn_value afn_linear(afn_graph *g, afn_value x, const char *name, int out)
{
    const afn_value v = afn_graph__append(g, &(afn_node){ .op = AFN_OP_LINEAR,
                                                          .n_inputs = 1,
                                                          .input = &x,
                                                          .shape = AFN_SHAPE(out),
                                                          .name = name });
    if (v < 0) return v;
    add_weight_and_bias(g, v, AFN_SHAPE(out, g->node[x].shape.dim[0]), true,
                        g->linear_init);
    return v;
}

afn_value afn_batch_norm(afn_graph *g, afn_value x, const char *name, afn_bn b)
{
    const afn_bn_attr a = { .eps = b.eps > 0 ? b.eps : 1e-5f,
                            .momentum = b.momentum > 0 ? b.momentum : 0.1f };
    const afn_value v = afn_graph__append(g, &(afn_node){ .op = AFN_OP_BATCH_NORM,
                                                          .n_inputs = 1,
                                                          .input = &x,
                                                          .attr.bn = a,
                                                          .name = name });
    if (v < 0) return v;
    const afn_shape per_channel = AFN_SHAPE(g->node[x].shape.dim[0]);
    const afn_param ones = { .shape = per_channel, .init.rule = AFN_INIT_ONES };
    const afn_param zeros = { .shape = per_channel, .init.rule = AFN_INIT_ZEROS };
    afn_param mean = zeros, var = ones;
    const afn_param batches = { .dtype = AFN_I64,
                                .buffer = true,
                                .init.rule = AFN_INIT_ZEROS };
    mean.buffer = var.buffer = true;
    afn_graph__add_param(g, v, AFN_WEIGHT, "weight", ones);
    afn_graph__add_param(g, v, AFN_BIAS, "bias", zeros);
    afn_graph__add_param(g, v, AFN_RUNNING_MEAN, "running_mean", mean);
    afn_graph__add_param(g, v, AFN_RUNNING_VAR, "running_var", var);
    afn_graph__add_param(g, v, AFN_NUM_BATCHES, "num_batches_tracked", batches);
    return v;
}

afn_value afn_activation(afn_graph *g, afn_value x, afn_act act)
{
    return afn_graph__append(
        g, &(afn_node){
               .op = AFN_OP_ACTIVATION, .n_inputs = 1, .input = &x, .attr.act = act });
}

afn_value afn_relu(afn_graph *g, afn_value x)
{
    return afn_activation(g, x, AFN_ACT_RELU);
}

static afn_value pool(afn_graph *g, afn_op op, afn_value x, afn_pool p)
{
    const int stride = or_else(p.stride, p.k);
    const afn_pool_attr a = { .kh = p.k,
                              .kw = p.k,
                              .sh = stride,
                              .sw = stride,
                              .ph = p.pad,
                              .pw = p.pad,
                              .ceil = p.ceil,
                              .include_pad = !p.exclude_pad };
    return afn_graph__append(
        g, &(afn_node){ .op = op, .n_inputs = 1, .input = &x, .attr.pool = a });
}

afn_value afn_max_pool(afn_graph *g, afn_value x, afn_pool p)
{
    return pool(g, AFN_OP_MAX_POOL, x, p);
}

afn_value afn_avg_pool(afn_graph *g, afn_value x, afn_pool p)
{
    return pool(g, AFN_OP_AVG_POOL, x, p);
}

afn_value afn_adaptive_avg_pool(afn_graph *g, afn_value x, int h, int w)
{
    return afn_graph__append(g, &(afn_node){ .op = AFN_OP_ADAPTIVE_AVG_POOL,
                                             .n_inputs = 1,
                                             .input = &x,
                                             .attr.pool = { .kh = h, .kw = w } });
}

afn_value afn_flatten(afn_graph *g, afn_value x)
{
    return simple(g, AFN_OP_FLATTEN, x);
}

afn_value afn_mean_hw(afn_graph *g, afn_value x)
{
    const afn_value mean = afn_adaptive_avg_pool(g, x, 1, 1);
    return afn_flatten(g, mean);
}

afn_value afn_dropout(afn_graph *g, afn_value x, float p)
{
    return afn_graph__append(
        g,
        &(afn_node){ .op = AFN_OP_DROPOUT, .n_inputs = 1, .input = &x, .attr.p = p });
}

afn_value afn_add(afn_graph *g, afn_value a, afn_value b)
{
    const afn_value in[] = { a, b };
    return afn_graph__append(
        g, &(afn_node){ .op = AFN_OP_ADD, .n_inputs = 2, .input = in });
}

afn_value afn_concat(afn_graph *g, int n, const afn_value *x)
{
    return afn_graph__append(
        g, &(afn_node){ .op = AFN_OP_CONCAT, .n_inputs = n, .input = x });
}

afn_value afn_conv_relu(afn_graph *g, afn_value x, const char *name, afn_conv c)
{
    const afn_value y = afn_conv2d(g, x, name, c);
    return afn_relu(g, y);
}
