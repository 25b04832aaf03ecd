/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule_args.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train_args.h"

static const char *const schedules[] = { "constant",    "step",   "multistep",
                                         "exponential", "cosine", "onecycle",
                                         "plateau",     NULL };

/* Whole numbers with commas between them; false where text is something else. */
static bool parse_milestones(afn_schedule_opts *o, const char *text)
{
    char *end;
    for (; text; text = *end ? end + 1 : NULL) {
        const long v = strtol(text, &end, 10);
        if (end == text || (*end && *end != ',') || v < 1 || v > INT32_MAX)
            return false;
        if (o->n_milestones == AFN_MAX_MILESTONES) return false;
        o->milestone[o->n_milestones++] = (int)v;
    }
    return true;
}

static bool opts_of(afn_schedule_opts *o, const schedule_args *a)
{
    *o = afn_schedule_defaults();
    o->schedule = schedules[a->schedule];
    o->on_updates = a->on_updates;
    o->warmup_epochs = (int)a->warmup_epochs;
    o->warmup_steps = a->warmup_steps;
    o->warmup_factor = (float)a->warmup_factor;
    o->step_size = (int)a->step_size;
    o->gamma = (float)a->gamma;
    o->eta_min = (float)a->eta_min;
    o->pct_start = (float)a->pct_start;
    o->div_factor = (float)a->div_factor;
    o->final_div_factor = (float)a->final_div_factor;
    o->cycle_momentum = !a->no_cycle_momentum;
    o->base_momentum = (float)a->base_momentum;
    o->max_momentum = (float)a->max_momentum;
    o->factor = (float)a->factor;
    o->patience = (int)a->patience;
    o->threshold = (float)a->threshold;
    o->cooldown = (int)a->cooldown;
    o->min_lr = (float)a->min_lr;
    return parse_milestones(o, a->milestones);
}

int cli_schedule_check(const cli_command *c, const schedule_args *a)
{
    afn_schedule_opts o;
    if (!opts_of(&o, a))
        return cli_usage(
            c, "--milestones needs up to %d epochs such as 30,60,80, not '%s'",
            (int)AFN_MAX_MILESTONES, a->milestones);
    if (!strcmp(o.schedule, "multistep") && !o.n_milestones)
        return cli_usage(c, "--schedule multistep needs --milestones");
    if (afn_schedule_check(&o) != AFN_OK)
        return cli_usage(c, "%s", afn_error_message());
    return CLI_GO_ON;
}

void cli_schedule_set(afn_phase *phase, const schedule_args *a)
{
    (void)opts_of(&phase->schedule, a); /* checked before */
}

void cli_schedule_put(const afn_phase *phase)
{
    const afn_schedule_opts *o = &phase->schedule;
    if (strcmp(o->schedule, "constant")) printf(", %s", o->schedule);
    if (o->warmup_epochs)
        printf(", %d %s of warm-up", o->warmup_epochs,
               cli_plural(o->warmup_epochs, "epoch", "epochs"));
    if (o->warmup_steps)
        printf(", %lld %s of warm-up", (long long)o->warmup_steps,
               cli_plural(o->warmup_steps, "step", "steps"));
}

/* Bits of with_choice, in the order of schedules[]. */
enum {
    STEP = 2,
    MULTISTEP = 4,
    EXPONENTIAL = 8,
    COSINE = 16,
    ONECYCLE = 32,
    PLATEAU = 64
};
#define OF(schedules) .with = "schedule", .with_choice = (schedules)

const cli_option cli_schedule_options[] = {
    { .section = "schedule",
      .name = "schedule",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, schedule.schedule),
      .choice = schedules,
      .initial = "constant",
      .help = "how the learning rate goes over each phase" },
    { .name = "schedule-on-updates",
      .type = CLI_FLAG,
      .at = offsetof(train_args, schedule.on_updates),
      .help = "it moves after each step of the optimiser and not after each epoch; "
              "--step-size and --milestones then count steps" },
    { .name = "warmup-epochs",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, schedule.warmup_epochs),
      .min = 0,
      .max = 100000,
      .initial = "0",
      .help = "epochs of rising rate before the schedule begins" },
    { .name = "warmup-steps",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, schedule.warmup_steps),
      .min = 0,
      .max = 1000000000,
      .initial = "0",
      .help = "steps of rising rate over its beginning" },
    { .name = "warmup-factor",
      .type = CLI_REAL,
      .metavar = "P",
      .at = offsetof(train_args, schedule.warmup_factor),
      .low = 0,
      .high = 1,
      .initial = "0.01",
      .help = "part of the rate that warm-up begins with" },
    { .name = "step-size",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, schedule.step_size),
      .min = 1,
      .max = 1000000000,
      .initial = "1",
      OF(STEP),
      .help = "epochs between two falls" },
    { .name = "gamma",
      .type = CLI_REAL,
      .metavar = "P",
      .at = offsetof(train_args, schedule.gamma),
      .low = 0,
      .high = 1000,
      .initial = "0.1",
      OF(STEP | MULTISTEP | EXPONENTIAL),
      .help = "part of the rate that is left after each fall" },
    { .name = "milestones",
      .type = CLI_TEXT,
      .metavar = "N,N...",
      .at = offsetof(train_args, schedule.milestones),
      OF(MULTISTEP),
      .help = "epochs after which it falls" },
    { .name = "eta-min",
      .type = CLI_REAL,
      .metavar = "RATE",
      .at = offsetof(train_args, schedule.eta_min),
      .low = 0,
      .high = 1000,
      .initial = "0",
      OF(COSINE),
      .help = "rate at the end" },
    { .name = "pct-start",
      .type = CLI_REAL,
      .metavar = "P",
      .at = offsetof(train_args, schedule.pct_start),
      .low = 0,
      .high = 1,
      .initial = "0.3",
      OF(ONECYCLE),
      .help = "part of the steps that rise" },
    { .name = "div-factor",
      .type = CLI_REAL,
      .metavar = "F",
      .at = offsetof(train_args, schedule.div_factor),
      .low = 1,
      .high = DBL_MAX,
      .initial = "25",
      OF(ONECYCLE),
      .help = "it begins with this part of the rate" },
    { .name = "final-div-factor",
      .type = CLI_REAL,
      .metavar = "F",
      .at = offsetof(train_args, schedule.final_div_factor),
      .low = 1,
      .high = DBL_MAX,
      .initial = "1e4",
      OF(ONECYCLE),
      .help = "it ends at this part of where it began" },
    { .name = "no-cycle-momentum",
      .type = CLI_FLAG,
      .at = offsetof(train_args, schedule.no_cycle_momentum),
      OF(ONECYCLE),
      .help = "leave momentum and beta1 alone" },
    { .name = "base-momentum",
      .type = CLI_REAL,
      .metavar = "M",
      .at = offsetof(train_args, schedule.base_momentum),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.85",
      OF(ONECYCLE),
      .help = "momentum where the rate is largest" },
    { .name = "max-momentum",
      .type = CLI_REAL,
      .metavar = "M",
      .at = offsetof(train_args, schedule.max_momentum),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.95",
      OF(ONECYCLE),
      .help = "momentum at both ends" },
    { .name = "plateau-factor",
      .type = CLI_REAL,
      .metavar = "P",
      .at = offsetof(train_args, schedule.factor),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.1",
      OF(PLATEAU),
      .help =
          "part of the rate that is left where the validation loss no longer falls" },
    { .name = "plateau-patience",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, schedule.patience),
      .min = 0,
      .max = 100000,
      .initial = "10",
      OF(PLATEAU),
      .help = "epochs without a better one before that" },
    { .name = "plateau-threshold",
      .type = CLI_REAL,
      .metavar = "P",
      .at = offsetof(train_args, schedule.threshold),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "1e-4",
      OF(PLATEAU),
      .help = "better is below the best by this part of it" },
    { .name = "plateau-cooldown",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, schedule.cooldown),
      .min = 0,
      .max = 100000,
      .initial = "0",
      OF(PLATEAU),
      .help = "epochs after a fall that do not count" },
    { .name = "plateau-min-lr",
      .type = CLI_REAL,
      .metavar = "RATE",
      .at = offsetof(train_args, schedule.min_lr),
      .low = 0,
      .high = 1000,
      .initial = "0",
      OF(PLATEAU),
      .help = "the rate falls no lower" },
    { .name = NULL },
};
