/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a run as a whole: going on with it, saving it on the way, ending it
 * early. */
#ifndef AFN_CLI_RUN_ARGS_H
#define AFN_CLI_RUN_ARGS_H

#include "cli.h"

typedef struct run_args {
    const char *resume; /* folder, NULL = a new run */
    bool overwrite;
    const char *checkpoint_every, *time_limit;
    int64_t checkpoint_steps; /* what --checkpoint-every says, */
    double checkpoint_s;      /* one of the two, or neither */
    double time_limit_s;
    int64_t patience;
    double min_delta, target_accuracy;
    int monitor;
} run_args;

/* Their rows: of the `run` in a train_args; the latter those that each phase may have
 * for itself. */
extern const cli_option cli_run_options[], cli_patience_options[];

/* "100" as steps or "90s" as a time; NULL is neither.
 * Returns CLI_GO_ON, or an exit code after a usage message about the option. */
int cli_every(const cli_command *c, const char *option, const char *text,
              int64_t *steps, double *seconds);

/* Check them, with a usage message: CLI_GO_ON or an exit code. */
int cli_run_check(const cli_command *c, run_args *a);

/* Give them to a run, and to its phases. */
void cli_run_set(afn_fit_opts *opts, const run_args *a);
void cli_run_set_phase(afn_phase *phase, const run_args *a);

#endif
