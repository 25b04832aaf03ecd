/* SPDX-License-Identifier: Apache-2.0 */
/* One training step of one operator, for check_ops.py:
 *
 *   ops_tool BACKEND OP N C H W [key=value ...]
 *
 * Keys are the fields of afn_conv and afn_pool, and oh, ow, out, eps, momentum.  Reads
 * fp32 from standard input: the input, every float parameter, the gradient of the
 * output.  Writes fp32: the output, the gradient of the input, the gradient of every
 * trained parameter, then the running statistics. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "floats.h"

typedef struct request {
    char **arg;
    int n_args;
} request;

static double key(const request *r, const char *name, double fallback)
{
    const size_t n = strlen(name);
    for (int i = 0; i < r->n_args; i++)
        if (strncmp(r->arg[i], name, n) == 0 && r->arg[i][n] == '=')
            return atof(r->arg[i] + n + 1);
    return fallback;
}

static int whole(const request *r, const char *name)
{
    return (int)key(r, name, 0);
}

static afn_value conv2d(afn_graph *g, afn_value x, const request *r)
{
    return afn_conv2d(g, x, "op",
                      (afn_conv){ .oc = whole(r, "oc"),
                                  .kh = whole(r, "kh"),
                                  .kw = whole(r, "kw"),
                                  .stride = whole(r, "stride"),
                                  .ph = whole(r, "ph"),
                                  .pw = whole(r, "pw"),
                                  .dilation = whole(r, "dilation"),
                                  .groups = whole(r, "groups"),
                                  .bias = whole(r, "bias") });
}

static afn_pool pool(const request *r)
{
    return (afn_pool){ .k = whole(r, "k"),
                       .stride = whole(r, "stride"),
                       .pad = whole(r, "pad"),
                       .ceil = whole(r, "ceil"),
                       .exclude_pad = whole(r, "exclude_pad") };
}

static afn_value max_pool(afn_graph *g, afn_value x, const request *r)
{
    return afn_max_pool(g, x, pool(r));
}

static afn_value avg_pool(afn_graph *g, afn_value x, const request *r)
{
    return afn_avg_pool(g, x, pool(r));
}

static afn_value adaptive(afn_graph *g, afn_value x, const request *r)
{
    return afn_adaptive_avg_pool(g, x, whole(r, "oh"), whole(r, "ow"));
}

static afn_value batch_norm(afn_graph *g, afn_value x, const request *r)
{
    return afn_batch_norm(g, x, "op",
                          (afn_bn){ .eps = (float)key(r, "eps", 0),
                                    .momentum = (float)key(r, "momentum", 0) });
}

static afn_value relu(afn_graph *g, afn_value x, const request *r)
{
    (void)r;
    return afn_relu(g, x);
}

static afn_value relu6(afn_graph *g, afn_value x, const request *r)
{
    (void)r;
    return afn_activation(g, x, AFN_ACT_RELU6);
}

/* act: an afn_act */
static afn_value activation(afn_graph *g, afn_value x, const request *r)
{
    static const struct {
        const char *name;
        afn_act act;
    } row[] = { { "sigmoid", AFN_ACT_SIGMOID },
                { "silu", AFN_ACT_SILU },
                { "hardsigmoid", AFN_ACT_HARDSIGMOID },
                { "hardswish", AFN_ACT_HARDSWISH },
                { "gelu", AFN_ACT_GELU } };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        if (key(r, row[i].name, 0) != 0) return afn_activation(g, x, row[i].act);
    return AFN_NO_VALUE;
}

static afn_value scale(afn_graph *g, afn_value x, const request *r)
{
    (void)r;
    const afn_value mean = afn_adaptive_avg_pool(g, x, 1, 1);
    return afn_scale(g, x, mean);
}

static afn_value layer_norm(afn_graph *g, afn_value x, const request *r)
{
    return afn_layer_norm(g, x, "op", (float)key(r, "eps", 0));
}

static afn_value layer_norm_flat(afn_graph *g, afn_value x, const request *r)
{
    const afn_value flat = afn_flatten(g, x);
    return layer_norm(g, flat, r);
}

static afn_value layer_scale(afn_graph *g, afn_value x, const request *r)
{
    const afn_declared p = afn_declare_scale(g, "op", whole(r, "c"), 1);
    return afn_layer_scale(g, x, p);
}

static afn_value linear_channels(afn_graph *g, afn_value x, const request *r)
{
    return afn_linear_channels(g, x, "op", whole(r, "out"));
}

static afn_value slice(afn_graph *g, afn_value x, const request *r)
{
    return afn_slice(g, x, whole(r, "first"), whole(r, "count"));
}

static afn_value shuffle(afn_graph *g, afn_value x, const request *r)
{
    return afn_shuffle(g, x, whole(r, "groups"));
}

static afn_value linear(afn_graph *g, afn_value x, const request *r)
{
    const afn_value flat = afn_flatten(g, x);
    return afn_linear(g, flat, "op", whole(r, "out"));
}

static const struct {
    const char *name;
    afn_value (*build)(afn_graph *g, afn_value x, const request *r);
} op_table[] = {
    { "conv2d", conv2d },
    { "max_pool", max_pool },
    { "avg_pool", avg_pool },
    { "adaptive", adaptive },
    { "batch_norm", batch_norm },
    { "relu", relu },
    { "relu6", relu6 },
    { "linear", linear },
    { "activation", activation },
    { "scale", scale },
    { "layer_norm", layer_norm },
    { "layer_norm_flat", layer_norm_flat },
    { "layer_scale", layer_scale },
    { "linear_channels", linear_channels },
    { "slice", slice },
    { "shuffle", shuffle },
};

static afn_status build(afn_graph **out, const char *op, const int *chw,
                        const request *r)
{
    afn_graph *g;
    afn_value y = AFN_NO_VALUE;
    const afn_status st = afn_graph_new(&g, chw[0], chw[1], chw[2]);
    *out = g;
    if (st != AFN_OK) return st;
    const afn_value x = afn_input(g);
    for (size_t i = 0; i < AFN_COUNT(op_table); i++)
        if (strcmp(op_table[i].name, op) == 0) y = op_table[i].build(g, x, r);
    return afn_graph_finish(g, y);
}

static int64_t count_of(const afn_graph *g, afn_value v)
{
    return afn_shape_count(&afn_graph_node(g, v)->shape);
}

static afn_status write_gradients(const afn_plan *plan, const afn_params *p,
                                  const bool *trainable)
{
    afn_status st = AFN_OK;
    for (int i = 0; i < afn_params_count(p) && st == AFN_OK; i++) {
        if (!trainable[i]) continue;
        float *v = numbers(afn_params_size(p, i));
        st = afn_plan_gradient(plan, i, v);
        write_floats(v, afn_params_size(p, i));
        free(v);
    }
    return st;
}

static afn_status run(const afn_graph *g, const char *backend, int64_t n)
{
    afn_status st = AFN_OK;
    afn_params *p = NULL;
    afn_plan *plan = NULL;
    bool trainable[8] = { 0 };
    const int64_t in = n * count_of(g, 0), out = n * count_of(g, afn_graph_output(g));
    float *x = numbers(in), *y = numbers(out);

    AFN_TRY(afn_params_new(&p, g));
    AFN_TRY(read_floats(x, in));
    for (int i = 0; i < afn_params_count(p); i++) {
        trainable[i] = !afn_graph_param(g, i)->buffer;
        if (afn_params_f32(p, i))
            AFN_TRY(read_floats(afn_params_f32(p, i), afn_params_size(p, i)));
    }
    AFN_TRY(afn_plan_new(&plan, g, p,
                         &(afn_plan_opts){ .batch = n,
                                           .train = true,
                                           .trainable = trainable,
                                           .bn = AFN_BN_BATCH,
                                           .input_gradient = true,
                                           .threads = 1,
                                           .backend = backend }));
    AFN_TRY(afn_plan_forward_f32(plan, x, n, y));
    write_floats(y, out);
    AFN_TRY(read_floats(y, out));
    AFN_TRY(afn_plan_backward(plan, y));
    AFN_TRY(afn_plan_input_gradient(plan, x));
    write_floats(x, in);
    AFN_TRY(write_gradients(plan, p, trainable));
    AFN_TRY(afn_plan_sync(plan));
    for (int i = 0; i < afn_params_count(p); i++)
        if (!trainable[i] && afn_params_f32(p, i))
            write_floats(afn_params_f32(p, i), afn_params_size(p, i));
done:
    afn_plan_free(plan);
    afn_params_free(p);
    free(x);
    free(y);
    return st;
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "usage: ops_tool BACKEND OP N C H W [key=value ...]\n");
        return 2;
    }
    afn_graph *g = NULL;
    const request r = { argv + 7, argc - 7 };
    const int chw[] = { atoi(argv[4]), atoi(argv[5]), atoi(argv[6]) };
    afn_status st = build(&g, argv[2], chw, &r);
    if (st == AFN_OK) st = run(g, argv[1], atoi(argv[3]));
    if (st != AFN_OK) fprintf(stderr, "ops_tool: %s\n", afn_error_message());
    afn_graph_free(g);
    return st != AFN_OK;
}
