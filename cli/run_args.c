/* SPDX-License-Identifier: Apache-2.0 */
#include "run_args.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "train_args.h"

static const char *const monitors[] = { "accuracy", "loss", NULL };
_Static_assert(AFN_MONITOR_ACCURACY == 0 && AFN_MONITOR_LOSS == 1,
               "monitors[] in the order of afn_monitor");

/* Seconds from "90s", "30m", "1.5h"; false where text is none, or not above 0. */
static bool parse_span(const char *text, double *seconds)
{
    char *end;
    const double v = strtod(text, &end);
    const double unit = !strcmp(end, "s")   ? 1
                        : !strcmp(end, "m") ? 60
                        : !strcmp(end, "h") ? 3600
                                            : 0;
    *seconds = v * unit;
    return end != text && isfinite(*seconds) && *seconds > 0;
}

static bool parse_steps(const char *text, int64_t *steps)
{
    char *end;
    const long long v = strtoll(text, &end, 10);
    *steps = v;
    return end != text && !*end && v > 0 && v < INT64_MAX;
}

int cli_every(const cli_command *c, const char *option, const char *text,
              int64_t *steps, double *seconds)
{
    if (!text || parse_steps(text, steps)) return CLI_GO_ON;
    *steps = 0;
    if (parse_span(text, seconds)) return CLI_GO_ON;
    return cli_usage(c, "--%s needs steps or a time such as 100, 90s or 5m, not '%s'",
                     option, text);
}

int cli_run_check(const cli_command *c, run_args *a)
{
    const char *every = a->checkpoint_every, *limit = a->time_limit;
    const int code =
        cli_every(c, "checkpoint-every", every, &a->checkpoint_steps, &a->checkpoint_s);
    if (code != CLI_GO_ON) return code;
    if (limit && !parse_span(limit, &a->time_limit_s))
        return cli_usage(
            c, "--time-limit needs a time such as 90s, 30m or 2h, not '%s'", limit);
    if (a->min_delta > 0 && !a->patience)
        return cli_usage(c, "--min-delta needs --patience");
    return CLI_GO_ON;
}

void cli_run_set(afn_fit_opts *opts, const run_args *a)
{
    opts->resume = a->resume != NULL;
    opts->checkpoint_steps = a->checkpoint_steps;
    opts->checkpoint_s = a->checkpoint_s;
    opts->time_limit_s = a->time_limit_s;
    opts->target_accuracy = a->target_accuracy;
    opts->monitor = (afn_monitor)a->monitor;
}

void cli_run_set_phase(afn_phase *phase, const run_args *a)
{
    phase->patience = (int)a->patience;
    phase->min_delta = a->min_delta;
}

const cli_option cli_run_options[] = {
    { .section = "stopping and going on",
      .name = "resume",
      .type = CLI_TEXT,
      .of_call = true,
      .metavar = "DIR",
      .at = offsetof(train_args, run.resume),
      .help = "go on with the run in DIR from where it was stopped or killed, with the "
              "options it had; DATA and --out are not needed" },
    { .name = "overwrite",
      .type = CLI_FLAG,
      .of_call = true,
      .at = offsetof(train_args, run.overwrite),
      .help = "replace a run that is in DIR" },
    { .name = "checkpoint-every",
      .type = CLI_TEXT,
      .metavar = "N|TIME",
      .at = offsetof(train_args, run.checkpoint_every),
      .help = "save the run after every so many steps (100) or so much time (90s, 5m), "
              "besides after epochs and when it stops" },
    { .name = "time-limit",
      .type = CLI_TEXT,
      .metavar = "TIME",
      .at = offsetof(train_args, run.time_limit),
      .help = "stop after 90s, 30m or 2h, as Ctrl-C does; the run can be resumed, by "
              "itself without a limit" },
    { .name = "target-accuracy",
      .type = CLI_REAL,
      .metavar = "A",
      .at = offsetof(train_args, run.target_accuracy),
      .low = 0,
      .high = 1,
      .initial = "0",
      .help = "end with the epoch that gets this part of the validation images right, "
              "0 for no" },
    { .name = "monitor",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, run.monitor),
      .choice = monitors,
      .initial = "accuracy",
      .help = "what --patience looks at, of the validation images" },
    { .name = NULL },
};

const cli_option cli_patience_options[] = {
    { .name = "patience",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, run.patience),
      .min = 0,
      .max = 100000,
      .initial = "0",
      .help = "end a phase after N epochs in a row without a better one, 0 for no" },
    { .name = "min-delta",
      .type = CLI_REAL,
      .metavar = "D",
      .at = offsetof(train_args, run.min_delta),
      .low = 0,
      .high = DBL_MAX,
      .initial = "0",
      .help = "better for --patience is better by more than this" },
    { .name = NULL },
};
