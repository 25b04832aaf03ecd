/* SPDX-License-Identifier: Apache-2.0 */
/* Without clipping and accumulation each parameter is updated while its gradient is in
 * the cache.  With either, gradients are gathered first. */
#include "train/update.h"

#include <math.h>

#include "optim/optim.h"

afn_status afn_updater_new(afn_updater *u, const afn_model *m, const afn_optim_opts *o)
{
    afn_status st = AFN_OK;
    u->o = *o;
    AFN_TRY(afn_optimizer_find(&u->optimizer, o->optimizer));
    AFN_TRY(afn_param_groups_new(&u->groups, m, o));
    u->args = afn_alloc_array((size_t)u->groups.n, sizeof *u->args);
    AFN_REQUIRE(u->args, AFN_ENOMEM, "out of memory");
done:
    return st;
}

void afn_updater_free(afn_updater *u)
{
    afn_param_groups_free(&u->groups);
    afn_free(u->args);
    *u = (afn_updater){ 0 };
}

/* Numbers of the next step, of each group. */
static void set_args(afn_updater *u, const afn_rate *r)
{
    const afn_optim_opts *o = &u->o;
    const double lr = afn_rate_now(r);
    for (int i = 0; i < u->groups.n; i++) {
        const afn_param_group *g = &u->groups.group[i];
        u->args[i] = (afn_step_args){
            .lr = (float)(lr * g->lr),
            .momentum = (float)afn_rate_momentum(r, (double)o->momentum),
            .weight_decay = g->decays ? o->weight_decay : 0,
            .dampening = o->dampening,
            .beta1 = (float)afn_rate_momentum(r, (double)o->beta1),
            .beta2 = o->beta2,
            .eps = o->eps,
            .alpha = o->alpha,
            .nesterov = o->nesterov,
            .centered = o->centered,
            .t = r->steps + 1,
        };
    }
}

static bool gathers(const afn_optim_opts *o)
{
    return o->accumulate > 1 || o->clip_norm > 0 || o->clip_value > 0;
}

int afn_update_states(const afn_optim_opts *o)
{
    const afn_step_args h = { .momentum = o->momentum, .centered = o->centered };
    const afn_optimizer *opt = NULL;
    int n = gathers(o) + (o->ema_decay > 0);
    if (afn_optimizer_find(&opt, o->optimizer) != AFN_OK) return 0;
    for (int k = 0; k < opt->n_state; k++) n += !opt->uses || opt->uses(&h, k);
    return n;
}

/* As torch.nn.utils.clip_grad_norm_(). */
static afn_status clip_norm(const afn_updater *u, afn_plan *p)
{
    const double norm = afn_plan_gathered_norm(p);
    const double factor = (double)u->o.clip_norm / (norm + 1e-6);
    if (!isfinite(norm))
        return afn_fail(AFN_EINVAL, "the norm of the gradients is no longer a number: "
                                    "try a lower learning rate");
    if (factor < 1) afn_plan_scale_gathered(p, (float)factor, 0);
    return AFN_OK;
}

/* The mean of what was gathered, limited, makes a step. */
static afn_status step_gathered(afn_updater *u, afn_plan *p)
{
    afn_status st = AFN_OK;
    const double mean = u->weight > 0 ? 1 / u->weight : 0;
    if (mean != 1 || u->o.clip_value > 0)
        afn_plan_scale_gathered(p, (float)mean, u->o.clip_value);
    if (u->o.clip_norm > 0) AFN_TRY(clip_norm(u, p));
    AFN_TRY(afn_plan_update_gathered(p, u->optimizer, u->args, u->groups.of));
done:
    u->batches = 0;
    u->weight = 0;
    return st;
}

/* A step was made. */
static afn_status follow(afn_updater *u, afn_plan *p, afn_rate *r)
{
    const double t = (double)++r->steps;
    double decay = (double)u->o.ema_decay;
    if (decay == 0) return AFN_OK;
    if (u->o.ema_warmup) decay = fmin(decay, (1 + t) / (10 + t));
    return afn_plan_average(p, t > 1 ? (float)decay : 0);
}

afn_status afn_update_rest(afn_updater *u, afn_plan *p, afn_rate *r)
{
    if (!u->batches) return AFN_OK;
    set_args(u, r);
    const afn_status st = step_gathered(u, p);
    return st == AFN_OK ? follow(u, p, r) : st;
}

afn_status afn_update_backward(afn_updater *u, afn_plan *p, afn_rate *r,
                               const float *dlogits, double weight)
{
    afn_status st = AFN_OK;
    if (gathers(&u->o)) {
        AFN_TRY(afn_plan_backward_gather(p, dlogits, !u->batches));
        u->batches++;
        u->weight += weight;
        return u->batches < u->o.accumulate ? AFN_OK : afn_update_rest(u, p, r);
    }
    set_args(u, r);
    AFN_TRY(afn_plan_backward_update(p, dlogits, u->optimizer, u->args, u->groups.of));
    AFN_TRY(follow(u, p, r));
done:
    return st;
}

void afn_update_fields(afn_updater *u, afn_fields *f)
{
    afn_field_int(f, "gathered.batches", &u->batches);
    afn_field_real(f, "gathered.weight", &u->weight);
    if (u->batches < 0 || u->batches >= u->o.accumulate)
        afn_fields_fail(f, "gathered.batches");
}
