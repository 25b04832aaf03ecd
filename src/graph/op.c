/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operators: name and shape rule of each.  A rule reads the inputs' shapes
 * and the node's attributes and sets the node's shape, or complains by name. */
#include <inttypes.h>

#include "graph/node.h"

static const afn_shape *in_shape(const afn_graph *g, const afn_node *n, int i)
{
    return &g->node[n->input[i]].shape;
}

static const char *label(const afn_node *n)
{
    return *n->name ? n->name : afn_op_name(n->op);
}

static bool complain(afn_graph *g, const afn_node *n, const afn_shape *got,
                     const char *expected)
{
    char text[64];
    afn_graph_fail(g, AFN_ESHAPE, "%s: input %s, expected %s", label(n),
                   afn_shape_text(got, text, sizeof text), expected);
    return false;
}

int64_t afn_conv_out(int64_t in, int k, int stride, int pad, int dilation)
{
    const int64_t room = in + (int64_t)2 * pad - (int64_t)dilation * (k - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
}

int64_t afn_pool_out(int64_t in, int k, int stride, int pad, bool ceil)
{
    /* Rounding up lets the last window stick out, even the only one: 2 pixels under a
     * window of 3 with stride 2 give 1. */
    const int64_t room = in + (int64_t)2 * pad - k + (ceil ? stride - 1 : 0);
    if (room < 0) return 0;
    const int64_t out = room / stride + 1;
    /* ... but no window lies wholly in the padding. */
    return ceil && (out - 1) * stride >= in + pad ? out - 1 : out;
}

static bool too_small(afn_graph *g, const afn_node *n, const afn_shape *x)
{
    char text[64];
    afn_graph_fail(g, AFN_ESHAPE, "%s: input %s is smaller than the window", label(n),
                   afn_shape_text(x, text, sizeof text));
    return false;
}

/* An attribute that makes no sense whatever the input is. */
static bool refuse(afn_graph *g, const afn_node *n, const char *what)
{
    afn_graph_fail(g, AFN_EINVAL, "%s: %s", label(n), what);
    return false;
}

static bool shape_input(afn_graph *g, afn_node *n)
{
    n->shape = g->input;
    return true;
}

static bool shape_same(afn_graph *g, afn_node *n)
{
    n->shape = *in_shape(g, n, 0);
    return true;
}

static bool shape_conv2d(afn_graph *g, afn_node *n)
{
    const afn_shape *x = in_shape(g, n, 0);
    const afn_conv_attr *c = &n->attr.conv;
    if (c->oc < 1) return refuse(g, n, "output channels below 1");
    if (c->kh < 1 || c->kw < 1) return refuse(g, n, "window below 1");
    if (c->sh < 1 || c->sw < 1 || c->dh < 1 || c->dw < 1 || c->groups < 1)
        return refuse(g, n, "stride, dilation or groups below 1");
    if (c->ph < 0 || c->pw < 0) return refuse(g, n, "padding below 0");
    if (x->rank != 3) return complain(g, n, x, "(C,H,W)");
    if (x->dim[0] % c->groups || c->oc % c->groups)
        return complain(g, n, x, "channels that the groups divide");
    const int64_t oh = afn_conv_out(x->dim[1], c->kh, c->sh, c->ph, c->dh);
    const int64_t ow = afn_conv_out(x->dim[2], c->kw, c->sw, c->pw, c->dw);
    if (oh < 1 || ow < 1) return too_small(g, n, x);
    n->shape = AFN_SHAPE(c->oc, oh, ow);
    return true;
}

/* The width is set by the builder, which knows it; here only the input is checked. */
static bool shape_linear(afn_graph *g, afn_node *n)
{
    const afn_shape *x = in_shape(g, n, 0);
    if (n->shape.dim[0] < 1) return refuse(g, n, "output width below 1");
    return x->rank == 1 ? true : complain(g, n, x, "(C)");
}

static bool shape_batch_norm(afn_graph *g, afn_node *n)
{
    const afn_shape *x = in_shape(g, n, 0);
    n->shape = *x;
    return x->rank == 3 ? true : complain(g, n, x, "(C,H,W)");
}

static bool shape_pool(afn_graph *g, afn_node *n)
{
    const afn_shape *x = in_shape(g, n, 0);
    const afn_pool_attr *p = &n->attr.pool;
    if (p->kh < 1 || p->kw < 1) return refuse(g, n, "window below 1");
    if (p->sh < 1 || p->sw < 1) return refuse(g, n, "stride below 1");
    if (p->ph < 0 || p->pw < 0 || p->ph > p->kh / 2 || p->pw > p->kw / 2)
        return refuse(g, n, "padding outside 0 to half the window");
    if (x->rank != 3) return complain(g, n, x, "(C,H,W)");
    const int64_t oh = afn_pool_out(x->dim[1], p->kh, p->sh, p->ph, p->ceil);
    const int64_t ow = afn_pool_out(x->dim[2], p->kw, p->sw, p->pw, p->ceil);
    if (oh < 1 || ow < 1) return too_small(g, n, x);
    n->shape = AFN_SHAPE(x->dim[0], oh, ow);
    return true;
}

static bool shape_adaptive(afn_graph *g, afn_node *n)
{
    const afn_shape *x = in_shape(g, n, 0);
    const afn_pool_attr *p = &n->attr.pool;
    if (p->kh < 1 || p->kw < 1) return refuse(g, n, "output size below 1");
    if (x->rank != 3) return complain(g, n, x, "(C,H,W)");
    n->shape = AFN_SHAPE(x->dim[0], p->kh, p->kw);
    return true;
}

static bool shape_flatten(afn_graph *g, afn_node *n)
{
    n->shape = AFN_SHAPE(afn_shape_count(in_shape(g, n, 0)));
    return true;
}

static bool shape_dropout(afn_graph *g, afn_node *n)
{
    n->shape = *in_shape(g, n, 0);
    return n->attr.p >= 0 && n->attr.p <= 1
               ? true
               : refuse(g, n, "probability outside 0 to 1");
}

static bool shape_add(afn_graph *g, afn_node *n)
{
    const afn_shape *a = in_shape(g, n, 0), *b = in_shape(g, n, 1);
    char text[64];
    n->shape = *a;
    return afn_shape_equal(a, b)
               ? true
               : complain(g, n, b, afn_shape_text(a, text, sizeof text));
}

static bool shape_concat(afn_graph *g, afn_node *n)
{
    if (n->n_inputs < 1) return refuse(g, n, "no inputs");
    const afn_shape *a = in_shape(g, n, 0);
    int64_t channels = 0;
    if (a->rank != 3) return complain(g, n, a, "(C,H,W)");
    for (int i = 0; i < n->n_inputs; i++) {
        const afn_shape *x = in_shape(g, n, i);
        if (x->rank != 3 || x->dim[1] != a->dim[1] || x->dim[2] != a->dim[2])
            return complain(g, n, x, "the same height and width as the first");
        channels += x->dim[0];
    }
    n->shape = AFN_SHAPE(channels, a->dim[1], a->dim[2]);
    return true;
}

static bool shape_scale(afn_graph *g, afn_node *n)
{
    const afn_shape *x = in_shape(g, n, 0), *s = in_shape(g, n, 1);
    n->shape = *x;
    if (x->rank != 3) return complain(g, n, x, "(C,H,W)");
    if (s->rank != 3 || s->dim[0] != x->dim[0] || s->dim[1] != 1 || s->dim[2] != 1)
        return complain(g, n, s, "(C,1,1) with the channels of what it scales");
    return true;
}

static bool shape_layer_norm(afn_graph *g, afn_node *n)
{
    const afn_shape *x = in_shape(g, n, 0);
    n->shape = *x;
    if (!(n->attr.eps > 0)) return refuse(g, n, "eps is not above 0");
    return x->rank == 3 || x->rank == 1 ? true : complain(g, n, x, "(C,H,W) or (C)");
}

static bool shape_layer_scale(afn_graph *g, afn_node *n)
{
    const afn_shape *x = in_shape(g, n, 0);
    n->shape = *x;
    return x->rank == 3 ? true : complain(g, n, x, "(C,H,W)");
}

static bool shape_slice(afn_graph *g, afn_node *n)
{
    const afn_shape *x = in_shape(g, n, 0);
    const int64_t first = n->attr.slice.first, count = n->attr.slice.count;
    if (x->rank != 3) return complain(g, n, x, "(C,H,W)");
    if (first < 0 || count < 1 || first + count > x->dim[0])
        return complain(g, n, x, "the channels of the slice");
    n->shape = AFN_SHAPE(count, x->dim[1], x->dim[2]);
    return true;
}

static bool shape_shuffle(afn_graph *g, afn_node *n)
{
    const afn_shape *x = in_shape(g, n, 0);
    n->shape = *x;
    if (n->attr.groups < 1) return refuse(g, n, "groups below 1");
    if (x->rank != 3 || x->dim[0] % n->attr.groups)
        return complain(g, n, x, "channels that the groups divide");
    return true;
}

static bool shape_outputs(afn_graph *g, afn_node *n)
{
    const afn_shape *main = in_shape(g, n, 0);
    char text[64];
    if (main->rank != 1) return complain(g, n, main, "(classes)");
    for (int i = 1; i < n->n_inputs; i++)
        if (!afn_shape_equal(in_shape(g, n, i), main))
            return complain(g, n, in_shape(g, n, i),
                            afn_shape_text(main, text, sizeof text));
    n->shape = AFN_SHAPE(main->dim[0] * n->n_inputs);
    return true;
}

static const struct {
    const char *name;
    bool (*shape)(afn_graph *g, afn_node *n);
} op_table[] = {
    [AFN_OP_INPUT] = { "input", shape_input },
    [AFN_OP_CONV2D] = { "conv2d", shape_conv2d },
    [AFN_OP_LINEAR] = { "linear", shape_linear },
    [AFN_OP_BATCH_NORM] = { "batch_norm", shape_batch_norm },
    [AFN_OP_ACTIVATION] = { "activation", shape_same },
    [AFN_OP_MAX_POOL] = { "max_pool", shape_pool },
    [AFN_OP_AVG_POOL] = { "avg_pool", shape_pool },
    [AFN_OP_ADAPTIVE_AVG_POOL] = { "adaptive_avg_pool", shape_adaptive },
    [AFN_OP_FLATTEN] = { "flatten", shape_flatten },
    [AFN_OP_DROPOUT] = { "dropout", shape_dropout },
    [AFN_OP_ADD] = { "add", shape_add },
    [AFN_OP_CONCAT] = { "concat", shape_concat },
    [AFN_OP_SCALE] = { "scale", shape_scale },
    [AFN_OP_LAYER_NORM] = { "layer_norm", shape_layer_norm },
    [AFN_OP_LAYER_SCALE] = { "layer_scale", shape_layer_scale },
    [AFN_OP_SLICE] = { "slice", shape_slice },
    [AFN_OP_SHUFFLE] = { "shuffle", shape_shuffle },
    [AFN_OP_STOCHASTIC_DEPTH] = { "stochastic_depth", shape_dropout },
    [AFN_OP_OUTPUTS] = { "outputs", shape_outputs },
};
static_assert(AFN_COUNT(op_table) == AFN_N_OPS, "one row per op");

static const char *const act_name[] = {
    [AFN_ACT_RELU] = "relu",           [AFN_ACT_RELU6] = "relu6",
    [AFN_ACT_SILU] = "silu",           [AFN_ACT_SIGMOID] = "sigmoid",
    [AFN_ACT_HARDSWISH] = "hardswish", [AFN_ACT_HARDSIGMOID] = "hardsigmoid",
    [AFN_ACT_GELU] = "gelu",
};
static_assert(AFN_COUNT(act_name) == AFN_N_ACTS, "one name per activation");

const char *afn_op_name(afn_op op)
{
    return op >= 0 && op < AFN_N_OPS ? op_table[op].name : "unknown";
}

const char *afn_act_name(afn_act act)
{
    return act >= 0 && act < AFN_N_ACTS ? act_name[act] : "unknown";
}

bool afn_op__shape(afn_graph *g, afn_node *node)
{
    if (!op_table[node->op].shape(g, node)) return false;
    return afn_shape_count(&node->shape) > 0 ? true : refuse(g, node, "too large");
}
