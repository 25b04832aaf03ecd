/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the learning rate's schedule. */
#ifndef AFN_CLI_SCHEDULE_ARGS_H
#define AFN_CLI_SCHEDULE_ARGS_H

#include "cli.h"

typedef struct schedule_args {
    int schedule; /* place in the choices of --schedule */
    bool on_updates;
    int64_t warmup_epochs, warmup_steps;
    double warmup_factor;
    int64_t step_size;
    double gamma;
    const char *milestones; /* "30,60,80" */
    double eta_min;
    double pct_start, div_factor, final_div_factor;
    bool no_cycle_momentum;
    double base_momentum, max_momentum;
    double factor, threshold, min_lr;
    int64_t patience, cooldown;
} schedule_args;

/* Their rows: of the `schedule` in a train_args. */
extern const cli_option cli_schedule_options[];

/* Check them, with a usage message: CLI_GO_ON or an exit code. */
int cli_schedule_check(const cli_command *c, const schedule_args *a);

/* Give them to a phase. */
void cli_schedule_set(afn_phase *phase, const schedule_args *a);

/* Print a phase's schedule where it is not constant: ", cosine". */
void cli_schedule_put(const afn_phase *phase);

#endif
