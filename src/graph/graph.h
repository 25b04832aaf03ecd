/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/graph: a network as data.
 *
 * A graph is an append-only array of nodes; every node makes one value, and the value's
 * id is the node's index, so array order is execution order.  Shapes are those of one
 * sample: the batch size is not part of a graph.  Building computes nothing.
 *
 * Builders return no status: the graph keeps its first error, later calls do nothing
 * and return AFN_NO_VALUE, and afn_graph_finish() reports once.
 *
 * Names are PyTorch's: enter("layer1.0") then conv2d(..., "conv1") makes the parameter
 * "layer1.0.conv1.weight".  Parameters keep the order in which they were made, which
 * family files arrange to be the order of torchvision's state_dict. */
#ifndef AFN_GRAPH_H
#define AFN_GRAPH_H

#include "tensor/tensor.h"

typedef struct afn_graph afn_graph;

/* Id of a value; negative where building failed. */
typedef int32_t afn_value;
enum { AFN_NO_VALUE = -1 };

/* ---- operators ---- */

typedef enum afn_op {
    AFN_OP_INPUT,      /* pixels, already normalised: (C,H,W) */
    AFN_OP_CONV2D,     /* weight (oc, ic/g, kh, kw), bias (oc) or none */
    AFN_OP_LINEAR,     /* weight (out, in), bias (out) or none */
    AFN_OP_BATCH_NORM, /* over (N,H,W) for each channel */
    AFN_OP_ACTIVATION, /* elementwise, see afn_act */
    AFN_OP_MAX_POOL,   /* padding counts as minus infinity */
    AFN_OP_AVG_POOL,
    AFN_OP_ADAPTIVE_AVG_POOL, /* to a fixed (H,W); (1,1) is the global mean */
    AFN_OP_FLATTEN,           /* (C,H,W) -> (C*H*W) in that order */
    AFN_OP_DROPOUT,           /* identity outside training */
    AFN_OP_ADD,               /* two values of one shape */
    AFN_OP_CONCAT,            /* along channels */
    AFN_OP_SCALE,             /* (C,H,W) times a (C,1,1) of the same sample */
    AFN_OP_LAYER_NORM,        /* over the channels of each pixel, or of a (C) */
    AFN_OP_LAYER_SCALE,       /* every channel times a parameter of its own, (C,1,1) */
    AFN_OP_SLICE,             /* some channels in a row */
    AFN_OP_SHUFFLE, /* channel i of g groups of k moves to (i % k) * g + i / k */
    AFN_OP_STOCHASTIC_DEPTH, /* in training whole samples are zeroed */
    AFN_OP_OUTPUTS,          /* the logits, and in training those of auxiliary heads */
    AFN_N_OPS
} afn_op;

typedef enum afn_act {
    AFN_ACT_RELU,
    AFN_ACT_RELU6,
    AFN_ACT_SILU,        /* x sigmoid(x) */
    AFN_ACT_SIGMOID,     /* 1 / (1 + exp(-x)) */
    AFN_ACT_HARDSWISH,   /* x hardsigmoid(x) */
    AFN_ACT_HARDSIGMOID, /* min(max(x + 3, 0), 6) / 6 */
    AFN_ACT_GELU,        /* x P(X <= x), X standard normal: the exact one */
    AFN_N_ACTS
} afn_act;

/* How a weight starts.  `std` is used where a rule names it. */
typedef enum afn_init_rule {
    AFN_INIT_DEFAULT, /* torch's nn.Conv2d / nn.Linear: weight and bias uniform in
                       * +-1/sqrt(fan_in); every other rule zeroes the bias */
    AFN_INIT_NORMAL,  /* mean 0, deviation std */
    AFN_INIT_KAIMING_NORMAL,  /* fan_out, gain of ReLU: deviation sqrt(2/fan_out) */
    AFN_INIT_KAIMING_UNIFORM, /* fan_in, gain of ReLU: +-sqrt(6/fan_in) */
    AFN_INIT_KAIMING_NORMAL_FAN_IN, /* gain of ReLU: deviation sqrt(2/fan_in) */
    AFN_INIT_UNIFORM_FAN_IN,        /* +-1/sqrt(fan_in), the default, bias apart */
    AFN_INIT_UNIFORM_FAN_OUT,       /* +-sqrt(std/fan_out) */
    AFN_INIT_CONSTANT,              /* std itself */
    AFN_INIT_ZEROS,
    AFN_INIT_ONES
} afn_init_rule;

typedef struct afn_init {
    afn_init_rule rule;
    float std;
    bool bias; /* the bias starts as by default whatever the rule */
} afn_init;

/* Layer parameters as a family writes them, always with field names.  A 0 in stride,
 * dilation or groups means 1; k, pad, stride set both directions, the directed fields
 * (kh, kw, ...) override where not 0. */
typedef struct afn_conv {
    int oc;
    int k, kh, kw;
    int stride;
    int pad, ph, pw;
    int dilation; /* PyTorch's: 1 = none */
    int groups;
    bool bias;
    const afn_init *init; /* NULL = the graph's current rule */
} afn_conv;

typedef struct afn_pool {
    int k, stride; /* stride 0 = k */
    int pad;
    bool ceil;        /* PyTorch's ceil_mode */
    bool exclude_pad; /* average pool: count_include_pad=False */
} afn_pool;

typedef struct afn_bn {
    float eps;      /* 0 = 1e-5 */
    float momentum; /* 0 = 0.1; PyTorch's sense: running += momentum * (batch - running)
                     */
} afn_bn;

/* ---- building ---- */

/* An empty graph for inputs of (channels, height, width).
 * Errors     AFN_ENOMEM, AFN_EINVAL for a size below 1 */
afn_status afn_graph_new(afn_graph **out, int channels, int height, int width);
void afn_graph_free(afn_graph *g);

afn_value afn_input(afn_graph *g);

/* Scope of names: entered scopes are joined by dots. */
void afn_enter(afn_graph *g, const char *fmt, ...) AFN_PRINTF(2, 3);
void afn_leave(afn_graph *g);

/* Initialisation of the layers that follow. */
void afn_set_conv_init(afn_graph *g, afn_init init);
void afn_set_linear_init(afn_graph *g, afn_init init);

afn_value afn_conv2d(afn_graph *g, afn_value x, const char *name, afn_conv c);
afn_value afn_linear(afn_graph *g, afn_value x, const char *name, int out);
afn_value afn_batch_norm(afn_graph *g, afn_value x, const char *name, afn_bn b);
afn_value afn_activation(afn_graph *g, afn_value x, afn_act act);
afn_value afn_relu(afn_graph *g, afn_value x);
afn_value afn_max_pool(afn_graph *g, afn_value x, afn_pool p);
afn_value afn_avg_pool(afn_graph *g, afn_value x, afn_pool p);
afn_value afn_adaptive_avg_pool(afn_graph *g, afn_value x, int h, int w);
afn_value afn_flatten(afn_graph *g, afn_value x);
afn_value afn_mean_hw(afn_graph *g, afn_value x); /* (C,H,W) -> (C) */
afn_value afn_dropout(afn_graph *g, afn_value x, float p);
afn_value afn_add(afn_graph *g, afn_value a, afn_value b);
afn_value afn_concat(afn_graph *g, int n, const afn_value *x);

/* Squeeze-excitation's last step: x (C,H,W) times s (C,1,1). */
afn_value afn_scale(afn_graph *g, afn_value x, afn_value s);

/* Parameters weight and bias (C).
 *   eps      PyTorch's default is 1e-5, ConvNeXt's 1e-6 */
afn_value afn_layer_norm(afn_graph *g, afn_value x, const char *name, float eps);

/* A parameter of (channels,1,1) that begins as `init`; its name has no ".weight".  Made
 * apart from the layer that uses it, since torchvision's blocks list it first.  For
 * afn_layer_scale(). */
typedef int afn_declared;
afn_declared afn_declare_scale(afn_graph *g, const char *name, int channels,
                               float init);
afn_value afn_layer_scale(afn_graph *g, afn_value x, afn_declared scale);

/* nn.Linear on the channels of each pixel, (C,H,W) -> (out,H,W): a 1x1 convolution
 * whose weight is (out, C). */
afn_value afn_linear_channels(afn_graph *g, afn_value x, const char *name, int out);

/* Channels first ... first + count - 1. */
afn_value afn_slice(afn_graph *g, afn_value x, int first, int count);

/* ShuffleNet's channel shuffle: (g, C/g) read as (C/g, g). */
afn_value afn_shuffle(afn_graph *g, afn_value x, int groups);

/* torchvision's StochasticDepth(p, "row"): in training each sample is zeroed with
 * probability p, the others grow by 1/(1-p). */
afn_value afn_stochastic_depth(afn_graph *g, afn_value x, float p);

/* An auxiliary classifier: in training its cross-entropy counts `weight` times. */
typedef struct afn_aux {
    afn_value logits; /* (classes) */
    float weight;
} afn_aux;

/* The output of a network with n auxiliary classifiers, all of as many classes.  A
 * training plan yields (1 + n) rows of logits for each sample, the main one first; an
 * inference plan leaves the others out. */
afn_value afn_outputs(afn_graph *g, afn_value logits, int n, const afn_aux *aux);

/* Whether a family is to make them: it asks; whoever wants a network without says so
 * before it is built. */
void afn_graph_skip_aux(afn_graph *g);
bool afn_graph_makes_aux(const afn_graph *g);
enum { AFN_MAX_AUX = 2 };

/* convolution then ReLU, the commonest pair. */
afn_value afn_conv_relu(afn_graph *g, afn_value x, const char *name, afn_conv c);

/* Report a family's own complaint (an input too small, say). */
void afn_graph_fail(afn_graph *g, afn_status code, const char *fmt, ...)
    AFN_PRINTF(3, 4);

/* Close the graph with its output.  Reports the first error of all builders.
 * Errors     AFN_ESHAPE, AFN_EINVAL, AFN_ENOMEM; the message names the node */
afn_status afn_graph_finish(afn_graph *g, afn_value output);

/* ---- reading ---- */

/* Full layer parameters, as stored in a node: nothing is implied any more. */
typedef struct afn_conv_attr {
    int oc, kh, kw, sh, sw, ph, pw, dh, dw, groups;
} afn_conv_attr;

typedef struct afn_pool_attr {
    int kh, kw, sh, sw, ph, pw;
    bool ceil, include_pad;
} afn_pool_attr;

typedef struct afn_bn_attr {
    float eps, momentum;
} afn_bn_attr;

/* Slots of afn_node.param; -1 where a node has no such parameter. */
enum {
    AFN_WEIGHT,
    AFN_BIAS,
    AFN_RUNNING_MEAN,
    AFN_RUNNING_VAR,
    AFN_NUM_BATCHES,
    AFN_MAX_PARAMS
};

typedef struct afn_node {
    afn_op op;
    int n_inputs;
    const afn_value *input; /* [n_inputs] */
    afn_shape shape;        /* of the value it makes: (C,H,W) or (C) */
    union {
        afn_conv_attr conv;
        afn_pool_attr pool;
        afn_bn_attr bn;
        afn_act act;
        float p;    /* probability of dropout, of stochastic depth */
        float eps;  /* of layer norm */
        int groups; /* of shuffle */
        struct {
            int first, count;
        } slice;
        float aux_weight[AFN_MAX_AUX]; /* of outputs; [n_inputs - 1] */
    } attr;
    int param[AFN_MAX_PARAMS]; /* index into the parameter list */
    const char *name;          /* "layer1.0.conv1", "" for a layer without one */
    bool main; /* the main output depends on it; set when the graph is finished */
} afn_node;

/* One entry of the state dict. */
typedef struct afn_param {
    const char *name; /* "layer1.0.conv1.weight" */
    afn_shape shape;  /* PyTorch's */
    afn_dtype dtype;  /* AFN_F32; AFN_I64 for num_batches_tracked */
    bool buffer;      /* a running statistic: never trained by gradient */
    afn_init init;
    float fan_in, fan_out; /* of the weight this belongs to */
    afn_value node;        /* the node that uses it */
    int slot;              /* AFN_WEIGHT ... */
} afn_param;

int afn_graph_n_nodes(const afn_graph *g);
const afn_node *afn_graph_node(const afn_graph *g, afn_value v);
afn_value afn_graph_output(const afn_graph *g);

/* Auxiliary classifiers, 0 mostly, and the weight of each one's loss. */
int afn_graph_n_aux(const afn_graph *g);
float afn_graph_aux_weight(const afn_graph *g, int i);
int afn_graph_classes(const afn_graph *g); /* logits of the main classifier */
int afn_graph_n_params(const afn_graph *g);
const afn_param *afn_graph_param(const afn_graph *g, int i);
int afn_graph_find_param(const afn_graph *g, const char *name); /* -1 where none */

const char *afn_op_name(afn_op op);
const char *afn_act_name(afn_act act);

/* Output length of a convolution or pool window along one side, PyTorch's rule. */
int64_t afn_conv_out(int64_t in, int k, int stride, int pad, int dilation);
int64_t afn_pool_out(int64_t in, int k, int stride, int pad, bool ceil);

/* Multiply-accumulates of convolutions and linear layers for one sample: of one node,
 * 0 where it is neither, and of all that the main output depends on. */
double afn_node_macs(const afn_graph *g, const afn_node *n);
double afn_graph_macs(const afn_graph *g);

/* One line per node, for people; and what sets one node apart from others of its op:
 * "3x3/2 pad 1", "" where nothing does. */
void afn_graph_dump(const afn_graph *g, afn_buf *out);
void afn_node_detail(const afn_node *n, char *text, size_t bytes);

/* ---- values of the parameters ---- */

/* Host copies in PyTorch's layout: the truth between plans. */
typedef struct afn_params afn_params;

/* Values for every parameter of g, all zero.
 * Memory     borrows nothing from g */
afn_status afn_params_new(afn_params **out, const afn_graph *g);
void afn_params_free(afn_params *p);
int afn_params_count(const afn_params *p);
int64_t afn_params_size(const afn_params *p, int i); /* elements */
int64_t afn_params_bytes(const afn_params *p);       /* of all of them */
float *afn_params_f32(const afn_params *p, int i);   /* NULL for an int64 one */
int64_t *afn_params_i64(const afn_params *p, int i); /* NULL for a float one */

/* Fill parameter i, or all, as its init rule says, from (seed, index). */
void afn_params_init(afn_params *p, const afn_graph *g, int i, uint64_t seed);
void afn_params_init_all(afn_params *p, const afn_graph *g, uint64_t seed);

#endif
