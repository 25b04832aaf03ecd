/* SPDX-License-Identifier: Apache-2.0 */
/* The frozen prefix of a plan and the rest of it, one run without the other.
 *
 * Prefix and rest are steps [0,split) and [split,n) of the same program, over the same
 * arena; one value is copied out after the prefix and in before the rest. */
#include <string.h>

#include "engine/plan.h"

/* ---- finding the place ---- */

void afn_plan_changes(const afn_plan *p, bool *changes)
{
    static const int statistics[] = { AFN_RUNNING_MEAN, AFN_RUNNING_VAR,
                                      AFN_NUM_BATCHES };
    for (int i = 0; i < p->n_params; i++) changes[i] = p->blob[i].trainable;
    for (int i = 0; i < p->low.n_steps; i++) {
        const afn_step *s = &p->low.step[i];
        for (size_t k = 0; s->batch_stats && k < AFN_COUNT(statistics); k++)
            if (s->node->param[statistics[k]] >= 0)
                changes[s->node->param[statistics[k]]] = true;
    }
}

static bool reads_any(const afn_node *n, const bool *changes)
{
    for (int slot = 0; n && slot < AFN_MAX_PARAMS; slot++)
        if (n->param[slot] >= 0 && changes[n->param[slot]]) return true;
    return false;
}

/* Does this step give the same for a sample in every call? */
static bool is_fixed(const afn_step *s, const bool *changes)
{
    return !s->train && !s->batch_stats && !s->random && !reads_any(s->node, changes) &&
           !reads_any(s->norm, changes);
}

/* The one value that steps from k on, or the reader of the logits, want of those
 * before; AFN_NO_VALUE where they want several. */
static afn_value carried_at(const afn_lowered *l, int k)
{
    afn_value found = l->step_of[l->output] < k ? l->output : AFN_NO_VALUE;
    for (int i = k; i < l->n_steps; i++) {
        const afn_step *s = &l->step[i];
        for (int j = 0; j < s->n_inputs; j++) {
            const afn_value v = s->input[j];
            if (l->step_of[v] >= k || v == found) continue;
            if (found != AFN_NO_VALUE) return AFN_NO_VALUE;
            found = v;
        }
    }
    return found;
}

static double macs_before(const afn_plan *p, int k)
{
    double macs = 0;
    for (int i = 0; i < k; i++) macs += afn_node_macs(p->graph, p->low.step[i].node);
    return macs;
}

/* The layer with which the rest begins: what pools or flattens has no name. */
static const char *layer_from(const afn_lowered *l, int k)
{
    while (k < l->n_steps && !*l->step[k].node->name) k++;
    return k < l->n_steps ? l->step[k].node->name : "the end";
}

/* No band may run over the split. */
static afn_status reschedule(afn_plan *p)
{
    for (int i = 0; i < AFN_MAX_PROGRAMS && p->program[i]; i++) {
        const afn_status st = afn_schedule(p->program[i], p);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

afn_status afn_plan_split(afn_plan *p, const bool *changes, afn_prefix *prefix)
{
    const afn_lowered *l = &p->low;
    const size_t n = (size_t)p->n_params;
    int k = 0;
    *prefix = (afn_prefix){ 0 };
    p->split = 0;
    if (!p->changes) p->changes = afn_alloc_array(n, sizeof *p->changes);
    if (!p->changes) return afn_fail(AFN_ENOMEM, "out of memory");
    memcpy(p->changes, changes, n * sizeof *p->changes);

    while (k < l->n_steps && is_fixed(&l->step[k], p->changes)) k++;
    while (k > 0 && carried_at(l, k) == AFN_NO_VALUE) k--;
    if (macs_before(p, k) == 0) return AFN_OK;
    p->split = k;
    p->carried = carried_at(l, k);
    *prefix = (afn_prefix){ .bytes = p->program[0]->layout[p->carried].bytes,
                            .macs = macs_before(p, k),
                            .before = layer_from(l, k),
                            .value = p->carried };
    return reschedule(p);
}

/* ---- running ---- */

static void *carried_in(const afn_plan *p, const afn_program *r)
{
    return afn_program_at(r, r->value_buffer[p->carried]);
}

/* n pixels followed by as many zero ones as the usual batch lacks. */
static afn_status pad(afn_plan *p, const uint8_t **pixels, int64_t n, size_t bytes)
{
    const size_t room = (size_t)p->opts.batch * bytes, used = (size_t)n * bytes;
    if (n == p->opts.batch) return AFN_OK;
    if (!p->padded) p->padded = afn_alloc_aligned(room);
    if (!p->padded) return afn_fail(AFN_ENOMEM, "out of memory");
    memcpy(p->padded, *pixels, used);
    memset(p->padded + used, 0, room - used);
    *pixels = p->padded;
    return AFN_OK;
}

afn_status afn_plan_run_prefix(afn_plan *p, const uint8_t *pixels, int64_t n,
                               void *features)
{
    afn_status st = AFN_OK;
    afn_program *r;
    const size_t image = (size_t)afn_shape_count(&afn_graph_node(p->graph, 0)->shape);
    const int64_t batch = p->opts.batch;
    p->last = NULL;
    p->backend->enter(p->device);
    AFN_REQUIRE(p->split > 0, AFN_EINVAL, "the plan is not split");
    AFN_TRY(afn_plan_program(p, batch, &r));
    const size_t bytes = r->layout[p->carried].bytes;
    for (int64_t i = 0; i < n; i += batch) {
        const int64_t some = n - i < batch ? n - i : batch;
        const uint8_t *from = pixels + (size_t)i * image;
        AFN_TRY(pad(p, &from, some, image));
        AFN_TRY(afn_program_forward(r, p, 0, p->split, from, NULL));
        memcpy((char *)features + (size_t)i * bytes, carried_in(p, r),
               (size_t)some * bytes);
    }
done:
    return st;
}

afn_status afn_plan_run_rest(afn_plan *p, const void *features, int64_t n,
                             float *logits)
{
    afn_status st = AFN_OK;
    afn_program *r;
    p->last = NULL;
    p->backend->enter(p->device);
    AFN_REQUIRE(p->split > 0, AFN_EINVAL, "the plan is not split");
    AFN_REQUIRE(n > 0, AFN_EINVAL, "a batch of %lld samples", (long long)n);
    AFN_TRY(afn_plan_program(p, n, &r));
    memcpy(carried_in(p, r), features, (size_t)n * r->layout[p->carried].bytes);
    AFN_TRY(afn_plan_finish(p, r, p->split, NULL, NULL, logits));
done:
    return st;
}

afn_status afn_plan_refresh_rest(afn_plan *p)
{
    return p->split ? afn_plan_reload(p, p->changes, p->split) : afn_plan_refresh(p);
}
