/* SPDX-License-Identifier: Apache-2.0 */
#include "train/param_groups.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- layers ---- */

/* Length of the name's component. */
static size_t component(const char *name)
{
    return strcspn(name, ".");
}

static bool has_digit(const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isdigit((unsigned char)name[i])) return true;
    return false;
}

/* Does a component number blocks within the one before: "0", "block1-0"? */
static bool numbers_blocks(const char *name, size_t n)
{
    return isdigit((unsigned char)*name) ||
           (has_digit(name, n) &&
            (!strncmp(name, "block", 5) || !strncmp(name, "denselayer", 10)));
}

/* Length of the layer's part of a parameter's name: to the first component with a
 * digit, and one further that numbers blocks.  Without a digit the layer's own name:
 * "fc". */
static size_t layer_part(const char *name)
{
    const char *at = name;
    size_t n = component(at);
    while (!has_digit(at, n)) {
        if (!at[n]) return component(name);
        at += n + 1;
        n = component(at);
    }
    const size_t first = (size_t)(at - name) + n;
    if (!at[n]) return first;
    at += n + 1;
    n = component(at);
    return at[n] && numbers_blocks(at, n) ? (size_t)(at - name) + n : first;
}

/* Mark the parameters of normalisation. */
static void mark_norms(bool *norm, const afn_graph *g)
{
    memset(norm, 0, (size_t)afn_graph_n_params(g) * sizeof *norm);
    for (int i = 0; i < afn_graph_n_nodes(g); i++) {
        const afn_node *n = afn_graph_node(g, i);
        if (n->op != AFN_OP_BATCH_NORM && n->op != AFN_OP_LAYER_NORM) continue;
        for (int k = 0; k < AFN_MAX_PARAMS; k++)
            if (n->param[k] >= 0) norm[n->param[k]] = true;
    }
}

/* Do the n parameters from i on that share their layer's part belong to norms only? */
static bool all_norms(const afn_graph *g, const bool *norm, int i)
{
    const char *name = afn_graph_param(g, i)->name;
    const size_t part = layer_part(name);
    for (; i < afn_graph_n_params(g); i++) {
        const char *other = afn_graph_param(g, i)->name;
        if (layer_part(other) != part || strncmp(name, other, part) != 0) break;
        if (!norm[i]) return false;
    }
    return true;
}

static bool is_last(const afn_model *m, int i)
{
    return afn_model__is_head(m, i) || afn_model__is_aux(m, i);
}

int afn_param_layers(int *layer, bool *norm, const afn_model *m)
{
    const afn_graph *g = afn_model__graph(m);
    const char *before = "";
    size_t part = 0;
    int n = 0;
    mark_norms(norm, g);
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        const char *name = afn_graph_param(g, i)->name;
        if (is_last(m, i)) continue;
        if (layer_part(name) != part || strncmp(name, before, part) != 0) {
            before = name;
            part = layer_part(name);
            if (!n || !all_norms(g, norm, i)) n++;
        }
        layer[i] = n - 1;
    }
    for (int i = 0; i < afn_graph_n_params(g); i++)
        if (is_last(m, i)) layer[i] = n;
    return n + 1;
}

/* ---- groups ---- */

static bool ends_in_bias(const char *name)
{
    const size_t n = strlen(name);
    return n >= 5 && strcmp(name + n - 5, ".bias") == 0;
}

/* Place of the group, which is added where there is none like it. */
static int place_of(afn_param_groups *g, afn_param_group wanted)
{
    int i = 0;
    while (i < g->n &&
           (g->group[i].lr != wanted.lr || g->group[i].decays != wanted.decays))
        i++;
    if (i == g->n) g->group[g->n++] = wanted;
    return i;
}

afn_status afn_param_groups_new(afn_param_groups *g, const afn_model *m,
                                const afn_optim_opts *o)
{
    afn_status st = AFN_OK;
    const afn_graph *graph = afn_model__graph(m);
    const size_t n = (size_t)afn_graph_n_params(graph);
    bool *norm = afn_alloc_array(n, sizeof *norm);
    g->group = afn_alloc_array(n, sizeof *g->group);
    g->of = afn_alloc_array(n, sizeof *g->of);
    AFN_REQUIRE(norm && g->group && g->of, AFN_ENOMEM, "out of memory");
    const int layers = afn_param_layers(g->of, norm, m);
    for (int i = 0; i < (int)n; i++) {
        const char *name = afn_graph_param(graph, i)->name;
        const bool spared = o->no_decay_norm_bias && (norm[i] || ends_in_bias(name));
        double lr = pow((double)o->layer_decay, layers - 1 - g->of[i]);
        if (afn_model__is_head(m, i)) lr *= (double)o->head_lr_factor;
        g->of[i] = place_of(g, (afn_param_group){ lr, !spared });
    }
done:
    afn_free(norm);
    return st;
}

void afn_param_groups_free(afn_param_groups *g)
{
    afn_free(g->group);
    afn_free(g->of);
    *g = (afn_param_groups){ 0 };
}
