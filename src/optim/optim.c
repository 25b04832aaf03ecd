/* SPDX-License-Identifier: Apache-2.0 */
/* The list of optimisers, their defaults, and what their options may be. */
#include "optim/optim.h"

#include <math.h>
#include <string.h>

static const afn_optimizer *const list[] = {
    &afn_optim_sgd,
    &afn_optim_adam,
    &afn_optim_adamw,
    &afn_optim_rmsprop,
};

afn_status afn_optimizer_find(const afn_optimizer **out, const char *name)
{
    const char *known[AFN_COUNT(list)];
    size_t at = 0;
    for (size_t i = 0; i < AFN_COUNT(list); i++) known[i] = list[i]->name;
    const afn_status st =
        afn_optim__find(&at, "optimizer", name, known, AFN_COUNT(list));
    *out = st == AFN_OK ? list[at] : NULL;
    return st;
}

afn_optim_opts afn_optim_defaults(const char *optimizer)
{
    afn_optim_opts o = {
        .optimizer = optimizer ? optimizer : "sgd",
        .lr = 0.001f,
        .beta1 = 0.9f,
        .beta2 = 0.999f,
        .eps = 1e-8f,
        .alpha = 0.99f,
        .layer_decay = 1,
        .head_lr_factor = 1,
        .accumulate = 1,
    };
    if (strcmp(o.optimizer, "sgd") == 0) o.momentum = 0.9f;
    if (strcmp(o.optimizer, "adamw") == 0) o.weight_decay = 0.01f;
    if (strcmp(o.optimizer, "rmsprop") == 0) o.lr = 0.01f;
    return o;
}

/* ---- names and ranges, of schedules too ---- */

afn_status afn_optim__find(size_t *out, const char *kind, const char *name,
                           const char *const *known, size_t n)
{
    afn_buf all = { 0 };
    for (*out = 0; *out < n; ++*out)
        if (strcmp(known[*out], name) == 0) return AFN_OK;
    for (size_t i = 0; i < n; i++) afn_buf_fmt(&all, "%s%s", i ? ", " : "", known[i]);
    const afn_status st = afn_fail(AFN_ENOTFOUND, "%s: no such %s, there is %s", name,
                                   kind, all.data ? all.data : "");
    afn_buf_free(&all);
    return st;
}

afn_status afn_check_range(const char *name, double value, afn_range r)
{
    const bool above = r.open_low ? value > r.low : value >= r.low;
    const bool below = r.open_high ? value < r.high : value <= r.high;
    if (above && below && isfinite(value)) return AFN_OK;
    if (isinf(r.high))
        return afn_fail(AFN_EINVAL, "%s is %g, need a number %s %g", name, value,
                        r.open_low ? "above" : "from", r.low);
    return afn_fail(AFN_EINVAL, "%s is %g, need %s%g to %s%g", name, value,
                    r.open_low ? "above " : "", r.low, r.open_high ? "below " : "",
                    r.high);
}

afn_status afn_optim_check(const afn_optim_opts *o)
{
    const struct {
        const char *name;
        double value;
        afn_range range;
    } row[] = {
        { "learning rate", (double)o->lr, AFN_FROM_0 },
        { "weight decay", (double)o->weight_decay, AFN_FROM_0 },
        { "momentum", (double)o->momentum, AFN_FROM_0 },
        { "dampening", (double)o->dampening, AFN_FROM_0 },
        { "beta1", (double)o->beta1, AFN_BELOW_1 },
        { "beta2", (double)o->beta2, AFN_BELOW_1 },
        { "eps", (double)o->eps, AFN_FROM_0 },
        { "alpha", (double)o->alpha, AFN_BELOW_1 },
        { "layer decay", (double)o->layer_decay, AFN_ABOVE_0_TO_1 },
        { "head learning rate factor", (double)o->head_lr_factor, AFN_ABOVE_0 },
        { "clip norm", (double)o->clip_norm, AFN_FROM_0 },
        { "clip value", (double)o->clip_value, AFN_FROM_0 },
        { "ema decay", (double)o->ema_decay, AFN_BELOW_1 },
    };
    const afn_optimizer *found;
    afn_status st = afn_optimizer_find(&found, o->optimizer ? o->optimizer : "");
    for (size_t i = 0; st == AFN_OK && i < AFN_COUNT(row); i++)
        st = afn_check_range(row[i].name, row[i].value, row[i].range);
    if (st != AFN_OK) return st;
    if (o->nesterov && (o->momentum == 0 || o->dampening != 0)) /* as torch.optim.SGD */
        return afn_fail(AFN_EINVAL, "nesterov needs a momentum above 0%s",
                        o->dampening != 0 ? " and no dampening" : "");
    if (o->accumulate < 1)
        return afn_fail(AFN_EINVAL, "accumulate is %d, need at least 1", o->accumulate);
    return AFN_OK;
}
