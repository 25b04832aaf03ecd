/* SPDX-License-Identifier: Apache-2.0 */
/* A small network of the zoo with fresh weights and some noise to look at, for the
 * tests of plans. */
#ifndef AFN_ZOO_NET_H
#define AFN_ZOO_NET_H

#include "afn_test.h"
#include "engine/plan.h"
#include "zoo/zoo.h"

enum { SIZE = 64, CLASSES = 4, PIXELS = SIZE * SIZE * 3 };

typedef struct net {
    afn_graph *g;
    afn_params *params;
    bool *trainable;
    uint8_t *pixels; /* (images, SIZE, SIZE, 3) */
} net;

/*   pattern  of the parameters that train */
static inline net open_net(const char *name, const char *pattern, int images)
{
    net n = { 0 };
    afn_arch arch;
    assert_ok(afn_zoo_find(&arch, name));
    assert_ok(afn_zoo_build(&n.g, &arch, CLASSES, SIZE, SIZE));
    assert_ok(afn_params_new(&n.params, n.g));
    afn_params_init_all(n.params, n.g, 1);
    n.trainable = test_calloc((size_t)afn_graph_n_params(n.g), sizeof *n.trainable);
    for (int i = 0; i < afn_graph_n_params(n.g); i++)
        n.trainable[i] = afn_glob(pattern, afn_graph_param(n.g, i)->name);
    n.pixels = test_malloc((size_t)images * PIXELS);
    afn_rng rng = afn_rng_new(1, afn_rng_stream(AFN_RNG_TEST, 1, 0));
    for (int i = 0; i < images * PIXELS; i++) n.pixels[i] = (uint8_t)afn_rng_u32(&rng);
    return n;
}

static inline void close_net(net *n)
{
    afn_graph_free(n->g);
    afn_params_free(n->params);
    test_free(n->trainable);
    test_free(n->pixels);
}

#endif
