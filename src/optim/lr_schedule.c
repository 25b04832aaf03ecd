/* SPDX-License-Identifier: Apache-2.0 */
/* The list of schedules, their defaults, and what their options may be. */
#include "optim/lr_schedule.h"

static const afn_schedule *const list[] = {
    &afn_schedule_constant,    &afn_schedule_step,   &afn_schedule_multistep,
    &afn_schedule_exponential, &afn_schedule_cosine, &afn_schedule_onecycle,
    &afn_schedule_plateau,
};

afn_status afn_schedule_find(const afn_schedule **out, const char *name)
{
    const char *known[AFN_COUNT(list)];
    size_t at = 0;
    for (size_t i = 0; i < AFN_COUNT(list); i++) known[i] = list[i]->name;
    const afn_status st =
        afn_optim__find(&at, "schedule", name, known, AFN_COUNT(list));
    *out = st == AFN_OK ? list[at] : NULL;
    return st;
}

afn_schedule_opts afn_schedule_defaults(void)
{
    return (afn_schedule_opts){
        .schedule = "constant",
        .warmup_factor = 0.01f,
        .step_size = 1,
        .gamma = 0.1f,
        .pct_start = 0.3f,
        .div_factor = 25,
        .final_div_factor = 1e4f,
        .cycle_momentum = true,
        .base_momentum = 0.85f,
        .max_momentum = 0.95f,
        .factor = 0.1f,
        .patience = 10,
        .threshold = 1e-4f,
    };
}

/* Whole numbers, none below what it needs. */
static afn_status check_counts(const afn_schedule_opts *o)
{
    const struct {
        const char *name;
        int64_t value, least;
    } row[] = {
        { "warm-up epochs", o->warmup_epochs, 0 },
        { "warm-up steps", o->warmup_steps, 0 },
        { "step size", o->step_size, 1 },
        { "patience", o->patience, 0 },
        { "cooldown", o->cooldown, 0 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        if (row[i].value < row[i].least)
            return afn_fail(AFN_EINVAL, "%s is %lld, need at least %lld", row[i].name,
                            (long long)row[i].value, (long long)row[i].least);
    if (o->warmup_epochs && o->warmup_steps)
        return afn_fail(AFN_EINVAL, "warm-up has both epochs and steps");
    return AFN_OK;
}

afn_status afn_schedule_check(const afn_schedule_opts *o)
{
    const struct {
        const char *name;
        double value;
        afn_range range;
    } row[] = {
        { "warm-up factor", (double)o->warmup_factor, AFN_ABOVE_0_TO_1 },
        { "gamma", (double)o->gamma, AFN_ABOVE_0 },
        { "eta_min", (double)o->eta_min, AFN_FROM_0 },
        { "pct_start", (double)o->pct_start, AFN_INSIDE_0_1 },
        { "div_factor", (double)o->div_factor, AFN_FROM_1 },
        { "final_div_factor", (double)o->final_div_factor, AFN_FROM_1 },
        { "base_momentum", (double)o->base_momentum, AFN_BELOW_1 },
        { "max_momentum", (double)o->max_momentum, AFN_BELOW_1 },
        { "factor", (double)o->factor, AFN_INSIDE_0_1 },
        { "threshold", (double)o->threshold, AFN_BELOW_1 },
        { "min_lr", (double)o->min_lr, AFN_FROM_0 },
    };
    const afn_schedule *found;
    afn_status st = afn_schedule_find(&found, o->schedule ? o->schedule : "");
    for (size_t i = 0; st == AFN_OK && i < AFN_COUNT(row); i++)
        st = afn_check_range(row[i].name, row[i].value, row[i].range);
    if (st == AFN_OK) st = check_counts(o);
    return st == AFN_OK && found->check ? found->check(o) : st;
}
