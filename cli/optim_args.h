/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the optimiser, of parameter groups, of gradients and averages. */
#ifndef AFN_CLI_OPTIM_ARGS_H
#define AFN_CLI_OPTIM_ARGS_H

#include "cli.h"

typedef struct optim_args {
    int optimizer; /* place in the choices of --optimizer */
    double momentum, dampening, weight_decay;
    double beta1, beta2, eps, alpha;
    bool nesterov, centered;
    double layer_decay, head_lr_factor;
    bool no_decay_norm_bias;
    double clip_norm, clip_value;
    int64_t accumulate;
    double ema_decay;
    bool ema_warmup;
} optim_args;

/* Their rows: of the `optim` in a train_args. */
extern const cli_option cli_optim_options[];

/* Check them, with a usage message, and fill in the optimiser's own defaults: CLI_GO_ON
 * or an exit code. */
int cli_optim_check(const cli_command *c, const cli_args *args, optim_args *a);

/* Give them to a phase. */
void cli_optim_set(afn_phase *phase, const optim_args *a, double lr);

/* Print how a phase differs from plain SGD: " of adamw", ", average of weights". */
void cli_optim_put(const afn_phase *phase);

#endif
