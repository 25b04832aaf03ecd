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
    if (init.rule != AFN_INIT_DEFAULT)
        p.init.rule = init.bias ? AFN_INIT_DEFAULT : AFN_INIT_ZEROS;
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

/* Weight, which begins as 1, and bias of a norm: one for each channel of its input. */
static void add_norm_weights(afn_graph *g, afn_value v, afn_shape per_channel)
{
    const afn_param ones = { .shape = per_channel, .init.rule = AFN_INIT_ONES };
    const afn_param zeros = { .shape = per_channel, .init.rule = AFN_INIT_ZEROS };
    afn_graph__add_param(g, v, AFN_WEIGHT, "weight", ones);
    afn_graph__add_param(g, v, AFN_BIAS, "bias", zeros);
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
    const afn_param mean = { .shape = per_channel,
                             .buffer = true,
                             .init.rule = AFN_INIT_ZEROS };
    const afn_param var = { .shape = per_channel,
                            .buffer = true,
                            .init.rule = AFN_INIT_ONES };
    const afn_param batches = { .dtype = AFN_I64,
                                .buffer = true,
                                .init.rule = AFN_INIT_ZEROS };
    add_norm_weights(g, v, per_channel);
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

afn_value afn_scale(afn_graph *g, afn_value x, afn_value s)
{
    const afn_value in[] = { x, s };
    return afn_graph__append(
        g, &(afn_node){ .op = AFN_OP_SCALE, .n_inputs = 2, .input = in });
}

afn_value afn_layer_norm(afn_graph *g, afn_value x, const char *name, float eps)
{
    const afn_value v = afn_graph__append(g, &(afn_node){ .op = AFN_OP_LAYER_NORM,
                                                          .n_inputs = 1,
                                                          .input = &x,
                                                          .attr.eps = eps,
                                                          .name = name });
    if (v < 0) return v;
    add_norm_weights(g, v, AFN_SHAPE(g->node[x].shape.dim[0]));
    return v;
}

afn_declared afn_declare_scale(afn_graph *g, const char *name, int channels, float init)
{
    return afn_graph__declare(
        g, name,
        (afn_param){ .shape = AFN_SHAPE(channels, 1, 1),
                     .node = AFN_NO_VALUE,
                     .init = { .rule = AFN_INIT_CONSTANT, .std = init } });
}

afn_value afn_layer_scale(afn_graph *g, afn_value x, afn_declared scale)
{
    const afn_value v = simple(g, AFN_OP_LAYER_SCALE, x);
    if (v < 0) return v;
    if (g->param[scale].shape.dim[0] != g->node[x].shape.dim[0]) {
        afn_graph_fail(g, AFN_ESHAPE, "%s: of other channels than its input",
                       g->param[scale].name);
        return AFN_NO_VALUE;
    }
    g->param[scale].node = v;
    g->param[scale].slot = AFN_WEIGHT;
    g->node[v].param[AFN_WEIGHT] = scale;
    return v;
}

afn_value afn_linear_channels(afn_graph *g, afn_value x, const char *name, int out)
{
    const afn_conv_attr a = {
        .oc = out, .kh = 1, .kw = 1, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .groups = 1
    };
    const afn_value v = afn_graph__append(g, &(afn_node){ .op = AFN_OP_CONV2D,
                                                          .n_inputs = 1,
                                                          .input = &x,
                                                          .attr.conv = a,
                                                          .name = name });
    if (v < 0) return v;
    add_weight_and_bias(g, v, AFN_SHAPE(out, g->node[x].shape.dim[0]), true,
                        g->linear_init);
    return v;
}

afn_value afn_slice(afn_graph *g, afn_value x, int first, int count)
{
    return afn_graph__append(g, &(afn_node){ .op = AFN_OP_SLICE,
                                             .n_inputs = 1,
                                             .input = &x,
                                             .attr.slice = { first, count } });
}

afn_value afn_shuffle(afn_graph *g, afn_value x, int groups)
{
    return afn_graph__append(g, &(afn_node){ .op = AFN_OP_SHUFFLE,
                                             .n_inputs = 1,
                                             .input = &x,
                                             .attr.groups = groups });
}

afn_value afn_stochastic_depth(afn_graph *g, afn_value x, float p)
{
    return afn_graph__append(g, &(afn_node){ .op = AFN_OP_STOCHASTIC_DEPTH,
                                             .n_inputs = 1,
                                             .input = &x,
                                             .attr.p = p });
}

afn_value afn_outputs(afn_graph *g, afn_value logits, int n, const afn_aux *aux)
{
    afn_value in[1 + AFN_MAX_AUX] = { logits };
    afn_node node = { .op = AFN_OP_OUTPUTS, .n_inputs = 1 + n, .input = in };
    if (n < 0 || n > AFN_MAX_AUX) {
        afn_graph_fail(g, AFN_EINVAL, "%d auxiliary classifiers, at most %d", n,
                       (int)AFN_MAX_AUX);
        return AFN_NO_VALUE;
    }
    for (int i = 0; i < n; i++) {
        in[1 + i] = aux[i].logits;
        node.attr.aux_weight[i] = aux[i].weight;
    }
    return afn_graph__append(g, &node);
}

afn_value afn_conv_relu(afn_graph *g, afn_value x, const char *name, afn_conv c)
{
    const afn_value y = afn_conv2d(g, x, name, c);
    return afn_relu(g, y);
}
