/* SPDX-License-Identifier: Apache-2.0 */
/* What lies between backward and the optimiser where a step needs all gradients at
 * once, or those of several batches; and the average of weights after it.  Blobs are
 * padded with zeros, which all of this leaves zeros. */
#include <math.h>
#include <string.h>

#include "engine/plan.h"

/* ---- gradients ---- */

static void take(int64_t n, float *restrict w, const float *restrict g,
                 float *const *state, const afn_step_args *h)
{
    (void)w;
    (void)h;
    memcpy(state[AFN_STATE_GATHERED], g, (size_t)n * sizeof *g);
}

static void add(int64_t n, float *restrict w, const float *restrict g,
                float *const *state, const afn_step_args *h)
{
    float *restrict sum = state[AFN_STATE_GATHERED];
    (void)w;
    (void)h;
    for (int64_t i = 0; i < n; i++) sum[i] += g[i];
}

/* They stand in for an optimiser, so that gathering happens where an update would, with
 * the gradient still in the cache. */
static const afn_optimizer taking = { .name = "take", .step = take },
                           adding = { .name = "add", .step = add };

afn_status afn_plan_backward_gather(afn_plan *p, const float *dlogits, bool first)
{
    const afn_step_args none = { 0 };
    const afn_update u = { first ? &taking : &adding, &none, NULL };
    const bool at_once = p->opts.update_at_once;
    p->backend->enter(p->device);
    afn_status st = afn_blobs_prepare_state(p, AFN_STATE_GATHERED, NULL);
    if (st == AFN_OK) st = afn_plan_run_backward(p, dlogits, at_once ? &u : NULL);
    if (st == AFN_OK && !at_once) st = afn_blobs_update(p, &u);
    return st;
}

typedef struct scaling {
    float *g;
    float factor, limit;
} scaling;

static void scale_range(void *user, int64_t from, int64_t to)
{
    const scaling *s = user;
    const float factor = s->factor, limit = s->limit > 0 ? s->limit : INFINITY;
    for (int64_t i = from; i < to; i++) {
        const float g = s->g[i] * factor;
        s->g[i] = g > limit ? limit : g < -limit ? -limit : g;
    }
}

void afn_plan_scale_gathered(afn_plan *p, float factor, float limit)
{
    p->backend->enter(p->device);
    for (int i = 0; i < p->n_params; i++) {
        const afn_blob *b = &p->blob[i];
        float *g = b->state[AFN_STATE_GATHERED];
        if (g)
            p->backend->each(p->device, b->count, scale_range,
                             &(scaling){ g, factor, limit });
    }
}

/* On one thread, so that their number does not change the sum. */
static double sum_of_squares(const float *g, int64_t n)
{
    enum { LANES = 8 };
    double lane[LANES] = { 0 }, sum = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) lane[k] += (double)g[i + k] * (double)g[i + k];
    for (; i < n; i++) sum += (double)g[i] * (double)g[i];
    for (int k = 0; k < LANES; k++) sum += lane[k];
    return sum;
}

double afn_plan_gathered_norm(const afn_plan *p)
{
    double sum = 0;
    for (int i = 0; i < p->n_params; i++) {
        const float *g = p->blob[i].state[AFN_STATE_GATHERED];
        if (g) sum += sum_of_squares(g, p->blob[i].count);
    }
    return sqrt(sum);
}

afn_status afn_plan_update_gathered(afn_plan *p, const afn_optimizer *opt,
                                    const afn_step_args *args, const int *group)
{
    const double start = afn_profile_start(p);
    p->backend->enter(p->device);
    const afn_status st =
        afn_blobs_update_gathered(p, &(afn_update){ opt, args, group });
    afn_profile_add_update(p, start);
    return st;
}

/* ---- average ---- */

typedef struct averaging {
    float *mean;
    const float *value;
    float decay;
} averaging;

static void average_range(void *user, int64_t from, int64_t to)
{
    const averaging *a = user;
    const float decay = a->decay;
    for (int64_t i = from; i < to; i++)
        a->mean[i] = decay * a->mean[i] + (1 - decay) * a->value[i];
}

static afn_status begin_average(afn_plan *p)
{
    bool *changes = afn_alloc_array((size_t)p->n_params, sizeof *changes);
    if (!changes) return afn_fail(AFN_ENOMEM, "out of memory");
    afn_plan_changes(p, changes);
    const afn_status st = afn_blobs_prepare_state(p, AFN_STATE_AVERAGE, changes);
    afn_free(changes);
    return st;
}

afn_status afn_plan_average(afn_plan *p, float decay)
{
    p->backend->enter(p->device);
    const afn_status st = decay > 0 ? AFN_OK : begin_average(p);
    for (int i = 0; st == AFN_OK && i < p->n_params; i++) {
        const afn_blob *b = &p->blob[i];
        float *mean = b->state[AFN_STATE_AVERAGE];
        if (mean)
            p->backend->each(p->device, b->count, average_range,
                             &(averaging){ mean, b->value, decay });
    }
    return st;
}
