/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/graph: storage of a graph. */
#ifndef AFN_GRAPH_NODE_H
#define AFN_GRAPH_NODE_H

#include "graph/graph.h"

enum { AFN_MAX_SCOPE = 256 };

struct afn_graph {
    afn_node *node;
    int n_nodes, cap_nodes;
    afn_param *param;
    int n_params, cap_params;
    afn_value output;
    bool skip_aux;
    afn_shape input;
    afn_init conv_init, linear_init;
    char scope[AFN_MAX_SCOPE];  /* "layer1.0", "" at the top */
    int scope_start[16], depth; /* length of scope before each enter */
    afn_status error;           /* first failure, with its text */
    char error_text[256];
};

/* Append a node.  Its inputs are copied; its shape comes from the op's rule.
 * Returns its id, or AFN_NO_VALUE with the error kept in g. */
afn_value afn_graph__append(afn_graph *g, const afn_node *node);

/* Append a parameter of node v: its name is the node's plus ".suffix". */
void afn_graph__add_param(afn_graph *g, afn_value v, int slot, const char *suffix,
                          afn_param proto);

/* Append a parameter that no node uses yet; returns its index, -1 with the error kept.
 */
int afn_graph__declare(afn_graph *g, const char *name, afn_param proto);

/* "scope.name" in memory of the graph, NULL (and the error kept) on failure. */
char *afn_graph__scoped(afn_graph *g, const char *name);

/* Set node->shape from its inputs; false with the error kept in g. */
bool afn_op__shape(afn_graph *g, afn_node *node);

#endif
