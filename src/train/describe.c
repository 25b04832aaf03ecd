/* SPDX-License-Identifier: Apache-2.0 */
/* A model's layers, and what its training plan says of them. */
#include "afina/describe.h"

#include <inttypes.h>
#include <string.h>

#include "model/model.h"
#include "train/train.h"
#include "train/update.h"

afn_describe_opts afn_describe_defaults(void)
{
    return (afn_describe_opts){ .batch = 32, .bn = AFN_BN_AUTO, .backend = "cpu" };
}

/* ---- layers ---- */

static void count_parameters(afn_layer *out, const afn_model *m, const afn_node *n)
{
    const afn_graph *g = afn_model__graph(m);
    const bool *trainable = afn_model__trainable(m);
    for (int slot = 0; slot < AFN_MAX_PARAMS; slot++) {
        const int i = n->param[slot];
        if (i < 0 || afn_graph_param(g, i)->buffer) continue;
        const int64_t size = afn_shape_count(&afn_graph_param(g, i)->shape);
        out->parameters += size;
        if (trainable[i]) out->trainable += size;
    }
}

static void add_layer(afn_description *out, const afn_model *m, int i)
{
    const afn_graph *g = afn_model__graph(m);
    const afn_node *n = afn_graph_node(g, i);
    afn_layer *l = &out->layer[i];
    *l = (afn_layer){ .name = n->name,
                      .kind = afn_op_name(n->op),
                      .shape = n->shape,
                      .input = n->input,
                      .n_inputs = n->n_inputs,
                      .macs = afn_node_macs(g, n) };
    afn_node_detail(n, l->detail, sizeof l->detail);
    count_parameters(l, m, n);
    out->parameters += l->parameters;
    out->trainable += l->trainable;
}

static afn_status add_layers(afn_description *out, const afn_model *m)
{
    const afn_graph *g = afn_model__graph(m);
    const int n = afn_graph_n_nodes(g);
    out->layer = afn_alloc_array((size_t)n, sizeof *out->layer);
    if (!out->layer) return afn_fail(AFN_ENOMEM, "out of memory");
    out->n = n;
    out->macs = afn_graph_macs(g);
    for (int i = 0; i < n; i++) add_layer(out, m, i);
    return AFN_OK;
}

/* ---- what training would do ---- */

static afn_status compile(afn_plan **out, const afn_model *m,
                          const afn_describe_opts *o)
{
    const afn_plan_opts p = {
        .batch = o->batch,
        .train = true,
        .update_at_once = true,
        .sizes_only = true,
        .trainable = afn_model__trainable(m),
        .bn = o->bn,
        .backend = o->backend,
        .precision = o->precision,
        .algorithms = AFN_ALGORITHMS_EXACT, /* the others are found by measuring */
    };
    return afn_plan_new(out, afn_model__graph(m), afn_model__params(m), &p);
}

static int64_t train_bytes(const afn_plan *plan, const afn_model *m)
{
    const afn_optim_opts sgd = afn_optim_defaults("sgd");
    return afn_params_bytes(afn_model__params(m)) +
           (int64_t)afn_plan_arena_bytes(plan) + (int64_t)afn_plan_param_bytes(plan) +
           (int64_t)afn_plan_state_bytes(plan, afn_update_states(&sgd));
}

/* Everything that the value is made of. */
static void mark_remembered(afn_description *out, afn_value v)
{
    out->layer[v].remembered = true;
    for (int i = v; i >= 0; i--)
        for (int k = 0; out->layer[i].remembered && k < out->layer[i].n_inputs; k++)
            out->layer[out->layer[i].input[k]].remembered = true;
}

static afn_status find_cut(afn_description *out, afn_plan *plan, const afn_model *m)
{
    afn_status st = AFN_OK;
    afn_prefix prefix;
    const int n = afn_graph_n_params(afn_model__graph(m));
    bool *changes = afn_alloc_array((size_t)n, sizeof *changes);
    AFN_REQUIRE(changes, AFN_ENOMEM, "out of memory");
    afn_plan_changes(plan, changes);
    AFN_TRY(afn_plan_split(plan, changes, &prefix));
    if (!prefix.bytes) goto done;
    out->before = prefix.before;
    out->feature_bytes = prefix.bytes;
    out->remembered_macs = prefix.macs;
    mark_remembered(out, prefix.value);
done:
    afn_free(changes);
    return st;
}

afn_status afn_describe(afn_description *out, const afn_model *m,
                        const afn_describe_opts *opts)
{
    afn_status st = AFN_OK;
    const afn_describe_opts o = opts ? *opts : afn_describe_defaults();
    afn_plan *plan = NULL;

    *out = (afn_description){ 0 };
    AFN_REQUIRE(o.batch >= 1, AFN_EINVAL, "batch is %" PRId64 ", need at least 1",
                o.batch);
    AFN_TRY(add_layers(out, m));
    if (!out->trainable) goto done;
    AFN_TRY(compile(&plan, m, &o));
    out->train_bytes = train_bytes(plan, m);
    AFN_TRY(find_cut(out, plan, m));
done:
    afn_plan_free(plan);
    if (st != AFN_OK) afn_description_free(out);
    return st;
}

void afn_description_free(afn_description *d)
{
    if (!d) return;
    afn_free(d->layer);
    *d = (afn_description){ 0 };
}
