/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters as a plan holds them: packed by the backend, with gradient and optimiser
 * state in the same layout. */
#include <string.h>

#include "engine/plan.h"

static afn_status new_block(float **out, int64_t count)
{
    const size_t bytes = (size_t)count * sizeof(float);
    *out = afn_alloc_aligned(bytes);
    if (!*out) return afn_fail(AFN_ENOMEM, "out of memory: %zu MB", bytes >> 20);
    return AFN_OK;
}

/* A block of zeros, unless there is one already. */
static afn_status new_zeros(float **out, int64_t count)
{
    if (*out) return AFN_OK;
    const afn_status st = new_block(out, count);
    if (st == AFN_OK) memset(*out, 0, (size_t)count * sizeof(float));
    return st;
}

static afn_status load_one(struct afn_plan *p, afn_blob *b)
{
    const afn_param *d = afn_graph_param(p->graph, b->param);
    const float *host = afn_params_f32(p->params, b->param);
    return afn_context(p->backend->pack(p->device, b, &d->shape, host, b->value), "%s",
                       d->name);
}

afn_status afn_blobs_allocate(struct afn_plan *p)
{
    for (int i = 0; i < p->n_params; i++) {
        afn_blob *b = &p->blob[i];
        if (!b->used || b->value) continue;
        afn_status st = new_block(&b->value, b->count);
        if (st == AFN_OK && b->trainable && !p->opts.update_at_once)
            st = new_zeros(&b->grad, b->count);
        if (st == AFN_OK) st = load_one(p, b);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

afn_status afn_blobs_load(struct afn_plan *p, const bool *only)
{
    for (int i = 0; i < p->n_params; i++) {
        if (!p->blob[i].value || (only && !only[i])) continue;
        const afn_status st = load_one(p, &p->blob[i]);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

static afn_status store_one(struct afn_plan *p, int i, bool average)
{
    const afn_blob *b = &p->blob[i];
    if (i < 0 || !b->value) return AFN_OK;
    const float *mean = average ? b->state[AFN_STATE_AVERAGE] : NULL;
    return p->backend->unpack(p->device, b, &afn_graph_param(p->graph, i)->shape,
                              mean ? mean : b->value, afn_params_f32(p->params, i));
}

/* Running statistics and the batch counter of one batch norm. */
static afn_status store_statistics(struct afn_plan *p, const afn_node *n, bool average)
{
    afn_status st = store_one(p, n->param[AFN_RUNNING_MEAN], average);
    if (st == AFN_OK) st = store_one(p, n->param[AFN_RUNNING_VAR], average);
    if (st == AFN_OK)
        *afn_params_i64(p->params, n->param[AFN_NUM_BATCHES]) += p->new_batches;
    return st;
}

afn_status afn_blobs_store(struct afn_plan *p, bool average)
{
    afn_status st = AFN_OK;
    for (int i = 0; i < p->n_params; i++)
        if (p->blob[i].trainable) AFN_TRY(store_one(p, i, average));
    for (int i = 0; i < p->low.n_steps; i++)
        if (p->low.step[i].batch_stats)
            AFN_TRY(store_statistics(p, p->low.step[i].node, average));
    p->new_batches = 0;
done:
    return st;
}

afn_status afn_blobs_prepare_state(struct afn_plan *p, int k, const bool *only)
{
    for (int i = 0; i < p->n_params; i++) {
        afn_blob *b = &p->blob[i];
        if (!b->value || !(only ? only[i] : b->trainable)) continue;
        const afn_status st = new_zeros(&b->state[k], b->count);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

afn_status afn_blobs_prepare_update(struct afn_plan *p, const afn_update *u)
{
    afn_status st = AFN_OK;
    for (int k = 0; st == AFN_OK && k < u->opt->n_state; k++)
        if (!u->opt->uses || u->opt->uses(u->args, k))
            st = afn_blobs_prepare_state(p, k, NULL);
    return st;
}

/* An optimiser at work on one blob. */
typedef struct update_args {
    const afn_optimizer *opt;
    const afn_blob *blob;
    const float *grad;
    const afn_step_args *args;
} update_args;

static void update_range(void *user, int64_t from, int64_t to)
{
    const update_args *u = user;
    float *state[AFN_N_STATES] = { NULL };
    for (int k = 0; k < AFN_N_STATES; k++)
        if (u->blob->state[k]) state[k] = u->blob->state[k] + from;
    u->opt->step(to - from, u->blob->value + from, u->grad + from, state, u->args);
}

static void update_one(const struct afn_plan *p, int i, const afn_update *u,
                       const float *grad)
{
    const afn_blob *b = &p->blob[i];
    const afn_step_args *args = &u->args[u->group ? u->group[i] : 0];
    p->backend->each(p->device, b->count, update_range,
                     &(update_args){ u->opt, b, grad, args });
}

afn_status afn_blobs_update(struct afn_plan *p, const afn_update *u)
{
    /* all memory first: no half-made step */
    const afn_status st = afn_blobs_prepare_update(p, u);
    for (int i = 0; st == AFN_OK && i < p->n_params; i++)
        if (p->blob[i].grad) update_one(p, i, u, p->blob[i].grad);
    return st;
}

afn_status afn_blobs_update_gathered(struct afn_plan *p, const afn_update *u)
{
    const afn_status st = afn_blobs_prepare_update(p, u);
    for (int i = 0; st == AFN_OK && i < p->n_params; i++) {
        const float *gathered = p->blob[i].state[AFN_STATE_GATHERED];
        if (gathered) update_one(p, i, u, gathered);
    }
    return st;
}

/* ---- gradients that live for one step ---- */

enum { ALIGN = 64 };

static size_t grad_bytes(const afn_blob *b)
{
    return ((size_t)b->count * sizeof(float) + ALIGN - 1) / ALIGN * ALIGN;
}

size_t afn_blobs_grad_bytes(const struct afn_plan *p, const afn_step *s)
{
    size_t bytes = 0;
    for (int slot = 0; slot < AFN_MAX_PARAMS; slot++)
        if (s->grad_param[slot]) bytes += grad_bytes(&p->blob[s->node->param[slot]]);
    return bytes;
}

void afn_blobs_place_grads(const struct afn_plan *p, const afn_step *s, char *at)
{
    for (int slot = 0; slot < AFN_MAX_PARAMS; slot++) {
        if (!s->grad_param[slot]) continue;
        afn_blob *b = &p->blob[s->node->param[slot]];
        b->grad = (float *)at;
        if (at) at += grad_bytes(b);
    }
}

void afn_blobs_clear_grads(const struct afn_plan *p, const afn_step *s)
{
    for (int slot = 0; slot < AFN_MAX_PARAMS; slot++) {
        if (!s->grad_param[slot]) continue;
        const afn_blob *b = &p->blob[s->node->param[slot]];
        if (!b->layout) memset(b->grad, 0, grad_bytes(b));
    }
}

void afn_blobs_update_step(const struct afn_plan *p, const afn_step *s,
                           const afn_update *u)
{
    for (int slot = 0; slot < AFN_MAX_PARAMS; slot++)
        if (s->grad_param[slot])
            update_one(p, s->node->param[slot], u, p->blob[s->node->param[slot]].grad);
}

void afn_blobs_free(struct afn_plan *p)
{
    for (int i = 0; p->blob && i < p->n_params; i++) {
        afn_blob *b = &p->blob[i];
        afn_free(b->value);
        if (!p->opts.update_at_once) afn_free(b->grad);
        for (int k = 0; k < AFN_N_STATES; k++) afn_free(b->state[k]);
        if (b->layout) p->backend->free_layout(b->layout);
    }
    afn_free(p->blob);
}
