/* SPDX-License-Identifier: Apache-2.0 */
/* A graph as text for people, and the count of its arithmetic. */
#include <inttypes.h>
#include <stdio.h>

#include "graph/graph.h"

double afn_node_macs(const afn_graph *g, const afn_node *n)
{
    if (n->op != AFN_OP_CONV2D && n->op != AFN_OP_LINEAR) return 0;
    const afn_param *w = afn_graph_param(g, n->param[AFN_WEIGHT]);
    const double pixels =
        n->shape.rank == 3 ? (double)(n->shape.dim[1] * n->shape.dim[2]) : 1.0;
    return pixels * (double)afn_shape_count(&w->shape);
}

double afn_graph_macs(const afn_graph *g)
{
    double macs = 0;
    for (int i = 0; i < afn_graph_n_nodes(g); i++)
        if (afn_graph_node(g, i)->main) macs += afn_node_macs(g, afn_graph_node(g, i));
    return macs;
}

/* Text with a blank before it. */
static void attributes(const afn_node *n, afn_buf *out)
{
    if (n->op == AFN_OP_CONV2D) {
        const afn_conv_attr *c = &n->attr.conv;
        afn_buf_fmt(out, " %dx%d/%d pad %d", c->kh, c->kw, c->sh, c->ph);
        if (c->dh > 1) afn_buf_fmt(out, " dilation %d", c->dh);
        if (c->groups > 1) afn_buf_fmt(out, " groups %d", c->groups);
    } else if (n->op == AFN_OP_MAX_POOL || n->op == AFN_OP_AVG_POOL) {
        const afn_pool_attr *p = &n->attr.pool;
        afn_buf_fmt(out, " %dx%d/%d pad %d%s", p->kh, p->kw, p->sh, p->ph,
                    p->ceil ? " ceil" : "");
    } else if (n->op == AFN_OP_ACTIVATION) {
        afn_buf_fmt(out, " %s", afn_act_name(n->attr.act));
    } else if (n->op == AFN_OP_DROPOUT || n->op == AFN_OP_STOCHASTIC_DEPTH) {
        afn_buf_fmt(out, " %g", (double)n->attr.p);
    } else if (n->op == AFN_OP_SLICE) {
        afn_buf_fmt(out, " %d to %d", n->attr.slice.first,
                    n->attr.slice.first + n->attr.slice.count - 1);
    } else if (n->op == AFN_OP_SHUFFLE) {
        afn_buf_fmt(out, " %d", n->attr.groups);
    }
}

void afn_node_detail(const afn_node *n, char *text, size_t bytes)
{
    afn_buf b = { 0 };
    attributes(n, &b);
    snprintf(text, bytes, "%s",
             afn_buf_finish(&b) == AFN_OK && b.size ? b.data + 1 : "");
    afn_buf_free(&b);
}

void afn_graph_dump(const afn_graph *g, afn_buf *out)
{
    char text[64];
    for (int i = 0; i < afn_graph_n_nodes(g); i++) {
        const afn_node *n = afn_graph_node(g, i);
        afn_buf_fmt(out, "%%%d %s", i, afn_op_name(n->op));
        if (*n->name) afn_buf_fmt(out, " %s", n->name);
        attributes(n, out);
        for (int k = 0; k < n->n_inputs; k++)
            afn_buf_fmt(out, "%s%%%d", k ? ", " : " <- ", n->input[k]);
        afn_buf_fmt(out, " -> %s\n", afn_shape_text(&n->shape, text, sizeof text));
    }
}
