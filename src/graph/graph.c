/* SPDX-License-Identifier: Apache-2.0 */
/* Storage of a graph: nodes, parameters, scopes, the first error. */
#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph/node.h"

afn_status afn_graph_new(afn_graph **out, int channels, int height, int width)
{
    *out = NULL;
    if (channels < 1 || height < 1 || width < 1)
        return afn_fail(AFN_EINVAL, "input of %d channels, %dx%d pixels", channels,
                        height, width);
    afn_graph *g = afn_alloc(sizeof *g);
    if (!g) return afn_fail(AFN_ENOMEM, "out of memory");
    g->input = AFN_SHAPE(channels, height, width);
    g->output = AFN_NO_VALUE;
    *out = g;
    return AFN_OK;
}

void afn_graph_free(afn_graph *g)
{
    if (!g) return;
    for (int i = 0; i < g->n_nodes; i++) {
        afn_free((void *)g->node[i].input);
        afn_free((void *)g->node[i].name);
    }
    for (int i = 0; i < g->n_params; i++) afn_free((void *)g->param[i].name);
    afn_free(g->node);
    afn_free(g->param);
    afn_free(g);
}

void afn_graph_fail(afn_graph *g, afn_status code, const char *fmt, ...)
{
    if (g->error != AFN_OK) return; /* the first one explains the others */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(g->error_text, sizeof g->error_text, afn_translated(fmt), ap);
    va_end(ap);
    g->error = code;
}

void afn_enter(afn_graph *g, const char *fmt, ...)
{
    if (g->error != AFN_OK) return;
    const int start = (int)strlen(g->scope);
    if (g->depth == (int)AFN_COUNT(g->scope_start)) {
        afn_graph_fail(g, AFN_EINVAL, "scopes nest too deep: %s", g->scope);
        return;
    }
    g->scope_start[g->depth++] = start;
    char *at = g->scope + start;
    size_t room = sizeof g->scope - (size_t)start;
    if (start && room > 1) {
        *at++ = '.';
        room--;
    }
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(at, room, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room)
        afn_graph_fail(g, AFN_EINVAL, "scope name too long: %s", g->scope);
}

void afn_leave(afn_graph *g)
{
    if (g->error != AFN_OK) return;
    assert(g->depth > 0);
    g->scope[g->scope_start[--g->depth]] = 0;
}

char *afn_graph__scoped(afn_graph *g, const char *name)
{
    char *s = !*name      ? afn_strdup("")
              : *g->scope ? afn_format("%s.%s", g->scope, name)
                          : afn_strdup(name);
    if (!s) afn_graph_fail(g, AFN_ENOMEM, "out of memory");
    return s;
}

/* Room for one more element of a growing array; NULL with the error kept. */
static void *grow(afn_graph *g, void *array, int count, int *cap, size_t size)
{
    if (count < *cap) return array;
    const int bigger = *cap ? *cap * 2 : 64;
    void *p = afn_realloc(array, (size_t)bigger * size);
    if (!p) {
        afn_graph_fail(g, AFN_ENOMEM, "out of memory");
        return NULL;
    }
    *cap = bigger;
    return p;
}

/* Own copy of the input ids; false with the error kept. */
static bool copy_inputs(afn_graph *g, afn_node *node)
{
    for (int i = 0; i < node->n_inputs; i++) {
        const afn_value v = node->input[i];
        if (v < 0 || v >= g->n_nodes) {
            afn_graph_fail(g, AFN_EINVAL, "%s: input %d is no value of this graph",
                           afn_op_name(node->op), i);
            return false;
        }
    }
    const size_t bytes = (size_t)node->n_inputs * sizeof(afn_value);
    afn_value *copy = afn_alloc(bytes);
    if (!copy) {
        afn_graph_fail(g, AFN_ENOMEM, "out of memory");
        return false;
    }
    if (bytes) memcpy(copy, node->input, bytes);
    node->input = copy;
    return true;
}

afn_value afn_graph__append(afn_graph *g, const afn_node *proto)
{
    if (g->error != AFN_OK) return AFN_NO_VALUE;
    afn_node *array = grow(g, g->node, g->n_nodes, &g->cap_nodes, sizeof *array);
    if (!array) return AFN_NO_VALUE;
    g->node = array;

    afn_node node = *proto;
    if (!copy_inputs(g, &node)) return AFN_NO_VALUE;
    node.name = afn_graph__scoped(g, proto->name ? proto->name : "");
    for (int i = 0; i < AFN_MAX_PARAMS; i++) node.param[i] = -1;
    if (!node.name || !afn_op__shape(g, &node)) {
        afn_free((void *)node.input);
        afn_free((void *)node.name);
        return AFN_NO_VALUE;
    }
    g->node[g->n_nodes] = node;
    return g->n_nodes++;
}

/* Takes the name over; returns the index, -1 with the error kept. */
static int append_param(afn_graph *g, char *name, const afn_param *proto)
{
    if (name && afn_shape_count(&proto->shape) < 0)
        afn_graph_fail(g, AFN_EINVAL, "%s: too large", name);
    else if (!name)
        afn_graph_fail(g, AFN_ENOMEM, "out of memory");
    afn_param *array = NULL;
    if (g->error == AFN_OK)
        array = grow(g, g->param, g->n_params, &g->cap_params, sizeof *array);
    if (!array) {
        afn_free(name);
        return -1;
    }
    g->param = array;
    g->param[g->n_params] = *proto;
    g->param[g->n_params].name = name;
    return g->n_params++;
}

void afn_graph__add_param(afn_graph *g, afn_value v, int slot, const char *suffix,
                          afn_param proto)
{
    if (g->error != AFN_OK) return;
    proto.node = v;
    proto.slot = slot;
    char *name = afn_format("%s.%s", g->node[v].name, suffix);
    const int i = append_param(g, name, &proto);
    if (i >= 0) g->node[v].param[slot] = i;
}

int afn_graph__declare(afn_graph *g, const char *name, afn_param proto)
{
    if (g->error != AFN_OK) return -1;
    return append_param(g, afn_graph__scoped(g, name), &proto);
}

/* Auxiliary outputs and what feeds nothing else are not marked. */
static void mark_main(afn_graph *g, afn_value output)
{
    g->node[output].main = true;
    for (afn_value v = output; v >= 0; v--) {
        const afn_node *n = &g->node[v];
        const int read = n->op == AFN_OP_OUTPUTS ? 1 : n->n_inputs;
        for (int k = 0; n->main && k < read; k++) g->node[n->input[k]].main = true;
    }
}

static void check_params(afn_graph *g)
{
    for (int i = 0; i < g->n_params; i++)
        if (g->param[i].node == AFN_NO_VALUE)
            afn_graph_fail(g, AFN_EINVAL, "%s: no layer reads it", g->param[i].name);
}

afn_status afn_graph_finish(afn_graph *g, afn_value output)
{
    if (g->error == AFN_OK && (output < 0 || output >= g->n_nodes))
        afn_graph_fail(g, AFN_EINVAL, "output is no value of this graph");
    if (g->error == AFN_OK) check_params(g);
    if (g->error != AFN_OK) return afn_fail(g->error, "%s", g->error_text);
    assert(g->depth == 0);
    g->output = output;
    mark_main(g, output);
    return AFN_OK;
}

int afn_graph_n_nodes(const afn_graph *g)
{
    return g->n_nodes;
}

const afn_node *afn_graph_node(const afn_graph *g, afn_value v)
{
    assert(v >= 0 && v < g->n_nodes);
    return &g->node[v];
}

afn_value afn_graph_output(const afn_graph *g)
{
    return g->output;
}

int afn_graph_n_aux(const afn_graph *g)
{
    const afn_node *n = &g->node[g->output];
    return n->op == AFN_OP_OUTPUTS ? n->n_inputs - 1 : 0;
}

float afn_graph_aux_weight(const afn_graph *g, int i)
{
    assert(i >= 0 && i < afn_graph_n_aux(g));
    return g->node[g->output].attr.aux_weight[i];
}

void afn_graph_skip_aux(afn_graph *g)
{
    g->skip_aux = true;
}

bool afn_graph_makes_aux(const afn_graph *g)
{
    return !g->skip_aux;
}

int afn_graph_classes(const afn_graph *g)
{
    const int64_t all = afn_shape_count(&g->node[g->output].shape);
    return (int)(all / (1 + afn_graph_n_aux(g)));
}

int afn_graph_n_params(const afn_graph *g)
{
    return g->n_params;
}

const afn_param *afn_graph_param(const afn_graph *g, int i)
{
    assert(i >= 0 && i < g->n_params);
    return &g->param[i];
}

int afn_graph_find_param(const afn_graph *g, const char *name)
{
    for (int i = 0; i < g->n_params; i++)
        if (strcmp(g->param[i].name, name) == 0) return i;
    return -1;
}
