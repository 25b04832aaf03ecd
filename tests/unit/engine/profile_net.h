/* SPDX-License-Identifier: Apache-2.0 */
/* A network small enough to count by hand, for the tests of measuring:
 *   conv1  3 -> 4 channels, 3x3, pad 1, on 8x8:  4*3*9*64 = 6912 multiply-accumulates
 *   bn1, ReLU
 *   conv2  4 -> 4 channels, 1x1, bias, on 8x8:   4*4*64 = 1024
 *   mean, fc 4 -> 2:                             8 */
#ifndef AFN_PROFILE_NET_H
#define AFN_PROFILE_NET_H

#include "afn_test.h"
#include "engine/engine.h"

enum { SIDE = 8, BATCH = 3, OUT = 2, CONV1 = 6912, CONV2 = 1024, FC = 8 };

typedef struct small_net {
    afn_graph *g;
    afn_params *params;
    afn_plan *plan;
    uint8_t pixels[BATCH * SIDE * SIDE * 3];
} small_net;

/* A plan that trains the parameters whose names match; "" for inference. */
static inline small_net open_small_with(const char *trained, const char *backend,
                                        bool update_at_once)
{
    small_net n = { .pixels = { 1, 2, 3 } };
    assert_ok(afn_graph_new(&n.g, 3, SIDE, SIDE));
    afn_value x = afn_input(n.g);
    x = afn_conv2d(n.g, x, "conv1", (afn_conv){ .oc = 4, .k = 3, .pad = 1 });
    x = afn_batch_norm(n.g, x, "bn1", (afn_bn){ 0 });
    x = afn_relu(n.g, x);
    x = afn_conv2d(n.g, x, "conv2", (afn_conv){ .oc = 4, .k = 1, .bias = true });
    x = afn_mean_hw(n.g, x);
    x = afn_linear(n.g, x, "fc", OUT);
    assert_ok(afn_graph_finish(n.g, x));
    assert_ok(afn_params_new(&n.params, n.g));
    afn_params_init_all(n.params, n.g, 1);
    bool trainable[16] = { false };
    for (int i = 0; i < afn_graph_n_params(n.g); i++)
        trainable[i] = afn_glob(trained, afn_graph_param(n.g, i)->name);
    const afn_plan_opts o = { .batch = BATCH,
                              .train = *trained != '\0',
                              .trainable = trainable,
                              .update_at_once = update_at_once,
                              .threads = 1,
                              .backend = backend };
    assert_ok(afn_plan_new(&n.plan, n.g, n.params, &o));
    return n;
}

static inline small_net open_small(const char *trained, const char *backend)
{
    return open_small_with(trained, backend, false);
}

static inline void close_small(small_net *n)
{
    afn_plan_free(n->plan);
    afn_params_free(n->params);
    afn_graph_free(n->g);
}

#endif
