/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-picked graphs: every operator at the edges of what is legal, and every pattern
 * that a backend may combine into one step. */
#include "kernels.h"

static afn_value build_conv(afn_graph *g, afn_value x, const kernel_case *k)
{
    return afn_conv2d(g, x, "op", k->conv);
}

static afn_value build_conv_relu(afn_graph *g, afn_value x, const kernel_case *k)
{
    return afn_conv_relu(g, x, "op", k->conv);
}

static afn_value build_conv_relu6(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = afn_conv2d(g, x, "op", k->conv);
    return afn_activation(g, y, AFN_ACT_RELU6);
}

static afn_value build_conv_bn(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = afn_conv2d(g, x, "op", k->conv);
    return afn_batch_norm(g, y, "bn", (afn_bn){ 0 });
}

static afn_value build_conv_bn_relu(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = build_conv_bn(g, x, k);
    return afn_relu(g, y);
}

static afn_value build_bn_relu_conv(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = afn_batch_norm(g, x, "bn", (afn_bn){ .eps = 1e-3f });
    const afn_value z = afn_relu(g, y);
    return afn_conv2d(g, z, "op", k->conv);
}

static afn_value build_bn(afn_graph *g, afn_value x, const kernel_case *k)
{
    (void)k;
    return afn_batch_norm(g, x, "op", (afn_bn){ .momentum = 0.3f });
}

static afn_value build_bn_relu6(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = build_bn(g, x, k);
    return afn_activation(g, y, AFN_ACT_RELU6);
}

static afn_value build_relu(afn_graph *g, afn_value x, const kernel_case *k)
{
    (void)k;
    return afn_relu(g, x);
}

static afn_value build_relu6(afn_graph *g, afn_value x, const kernel_case *k)
{
    (void)k;
    return afn_activation(g, x, AFN_ACT_RELU6);
}

static afn_value build_max_pool(afn_graph *g, afn_value x, const kernel_case *k)
{
    return afn_max_pool(g, x, k->pool);
}

static afn_value build_avg_pool(afn_graph *g, afn_value x, const kernel_case *k)
{
    return afn_avg_pool(g, x, k->pool);
}

static afn_value build_adaptive(afn_graph *g, afn_value x, const kernel_case *k)
{
    return afn_adaptive_avg_pool(g, x, k->out_h, k->out_w);
}

static afn_value build_dropout(afn_graph *g, afn_value x, const kernel_case *k)
{
    (void)k;
    return afn_dropout(g, x, 0.3f);
}

static afn_value build_linear(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value flat = afn_flatten(g, x);
    return afn_linear(g, flat, "op", k->conv.oc);
}

static afn_value build_mlp(afn_graph *g, afn_value x, const kernel_case *k)
{
    afn_value y = afn_flatten(g, x);
    y = afn_linear(g, y, "fc1", k->conv.oc);
    y = afn_relu(g, y);
    y = afn_dropout(g, y, 0.5f);
    return afn_linear(g, y, "fc2", 7);
}

static afn_value build_dropout_flat(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = afn_dropout(g, x, 0.5f);
    const afn_value flat = afn_flatten(g, y);
    return afn_linear(g, flat, "op", k->conv.oc);
}

static afn_value build_mean_linear(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = afn_mean_hw(g, x);
    return afn_linear(g, y, "op", k->conv.oc);
}

static afn_value build_add_itself(afn_graph *g, afn_value x, const kernel_case *k)
{
    (void)k;
    return afn_add(g, x, x);
}

static afn_value build_bn_add_itself(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = build_bn(g, x, k);
    const afn_value z = afn_add(g, y, y);
    return afn_relu(g, z);
}

/* Two bn paths and a sum, the residual left or right of the sum. */
static afn_value residual(afn_graph *g, afn_value x, const kernel_case *k, bool left)
{
    const afn_value y = build_conv_bn_relu(g, x, k);
    const afn_value c = afn_conv2d(g, y, "conv2", k->conv);
    const afn_value b = afn_batch_norm(g, c, "bn2", (afn_bn){ 0 });
    const afn_value z = left ? afn_add(g, x, b) : afn_add(g, b, x);
    return afn_relu(g, z);
}

static afn_value build_residual(afn_graph *g, afn_value x, const kernel_case *k)
{
    return residual(g, x, k, false);
}

static afn_value build_residual_left(afn_graph *g, afn_value x, const kernel_case *k)
{
    return residual(g, x, k, true);
}

/* A block whose shortcut has a convolution and a batch norm of its own. */
static afn_value build_downsample(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = build_conv_bn(g, x, k);
    const afn_value s =
        afn_conv2d(g, x, "shortcut",
                   (afn_conv){ .oc = k->conv.oc, .k = 1, .stride = k->conv.stride });
    const afn_value b = afn_batch_norm(g, s, "bn2", (afn_bn){ 0 });
    const afn_value z = afn_add(g, y, b);
    return afn_relu(g, z);
}

/* The sum without an activation, read twice: mobilenet's linear bottleneck. */
static afn_value build_linear_residual(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = build_conv_bn(g, x, k);
    const afn_value z = afn_add(g, x, y);
    const afn_value c = afn_conv2d(g, z, "conv2", k->conv);
    return afn_add(g, c, z);
}

static afn_value build_three_readers(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = build_conv_bn_relu(g, x, k);
    const afn_value a = afn_conv2d(g, y, "a", (afn_conv){ .oc = k->conv.oc, .k = 1 });
    const afn_value m = afn_max_pool(g, y, (afn_pool){ .k = 3, .stride = 1, .pad = 1 });
    const afn_value s = afn_add(g, a, y);
    return afn_add(g, m, s);
}

static afn_value build_concat(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value a = afn_conv_relu(g, x, "a", (afn_conv){ .oc = 5, .k = 1 });
    const afn_value b = afn_conv_relu(g, x, "b", k->conv);
    return afn_concat(g, 3, (afn_value[]){ a, x, b });
}

static afn_value build_concat_itself(afn_graph *g, afn_value x, const kernel_case *k)
{
    (void)k;
    return afn_concat(g, 2, (afn_value[]){ x, x });
}

/* densenet: a growing concatenation, each layer reads all of it. */
static afn_value build_dense(afn_graph *g, afn_value x, const kernel_case *k)
{
    for (int i = 0; i < 3; i++) {
        afn_enter(g, "layer%d", i);
        const afn_value y = build_bn_relu_conv(g, x, k);
        afn_leave(g);
        x = afn_concat(g, 2, (afn_value[]){ x, y });
    }
    return afn_avg_pool(g, x, (afn_pool){ .k = 2 });
}

/* mobilenet_v2: expand, depthwise, project, residual. */
static afn_value build_inverted(afn_graph *g, afn_value x, const kernel_case *k)
{
    const int wide = 3 * k->c;
    afn_value y = afn_conv2d(g, x, "expand", (afn_conv){ .oc = wide, .k = 1 });
    y = afn_batch_norm(g, y, "bn1", (afn_bn){ 0 });
    y = afn_activation(g, y, AFN_ACT_RELU6);
    y = afn_conv2d(g, y, "dw",
                   (afn_conv){ .oc = wide, .k = 3, .pad = 1, .groups = wide });
    y = afn_batch_norm(g, y, "bn2", (afn_bn){ 0 });
    y = afn_activation(g, y, AFN_ACT_RELU6);
    y = afn_conv2d(g, y, "project", (afn_conv){ .oc = k->c, .k = 1 });
    y = afn_batch_norm(g, y, "bn3", (afn_bn){ 0 });
    return afn_add(g, x, y);
}

static afn_value build_act(afn_graph *g, afn_value x, const kernel_case *k)
{
    return afn_activation(g, x, k->act);
}

static afn_value build_conv_act(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = afn_conv2d(g, x, "op", k->conv);
    return afn_activation(g, y, k->act);
}

static afn_value build_conv_bn_act(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value y = build_conv_bn(g, x, k);
    return afn_activation(g, y, k->act);
}

/* Squeeze-excitation: mean, two 1x1 convolutions, scale. */
static afn_value squeeze(afn_graph *g, afn_value x, int channels, afn_act first,
                         afn_act gate)
{
    const afn_value mean = afn_adaptive_avg_pool(g, x, 1, 1);
    afn_value s =
        afn_conv2d(g, mean, "fc1", (afn_conv){ .oc = 5, .k = 1, .bias = true });
    s = afn_activation(g, s, first);
    s = afn_conv2d(g, s, "fc2", (afn_conv){ .oc = channels, .k = 1, .bias = true });
    s = afn_activation(g, s, gate);
    return afn_scale(g, x, s);
}

static afn_value build_squeeze(afn_graph *g, afn_value x, const kernel_case *k)
{
    return squeeze(g, x, k->c, AFN_ACT_SILU, AFN_ACT_SIGMOID);
}

/* efficientnet and mobilenet_v3: expand, depthwise, squeeze, project, stochastic depth,
 * residual. */
static afn_value build_mbconv(afn_graph *g, afn_value x, const kernel_case *k)
{
    const int wide = 3 * k->c;
    const bool hard = k->act == AFN_ACT_HARDSWISH;
    afn_value y = afn_conv2d(g, x, "expand", (afn_conv){ .oc = wide, .k = 1 });
    y = afn_batch_norm(g, y, "bn1", (afn_bn){ .eps = 1e-3f });
    y = afn_activation(g, y, k->act);
    y = afn_conv2d(g, y, "dw",
                   (afn_conv){ .oc = wide, .k = 5, .pad = 2, .groups = wide });
    y = afn_batch_norm(g, y, "bn2", (afn_bn){ .eps = 1e-3f });
    y = afn_activation(g, y, k->act);
    y = squeeze(g, y, wide, hard ? AFN_ACT_RELU : AFN_ACT_SILU,
                hard ? AFN_ACT_HARDSIGMOID : AFN_ACT_SIGMOID);
    y = afn_conv2d(g, y, "project", (afn_conv){ .oc = k->c, .k = 1 });
    y = afn_batch_norm(g, y, "bn3", (afn_bn){ .eps = 1e-3f });
    y = afn_stochastic_depth(g, y, 0.3f);
    return afn_add(g, y, x);
}

static afn_value build_layer_norm(afn_graph *g, afn_value x, const kernel_case *k)
{
    (void)k;
    return afn_layer_norm(g, x, "op", 1e-3f);
}

static afn_value build_layer_norm_flat(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value mean = afn_mean_hw(g, x);
    const afn_value y = afn_layer_norm(g, mean, "op", 1e-3f);
    return afn_linear(g, y, "fc", k->conv.oc);
}

static afn_value build_layer_scale(afn_graph *g, afn_value x, const kernel_case *k)
{
    const int channels = (int)afn_graph_node(g, x)->shape.dim[0];
    const afn_declared scale = afn_declare_scale(g, "op", channels, 0.5f);
    (void)k;
    return afn_layer_scale(g, x, scale);
}

static afn_value build_linear_channels(afn_graph *g, afn_value x, const kernel_case *k)
{
    return afn_linear_channels(g, x, "op", k->conv.oc);
}

/* convnext: depthwise 7x7, norm, linear, GELU, linear, layer scale, residual. */
static afn_value build_convnext(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_declared scale = afn_declare_scale(g, "layer_scale", k->c, 0.7f);
    afn_value y = afn_conv2d(
        g, x, "dw",
        (afn_conv){ .oc = k->c, .k = 7, .pad = 3, .groups = k->c, .bias = true });
    y = afn_layer_norm(g, y, "norm", 1e-3f);
    y = afn_linear_channels(g, y, "up", 4 * k->c);
    y = afn_activation(g, y, AFN_ACT_GELU);
    y = afn_linear_channels(g, y, "down", k->c);
    y = afn_layer_scale(g, y, scale);
    y = afn_stochastic_depth(g, y, 0.3f);
    return afn_add(g, y, x);
}

static afn_value build_slice(afn_graph *g, afn_value x, const kernel_case *k)
{
    return afn_slice(g, x, k->out_h, k->out_w);
}

static afn_value build_shuffle(afn_graph *g, afn_value x, const kernel_case *k)
{
    return afn_shuffle(g, x, k->conv.groups);
}

/* shufflenet: one half goes round a branch, both are shuffled together. */
static afn_value build_shuffle_unit(afn_graph *g, afn_value x, const kernel_case *k)
{
    const int half = k->c / 2;
    const afn_value left = afn_slice(g, x, 0, half);
    afn_value y = afn_slice(g, x, half, half);
    y = afn_conv2d(g, y, "conv1", (afn_conv){ .oc = half, .k = 1 });
    y = afn_batch_norm(g, y, "bn1", (afn_bn){ 0 });
    y = afn_relu(g, y);
    y = afn_conv2d(g, y, "dw",
                   (afn_conv){ .oc = half, .k = 3, .pad = 1, .groups = half });
    y = afn_batch_norm(g, y, "bn2", (afn_bn){ 0 });
    y = afn_concat(g, 2, (afn_value[]){ left, y });
    return afn_shuffle(g, y, 2);
}

static afn_value build_stochastic_depth(afn_graph *g, afn_value x, const kernel_case *k)
{
    (void)k;
    return afn_stochastic_depth(g, x, 0.4f);
}

/* Two classifiers, one of them beside the network's end. */
static afn_value build_outputs(afn_graph *g, afn_value x, const kernel_case *k)
{
    const afn_value mean = afn_mean_hw(g, x);
    const afn_value aux = afn_linear(g, mean, "aux", k->conv.oc);
    afn_value y = afn_conv_relu(g, x, "conv", (afn_conv){ .oc = 9, .k = 3, .pad = 1 });
    y = afn_mean_hw(g, y);
    y = afn_linear(g, y, "fc", k->conv.oc);
    return afn_outputs(g, y, 1, &(afn_aux){ aux, 0.3f });
}

#define CONV(...)       .conv = { __VA_ARGS__ }
#define POOL(...)       .pool = { __VA_ARGS__ }
#define SAME3(channels) .conv = { .oc = channels, .k = 3, .pad = 1 }

const kernel_case kernel_cases[] = {
    { "conv 1x1 image", 3, 1, 1, build_conv, CONV(.oc = 5, .k = 1, .bias = true) },
    { "conv 3x3 on 1x1", 3, 1, 1, build_conv, CONV(.oc = 5, .k = 3, .pad = 1) },
    { "conv pad wider than kernel", 3, 4, 5, build_conv,
      CONV(.oc = 4, .k = 2, .pad = 3) },
    { "conv stride over kernel", 5, 9, 7, build_conv,
      CONV(.oc = 3, .k = 1, .stride = 3) },
    { "conv stride 2 even image", 3, 8, 8, build_conv,
      CONV(.oc = 16, .k = 3, .stride = 2, .pad = 1) },
    { "conv stem 7x7 stride 2", 3, 19, 23, build_conv,
      CONV(.oc = 17, .k = 7, .stride = 2, .pad = 3, .bias = true) },
    { "conv stem 11x11 stride 4", 3, 31, 27, build_conv,
      CONV(.oc = 8, .k = 11, .stride = 4, .pad = 2, .bias = true) },
    { "conv kernel as large as image", 3, 5, 5, build_conv, CONV(.oc = 9, .k = 5) },
    { "conv dilation 2", 3, 11, 9, build_conv,
      CONV(.oc = 6, .k = 3, .pad = 2, .dilation = 2) },
    { "conv dilation 3 stride 2", 4, 13, 13, build_conv,
      CONV(.oc = 6, .k = 3, .pad = 1, .stride = 2, .dilation = 3) },
    { "conv 1x7", 16, 9, 9, build_conv, CONV(.oc = 24, .kh = 1, .kw = 7, .pw = 3) },
    { "conv 7x1", 17, 9, 9, build_conv,
      CONV(.oc = 24, .kh = 7, .kw = 1, .ph = 3, .bias = true) },
    { "conv oblong", 3, 2, 33, build_conv, SAME3(16) },
    { "conv tall", 3, 33, 2, build_conv, SAME3(16) },
    { "conv groups 2", 6, 7, 7, build_conv,
      CONV(.oc = 10, .k = 3, .pad = 1, .groups = 2, .bias = true) },
    { "conv groups of 8", 32, 7, 7, build_conv,
      CONV(.oc = 32, .k = 3, .pad = 1, .groups = 4) },
    { "conv groups of 8, odd count", 40, 7, 7, build_conv,
      CONV(.oc = 40, .k = 3, .pad = 1, .groups = 5, .bias = true), .between = true },
    { "conv groups of 24", 72, 6, 6, build_conv,
      CONV(.oc = 72, .k = 3, .pad = 1, .groups = 3), .between = true },
    { "conv groups stride 2", 24, 8, 8, build_conv,
      CONV(.oc = 24, .k = 3, .pad = 1, .groups = 3, .stride = 2), .between = true },
    { "conv depthwise", 17, 9, 9, build_conv,
      CONV(.oc = 17, .k = 3, .pad = 1, .groups = 17) },
    { "conv depthwise 16", 16, 9, 9, build_conv,
      CONV(.oc = 16, .k = 3, .pad = 1, .groups = 16, .stride = 2, .bias = true) },
    { "conv depthwise between", 24, 8, 6, build_conv,
      CONV(.oc = 24, .k = 5, .pad = 2, .groups = 24), .between = true },
    { "conv depthwise 4x4", 24, 8, 7, build_conv,
      CONV(.oc = 24, .k = 4, .pad = 1, .groups = 24), .between = true },
    { "conv depthwise dilated", 16, 9, 9, build_conv,
      CONV(.oc = 16, .k = 3, .pad = 2, .dilation = 2, .groups = 16), .between = true },
    { "conv depthwise multiplier", 8, 6, 6, build_conv,
      CONV(.oc = 16, .k = 3, .pad = 1, .groups = 8) },
    { "conv odd channels", 33, 6, 6, build_conv,
      CONV(.oc = 17, .k = 3, .pad = 1, .bias = true), .between = true },
    { "conv wide", 64, 8, 8, build_conv, SAME3(64), .between = true },
    { "conv 3x3 valid", 16, 13, 11, build_conv, CONV(.oc = 32, .k = 3, .bias = true),
      .between = true },
    { "conv 3x3 pad 2", 17, 6, 9, build_conv_relu6,
      CONV(.oc = 20, .k = 3, .pad = 2, .bias = true), .between = true },
    { "conv 3x3 pad 2 and 0", 24, 5, 3, build_conv,
      CONV(.oc = 8, .kh = 3, .kw = 3, .ph = 2, .bias = true), .between = true },
    { "conv 3x3 many tiles", 5, 37, 35, build_conv_relu,
      CONV(.oc = 6, .k = 3, .pad = 1, .bias = true), .between = true },
    { "conv relu", 3, 9, 9, build_conv_relu, CONV(.oc = 16, .k = 3, .bias = true) },
    { "conv relu odd", 5, 9, 9, build_conv_relu,
      CONV(.oc = 33, .k = 3, .pad = 1, .bias = true), .between = true },
    { "conv relu6", 3, 9, 9, build_conv_relu6, CONV(.oc = 24, .k = 3, .bias = true) },
    { "conv bn", 3, 8, 8, build_conv_bn, SAME3(16) },
    { "conv bias bn", 3, 8, 8, build_conv_bn,
      CONV(.oc = 17, .k = 3, .pad = 1, .bias = true) },
    { "conv bn relu", 3, 8, 8, build_conv_bn_relu, SAME3(16) },
    { "conv bn relu depthwise", 24, 8, 8, build_conv_bn_relu,
      CONV(.oc = 24, .k = 3, .pad = 1, .groups = 24), .between = true },
    { "conv bn relu groups", 32, 6, 6, build_conv_bn_relu,
      CONV(.oc = 32, .k = 3, .pad = 1, .groups = 2), .between = true },
    { "bn relu conv", 17, 7, 7, build_bn_relu_conv, SAME3(8), .between = true },
    { "bn", 3, 7, 5, .build = build_bn },
    { "bn 1x1 image", 5, 1, 1, .build = build_bn },
    { "bn between", 24, 7, 5, build_bn, .between = true },
    { "bn odd between", 33, 4, 4, build_bn, .between = true },
    { "bn relu6", 17, 5, 5, build_bn_relu6, .between = true },
    { "relu", 3, 7, 5, .build = build_relu },
    { "relu between", 17, 7, 5, build_relu, .between = true },
    { "relu6", 3, 7, 5, .build = build_relu6 },
    { "relu6 between", 24, 7, 5, build_relu6, .between = true },
    { "max pool 2x2", 3, 8, 8, build_max_pool, POOL(.k = 2) },
    { "max pool 2x2 odd", 17, 7, 9, build_max_pool, POOL(.k = 2), .between = true },
    { "max pool 3x3 stride 2 pad 1", 16, 13, 11, build_max_pool,
      POOL(.k = 3, .stride = 2, .pad = 1), .between = true },
    { "max pool ceil 13 to 6", 5, 13, 13, build_max_pool,
      POOL(.k = 3, .stride = 2, .ceil = true), .between = true },
    { "max pool ceil 14 to 7", 24, 14, 14, build_max_pool,
      POOL(.k = 3, .stride = 2, .ceil = true), .between = true },
    { "max pool ceil drops a window", 4, 5, 5, build_max_pool,
      POOL(.k = 2, .stride = 3, .pad = 1, .ceil = true) },
    { "max pool stride over kernel", 5, 11, 11, build_max_pool,
      POOL(.k = 2, .stride = 4) },
    { "max pool 1x1 image", 5, 1, 1, build_max_pool, POOL(.k = 3, .pad = 1) },
    { "max pool stride 1", 33, 6, 6, build_max_pool,
      POOL(.k = 3, .stride = 1, .pad = 1), .between = true },
    { "avg pool 2x2", 3, 8, 8, build_avg_pool, POOL(.k = 2) },
    { "avg pool 2x2 odd", 17, 7, 9, build_avg_pool, POOL(.k = 2), .between = true },
    { "avg pool padded", 16, 7, 7, build_avg_pool, POOL(.k = 3, .stride = 1, .pad = 1),
      .between = true },
    { "avg pool padding excluded", 16, 7, 7, build_avg_pool,
      POOL(.k = 3, .stride = 2, .pad = 1, .exclude_pad = true), .between = true },
    { "avg pool ceil", 5, 8, 8, build_avg_pool, POOL(.k = 3, .stride = 2, .ceil = true),
      .between = true },
    { "avg pool ceil padded", 5, 8, 6, build_avg_pool,
      POOL(.k = 3, .stride = 2, .pad = 1, .ceil = true) },
    { "avg pool ceil padding excluded", 24, 8, 6, build_avg_pool,
      POOL(.k = 3, .stride = 2, .pad = 1, .ceil = true, .exclude_pad = true),
      .between = true },
    { "adaptive 7 to 7", 17, 7, 7, build_adaptive, .out_h = 7, .out_w = 7,
      .between = true },
    { "adaptive 6 to 6", 16, 6, 6, build_adaptive, .out_h = 6, .out_w = 6 },
    { "adaptive 1 to 7", 16, 1, 1, build_adaptive, .out_h = 7, .out_w = 7,
      .between = true },
    { "adaptive 13 to 6", 5, 13, 13, build_adaptive, .out_h = 6, .out_w = 6,
      .between = true },
    { "adaptive oblong", 24, 5, 9, build_adaptive, .out_h = 3, .out_w = 4,
      .between = true },
    { "adaptive mean", 33, 7, 5, build_adaptive, .out_h = 1, .out_w = 1,
      .between = true },
    { "dropout", 5, 7, 9, .build = build_dropout },
    { "dropout between", 17, 5, 5, build_dropout, .between = true },
    { "dropout flatten linear", 17, 3, 5, build_dropout_flat, CONV(.oc = 3),
      .between = true },
    { "linear", 3, 4, 5, build_linear, CONV(.oc = 10) },
    { "linear odd", 17, 3, 3, build_linear, CONV(.oc = 5), .between = true },
    { "linear one to one", 1, 1, 1, build_linear, CONV(.oc = 1) },
    { "linear wide", 24, 6, 6, build_linear, CONV(.oc = 130), .between = true },
    { "linear relu dropout linear", 16, 3, 3, build_mlp, CONV(.oc = 33),
      .between = true },
    { "mean linear", 24, 7, 7, build_mean_linear, CONV(.oc = 2), .between = true },
    { "add itself", 5, 5, 5, .build = build_add_itself },
    { "add itself between", 17, 5, 5, build_add_itself, .between = true },
    { "bn add itself relu", 16, 5, 5, build_bn_add_itself, .between = true },
    { "residual", 16, 6, 6, build_residual, SAME3(16), .between = true },
    { "residual left", 16, 6, 6, build_residual_left, SAME3(16), .between = true },
    { "residual odd", 5, 7, 6, build_residual, SAME3(5) },
    { "residual left odd", 17, 7, 6, build_residual_left, SAME3(17), .between = true },
    { "residual groups", 32, 5, 5, build_residual,
      CONV(.oc = 32, .k = 3, .pad = 1, .groups = 4), .between = true },
    { "downsample", 16, 8, 8, build_downsample,
      CONV(.oc = 32, .k = 3, .pad = 1, .stride = 2), .between = true },
    { "linear residual", 24, 6, 6, build_linear_residual, SAME3(24), .between = true },
    { "three readers", 16, 7, 7, build_three_readers, SAME3(24) },
    { "three readers odd", 5, 7, 7, build_three_readers, SAME3(17), .between = true },
    { "concat odd", 3, 6, 6, build_concat, SAME3(17) },
    { "concat fire", 16, 7, 7, build_concat, SAME3(16), .between = true },
    { "concat itself", 5, 6, 6, build_concat_itself, .between = true },
    { "dense block", 16, 6, 6, build_dense, SAME3(12), .between = true },
    { "inverted residual", 8, 7, 7, build_inverted, .between = true },
    { "silu", 3, 7, 5, .build = build_act, .act = AFN_ACT_SILU },
    { "silu between", 17, 7, 5, .build = build_act, .act = AFN_ACT_SILU,
      .between = true },
    { "sigmoid", 5, 7, 5, .build = build_act, .act = AFN_ACT_SIGMOID },
    { "sigmoid between", 24, 7, 5, .build = build_act, .act = AFN_ACT_SIGMOID,
      .between = true },
    { "hardswish", 5, 7, 5, .build = build_act, .act = AFN_ACT_HARDSWISH },
    { "hardswish between", 17, 7, 5, .build = build_act, .act = AFN_ACT_HARDSWISH,
      .between = true },
    { "hardsigmoid", 5, 7, 5, .build = build_act, .act = AFN_ACT_HARDSIGMOID },
    { "hardsigmoid between", 17, 7, 5, .build = build_act, .act = AFN_ACT_HARDSIGMOID,
      .between = true },
    { "gelu", 5, 7, 5, .build = build_act, .act = AFN_ACT_GELU },
    { "gelu between", 17, 7, 5, .build = build_act, .act = AFN_ACT_GELU,
      .between = true },
    { "conv silu", 16, 7, 5, build_conv_act, SAME3(17), .act = AFN_ACT_SILU,
      .between = true },
    { "conv gelu", 16, 7, 5, build_conv_act, CONV(.oc = 24, .k = 1, .bias = true),
      .act = AFN_ACT_GELU, .between = true },
    { "conv bn silu", 16, 7, 5, build_conv_bn_act, SAME3(17), .act = AFN_ACT_SILU,
      .between = true },
    { "conv bn hardswish", 16, 7, 5, build_conv_bn_act, SAME3(17),
      .act = AFN_ACT_HARDSWISH, .between = true },
    { "conv bn gelu", 5, 7, 5, build_conv_bn_act, SAME3(8), .act = AFN_ACT_GELU },
    { "squeeze", 16, 7, 5, .build = build_squeeze, .between = true },
    { "squeeze odd", 17, 6, 6, .build = build_squeeze, .between = true },
    { "squeeze of the input", 3, 5, 4, .build = build_squeeze },
    { "mbconv silu", 8, 7, 7, .build = build_mbconv, .act = AFN_ACT_SILU,
      .between = true },
    { "mbconv hardswish", 11, 6, 7, .build = build_mbconv, .act = AFN_ACT_HARDSWISH,
      .between = true },
    { "layer norm", 5, 5, 4, .build = build_layer_norm },
    { "layer norm between", 33, 5, 4, .build = build_layer_norm, .between = true },
    { "layer norm wide", 96, 7, 7, .build = build_layer_norm, .between = true },
    { "layer norm flat", 17, 5, 4, build_layer_norm_flat, CONV(.oc = 6),
      .between = true },
    { "layer scale", 5, 5, 4, .build = build_layer_scale },
    { "layer scale between", 17, 5, 4, .build = build_layer_scale, .between = true },
    { "linear channels", 16, 5, 4, build_linear_channels, CONV(.oc = 24),
      .between = true },
    { "linear channels odd", 5, 5, 4, build_linear_channels, CONV(.oc = 17) },
    { "convnext block", 12, 8, 7, .build = build_convnext, .between = true },
    { "convnext block wide", 32, 7, 7, .build = build_convnext, .between = true },
    { "slice first", 17, 5, 4, .build = build_slice, .out_h = 0, .out_w = 9,
      .between = true },
    { "slice last", 17, 5, 4, .build = build_slice, .out_h = 9, .out_w = 8,
      .between = true },
    { "slice blocks", 48, 5, 4, .build = build_slice, .out_h = 16, .out_w = 16,
      .between = true },
    { "slice of the input", 5, 5, 4, .build = build_slice, .out_h = 1, .out_w = 3 },
    { "shuffle 2", 34, 5, 4, build_shuffle, CONV(.groups = 2), .between = true },
    { "shuffle 3", 9, 5, 4, build_shuffle, CONV(.groups = 3) },
    { "shuffle unit", 24, 7, 7, .build = build_shuffle_unit, .between = true },
    { "shuffle unit odd", 116, 4, 4, .build = build_shuffle_unit, .between = true },
    { "stochastic depth", 5, 5, 4, .build = build_stochastic_depth },
    { "stochastic depth between", 17, 5, 4, .build = build_stochastic_depth,
      .between = true },
    { "outputs", 16, 5, 4, build_outputs, CONV(.oc = 7), .between = true },
};
const int n_kernel_cases = (int)AFN_COUNT(kernel_cases);

afn_graph *case_graph(const kernel_case *k)
{
    afn_graph *g;
    if (afn_graph_new(&g, k->c, k->h, k->w) != AFN_OK) return NULL;
    const afn_conv plain = { .oc = k->c, .k = 1, .bias = true };
    afn_value x = afn_input(g);
    if (k->between) x = afn_conv2d(g, x, "before", plain);
    x = k->build(g, x, k);
    if (k->between && x >= 0 && afn_graph_node(g, x)->shape.rank == 3)
        x = afn_conv2d(g, x, "after", plain);
    if (afn_graph_finish(g, x) == AFN_OK) return g;
    afn_graph_free(g);
    return NULL;
}
