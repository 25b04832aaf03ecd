/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the optimiser. */
#ifndef AFN_CLI_OPTIM_ARGS_H
#define AFN_CLI_OPTIM_ARGS_H

#include "cli.h"

typedef struct optim_args {
    double momentum, weight_decay;
    bool nesterov;
} optim_args;

/* Their rows: of the `optim` in a train_args. */
extern const cli_option cli_optim_options[];

/* Check them, with a usage message: CLI_GO_ON or an exit code. */
int cli_optim_check(const cli_command *c, const optim_args *a);

/* Give them to a phase. */
void cli_optim_set(afn_phase *phase, const optim_args *a, double lr);

#endif
