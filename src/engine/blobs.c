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

static afn_status store_one(struct afn_plan *p, int i)
{
    const afn_blob *b = &p->blob[i];
    if (i < 0 || !b->value) return AFN_OK;
    return p->backend->unpack(p->device, b, &afn_graph_param(p->graph, i)->shape,
                              b->value, afn_params_f32(p->params, i));
}

/* Running statistics and the batch counter of one batch norm. */
static afn_status store_statistics(struct afn_plan *p, const afn_node *n)
{
    afn_status st = store_one(p, n->param[AFN_RUNNING_MEAN]);
    if (st == AFN_OK) st = store_one(p, n->param[AFN_RUNNING_VAR]);
    if (st == AFN_OK)
        *afn_params_i64(p->params, n->param[AFN_NUM_BATCHES]) += p->new_batches;
    return st;
}

afn_status afn_blobs_store(struct afn_plan *p)
{
    afn_status st = AFN_OK;
    for (int i = 0; i < p->n_params; i++)
        if (p->blob[i].trainable) AFN_TRY(store_one(p, i));
    for (int i = 0; p->new_batches && i < p->low.n_steps; i++)
        if (p->low.step[i].batch_stats)
            AFN_TRY(store_statistics(p, p->low.step[i].node));
    p->new_batches = 0;
done:
    return st;
}

afn_status afn_blobs_prepare_update(struct afn_plan *p, const afn_optimizer *opt)
{
    for (int i = 0; i < p->n_params; i++) {
        afn_blob *b = &p->blob[i];
        for (int k = 0; b->value && b->trainable && k < opt->n_state; k++) {
            const afn_status st = new_zeros(&b->state[k], b->count);
            if (st != AFN_OK) return st;
        }
    }
    return AFN_OK;
}

static void update_one(const struct afn_plan *p, int i, const afn_update *u)
{
    p->backend->update(p->device, u->opt, &p->blob[i],
                       &u->args[u->group ? u->group[i] : 0]);
}

afn_status afn_blobs_update(struct afn_plan *p, const afn_update *u)
{
    /* all memory first: no half-made step */
    const afn_status st = afn_blobs_prepare_update(p, u->opt);
    for (int i = 0; st == AFN_OK && i < p->n_params; i++)
        if (p->blob[i].grad) update_one(p, i, u);
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
        if (s->grad_param[slot]) update_one(p, s->node->param[slot], u);
}

void afn_blobs_free(struct afn_plan *p)
{
    for (int i = 0; p->blob && i < p->n_params; i++) {
        afn_blob *b = &p->blob[i];
        afn_free(b->value);
        if (!p->opts.update_at_once) afn_free(b->grad);
        for (int k = 0; k < AFN_MAX_STATE; k++) afn_free(b->state[k]);
        if (b->layout) p->backend->free_layout(b->layout);
    }
    afn_free(p->blob);
}
