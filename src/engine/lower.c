/* SPDX-License-Identifier: Apache-2.0 */
/* From a graph to steps.  Passes, in order:
 *   1 live     nodes that the output depends on
 *   2 alias    a dropout that does nothing stands for its input, and so do outputs for
 *              the main one, where nothing below an auxiliary one trains
 *   3 grads    which values need a gradient, given what trains: the frozen prefix is
 *              what needs none
 *   4 fuse     batch norm into the convolution before it where its statistics are fixed
 *              and nothing there trains; residual add and activation into the step
 *              before them where the backend takes them
 * A fused step runs at the place of the last node it covers, when everything it reads
 * exists. */
#include <string.h>

#include "engine/plan.h"

typedef struct lowering {
    const afn_graph *g;
    const afn_plan_opts *opts;
    const afn_backend *backend;
    unsigned fusions; /* its */
    afn_lowered *l;
    bool aux;   /* auxiliary outputs are made */
    bool *live; /* [n_nodes] */
    int *uses;  /* [n_nodes] readers of each value; the graph's output counts as one */
} lowering;

static bool may_be_random(const afn_node *n)
{
    return n->op == AFN_OP_DROPOUT || n->op == AFN_OP_STOCHASTIC_DEPTH;
}

static bool is_random(const lowering *w, const afn_node *n)
{
    return may_be_random(n) && n->attr.p > 0 && w->opts->train && !w->opts->no_dropout;
}

/* Does this node hand on its first input and nothing else? */
static bool is_idle(const lowering *w, const afn_node *n)
{
    if (n->op == AFN_OP_OUTPUTS) return !w->aux;
    return may_be_random(n) && !is_random(w, n);
}

static bool trains(const lowering *w, const afn_node *n, int slot)
{
    const int i = n->param[slot];
    return w->opts->train && w->opts->trainable && i >= 0 && w->opts->trainable[i] &&
           !afn_graph_param(w->g, i)->buffer;
}

static bool any_trains(const lowering *w, const afn_node *n)
{
    for (int slot = 0; slot < AFN_MAX_PARAMS; slot++)
        if (trains(w, n, slot)) return true;
    return false;
}

/* Are auxiliary outputs of use: does anything train that one depends on?  Marks in
 * `live`, which is cleared again. */
static bool needs_aux(lowering *w)
{
    const afn_node *out = afn_graph_node(w->g, afn_graph_output(w->g));
    bool found = false;
    if (out->op != AFN_OP_OUTPUTS) return false;
    for (int k = 1; k < out->n_inputs; k++) w->live[out->input[k]] = true;
    for (afn_value v = w->l->n_nodes - 1; v >= 0; v--) {
        const afn_node *n = afn_graph_node(w->g, v);
        if (!w->live[v]) continue;
        w->live[v] = false;
        found = found || any_trains(w, n);
        for (int k = 0; k < n->n_inputs; k++) w->live[n->input[k]] = true;
    }
    return found;
}

static void find_live(lowering *w)
{
    w->live[afn_graph_output(w->g)] = true;
    for (afn_value v = w->l->n_nodes - 1; v >= 0; v--) {
        if (!w->live[v]) continue;
        const afn_node *n = afn_graph_node(w->g, v);
        const int read = is_idle(w, n) ? 1 : n->n_inputs;
        for (int k = 0; k < read; k++) w->live[n->input[k]] = true;
    }
}

static void find_aliases(lowering *w)
{
    afn_value *value_of = w->l->value_of;
    for (afn_value v = 0; v < w->l->n_nodes; v++) {
        const afn_node *n = afn_graph_node(w->g, v);
        const bool idle = is_idle(w, n);
        value_of[v] = idle ? value_of[n->input[0]] : v;
        if (!w->live[v] || idle) continue;
        for (int k = 0; k < n->n_inputs; k++) w->uses[value_of[n->input[k]]]++;
    }
    w->l->output = value_of[afn_graph_output(w->g)];
    w->uses[w->l->output]++;
}

static void find_gradients(lowering *w)
{
    afn_lowered *l = w->l;
    l->cut = l->n_nodes;
    for (afn_value v = 0; v < l->n_nodes; v++) {
        const afn_node *n = afn_graph_node(w->g, v);
        if (!w->live[v]) continue;
        bool need = any_trains(w, n);
        if (n->op == AFN_OP_INPUT) need = w->opts->train && w->opts->input_gradient;
        if (w->opts->watch > 0 && v == w->opts->watch) need |= w->opts->train;
        for (int k = 0; k < n->n_inputs; k++) need |= l->needs_grad[n->input[k]];
        l->needs_grad[v] = need;
        if (need && l->cut == l->n_nodes) l->cut = v;
    }
}

/* Does this batch norm use the batch's statistics? */
static bool uses_batch(const lowering *w, const afn_node *n)
{
    if (!w->opts->train || n->op != AFN_OP_BATCH_NORM) return false;
    switch (w->opts->bn) {
    case AFN_BN_BATCH:
        return true;
    case AFN_BN_FROZEN:
        return false;
    case AFN_BN_AUTO:
        break;
    }
    return any_trains(w, n);
}

/* ---- steps ---- */

static void free_step(afn_step *s)
{
    afn_free((void *)s->input);
    afn_free((void *)s->in_shape);
    afn_free(s->grad_input);
}

/* Append one input to a step; its arrays were made with room for one more. */
static void add_input(lowering *w, afn_step *s, afn_value v)
{
    ((afn_value *)s->input)[s->n_inputs] = v;
    ((afn_shape *)s->in_shape)[s->n_inputs] = afn_graph_node(w->g, v)->shape;
    s->grad_input[s->n_inputs] = w->l->needs_grad[v];
    s->n_inputs++;
}

static void set_output(lowering *w, int step, afn_value v)
{
    afn_step *s = &w->l->step[step];
    w->l->step_of[v] = step;
    s->output = v;
    s->out_shape = afn_graph_node(w->g, v)->shape;
    s->train = w->l->needs_grad[v];
}

static afn_status new_step(lowering *w, afn_value v)
{
    const afn_node *n = afn_graph_node(w->g, v);
    const size_t room = (size_t)n->n_inputs + 1; /* one for a residual */
    afn_step *s = &w->l->step[w->l->n_steps];
    *s = (afn_step){ .op = n->op, .node = n, .act = AFN_NO_ACT };
    s->input = afn_alloc_array(room, sizeof *s->input);
    s->in_shape = afn_alloc_array(room, sizeof *s->in_shape);
    s->grad_input = afn_alloc_array(room, sizeof *s->grad_input);
    set_output(w, w->l->n_steps++, v);
    if (!s->input || !s->in_shape || !s->grad_input)
        return afn_fail(AFN_ENOMEM, "out of memory");
    for (int k = 0; k < n->n_inputs; k++) add_input(w, s, w->l->value_of[n->input[k]]);
    s->batch_stats = uses_batch(w, n);
    s->random = is_random(w, n);
    for (int slot = 0; slot < AFN_MAX_PARAMS; slot++)
        s->grad_param[slot] = trains(w, n, slot);
    return AFN_OK;
}

/* The step that makes v and may still grow: nobody else reads v. */
static afn_step *open_step(const lowering *w, afn_value v)
{
    const int i = w->l->step_of[v];
    if (i < 0 || w->uses[v] != 1) return NULL;
    afn_step *s = &w->l->step[i];
    return s->output == v && s->act == AFN_NO_ACT ? s : NULL;
}

static int index_of(const lowering *w, const afn_step *s)
{
    return (int)(s - w->l->step);
}

static void extend(lowering *w, afn_step *s, afn_value v)
{
    w->l->step_of[s->output] = -1; /* that value is never in memory */
    set_output(w, index_of(w, s), v);
}

static bool fold_norm(lowering *w, afn_value v)
{
    const afn_node *n = afn_graph_node(w->g, v);
    afn_step *s = open_step(w, w->l->value_of[n->input[0]]);
    if (!(w->fusions & AFN_FOLD_NORM) || !s || s->op != AFN_OP_CONV2D || s->norm ||
        s->add || w->l->needs_grad[v] || uses_batch(w, n))
        return false;
    s->norm = n;
    extend(w, s, v);
    return true;
}

/* May an addition join this step? */
static bool takes_add(const lowering *w, const afn_step *s, afn_value sum)
{
    if (!s || s->add) return false;
    if (s->op == AFN_OP_BATCH_NORM) return w->fusions & AFN_FUSE_NORM_ADD_ACT;
    return s->op == AFN_OP_CONV2D && s->norm && !w->l->needs_grad[sum];
}

static bool fuse_add(lowering *w, afn_value v)
{
    const afn_node *n = afn_graph_node(w->g, v);
    const afn_value a = w->l->value_of[n->input[0]], b = w->l->value_of[n->input[1]];
    if (a == b) return false;
    afn_step *s = open_step(w, a);
    const bool first = takes_add(w, s, v);
    if (!first) s = open_step(w, b);
    if (!takes_add(w, s, v)) return false;
    add_input(w, s, first ? b : a);
    s->add = true;
    extend(w, s, v);
    return true;
}

/* May this activation join this step? */
static bool takes_act(const lowering *w, const afn_step *s, afn_act act)
{
    const bool conv = s->op == AFN_OP_CONV2D || s->op == AFN_OP_LINEAR;
    const bool norm = s->op == AFN_OP_BATCH_NORM;
    unsigned acts = 0;
    if (conv && (w->fusions & AFN_FUSE_CONV_ACT))
        acts = s->train ? w->backend->conv_acts : w->backend->conv_infer_acts;
    if (norm && (w->fusions & AFN_FUSE_NORM_ADD_ACT)) acts = w->backend->norm_acts;
    /* The argument of what follows an addition is nowhere in memory. */
    if (norm && s->add) acts &= w->backend->conv_acts;
    return acts >> act & 1;
}

static bool fuse_act(lowering *w, afn_value v)
{
    const afn_node *n = afn_graph_node(w->g, v);
    afn_step *s = open_step(w, w->l->value_of[n->input[0]]);
    if (!s || !takes_act(w, s, n->attr.act)) return false;
    s->act = n->attr.act;
    extend(w, s, v);
    return true;
}

static afn_status lower_node(lowering *w, afn_value v)
{
    switch (afn_graph_node(w->g, v)->op) {
    case AFN_OP_BATCH_NORM:
        if (fold_norm(w, v)) return AFN_OK;
        break;
    case AFN_OP_ADD:
        if (fuse_add(w, v)) return AFN_OK;
        break;
    case AFN_OP_ACTIVATION:
        if (fuse_act(w, v)) return AFN_OK;
        break;
    default:
        break;
    }
    return new_step(w, v);
}

/* Order steps by the last node that each covers; few are out of place. */
static void sort_steps(afn_lowered *l)
{
    for (int i = 1; i < l->n_steps; i++) {
        const afn_step s = l->step[i];
        int at = i;
        for (; at > 0 && l->step[at - 1].output > s.output; at--)
            l->step[at] = l->step[at - 1];
        l->step[at] = s;
    }
    for (int i = 0; i < l->n_steps; i++) l->step_of[l->step[i].output] = i;
}

/* Steps whose output nobody reads but what makes logits of it by moving it, or the
 * caller. */
static void mark_logits(const lowering *w)
{
    afn_lowered *l = w->l;
    for (int i = l->n_steps - 1; i >= 0; i--) {
        const afn_step *s = &l->step[i];
        if (s->output == l->output) l->step[i].logits = true;
        const bool moves = s->op == AFN_OP_FLATTEN || s->op == AFN_OP_OUTPUTS;
        for (int k = 0; l->step[i].logits && moves && k < s->n_inputs; k++)
            if (w->uses[s->input[k]] == 1)
                l->step[l->step_of[s->input[k]]].logits = true;
    }
}

static void mark_conv_feeders(afn_lowered *l)
{
    for (int i = 0; i < l->n_steps; i++)
        l->step[i].only_feeds_conv = l->step[i].output != l->output;
    for (int i = 0; i < l->n_steps; i++) {
        const afn_step *s = &l->step[i];
        for (int k = 0; k < s->n_inputs; k++)
            if (s->op != AFN_OP_CONV2D || (s->add && k == s->n_inputs - 1))
                l->step[l->step_of[s->input[k]]].only_feeds_conv = false;
    }
}

static afn_status allocate(lowering *w)
{
    afn_lowered *l = w->l;
    const size_t n = (size_t)l->n_nodes;
    l->step = afn_alloc_array(n, sizeof *l->step);
    l->value_of = afn_alloc_array(n, sizeof *l->value_of);
    l->needs_grad = afn_alloc_array(n, sizeof *l->needs_grad);
    l->step_of = afn_alloc_array(n, sizeof *l->step_of);
    w->live = afn_alloc_array(n, sizeof *w->live);
    w->uses = afn_alloc_array(n, sizeof *w->uses);
    if (!l->step || !l->value_of || !l->needs_grad || !l->step_of || !w->live ||
        !w->uses)
        return afn_fail(AFN_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) l->step_of[i] = -1;
    return AFN_OK;
}

/* The step that makes the watched value has no backward of its own where nothing before
 * it wants one. */
static void end_at_watched(lowering *w)
{
    const afn_value v = w->opts->watch;
    const int i = v > 0 && v < w->l->n_nodes ? w->l->step_of[v] : -1;
    if (i < 0 || !w->opts->train) return;
    afn_step *s = &w->l->step[i];
    bool wants = any_trains(w, s->node) || (s->norm && any_trains(w, s->norm));
    for (int k = 0; k < s->n_inputs; k++) wants |= s->grad_input[k];
    s->train = wants;
}

afn_status afn_lower(afn_lowered *out, const afn_graph *g, const afn_plan_opts *opts,
                     const afn_backend *backend)
{
    afn_status st = AFN_OK;
    lowering w = {
        .g = g, .opts = opts, .backend = backend, .fusions = backend->fusions, .l = out
    };

    *out = (afn_lowered){ .n_nodes = afn_graph_n_nodes(g) };
    AFN_TRY(allocate(&w));
    w.aux = needs_aux(&w);
    find_live(&w);
    find_aliases(&w);
    find_gradients(&w);
    for (afn_value v = 0; v < out->n_nodes; v++)
        if (w.live[v] && out->value_of[v] == v) AFN_TRY(lower_node(&w, v));
    sort_steps(out);
    end_at_watched(&w);
    mark_conv_feeders(out);
    mark_logits(&w);
done:
    afn_free(w.live);
    afn_free(w.uses);
    if (st != AFN_OK) afn_lowered_free(out);
    return st;
}

void afn_lowered_free(afn_lowered *l)
{
    for (int i = 0; i < l->n_steps; i++) free_step(&l->step[i]);
    afn_free(l->step);
    afn_free(l->value_of);
    afn_free(l->needs_grad);
    afn_free(l->step_of);
    *l = (afn_lowered){ 0 };
}

void afn_lowered_dump(const afn_lowered *l, afn_buf *out)
{
    char text[64];
    for (int i = 0; i < l->n_steps; i++) {
        const afn_step *s = &l->step[i];
        afn_buf_fmt(out, "%%%d %s", s->output, afn_op_name(s->op));
        if (*s->node->name) afn_buf_fmt(out, " %s", s->node->name);
        if (s->norm) afn_buf_fmt(out, " + %s", s->norm->name);
        if (s->add) afn_buf_fmt(out, " + add");
        if (s->act != AFN_NO_ACT) afn_buf_fmt(out, " + %s", afn_act_name(s->act));
        for (int k = 0; k < s->n_inputs; k++)
            afn_buf_fmt(out, "%s%%%d", k ? ", " : " <- ", s->input[k]);
        afn_buf_fmt(out, " -> %s%s%s\n",
                    afn_shape_text(&s->out_shape, text, sizeof text),
                    s->train ? " trained" : "", s->batch_stats ? " batch-stats" : "");
    }
}
