/* SPDX-License-Identifier: Apache-2.0 */
#include "optim_args.h"

#include "train_args.h"

int cli_optim_check(const cli_command *c, const optim_args *a)
{
    if (a->nesterov && a->momentum == 0)
        return cli_usage(c, "--nesterov needs a --momentum above 0");
    return CLI_GO_ON;
}

void cli_optim_set(afn_phase *phase, const optim_args *a, double lr)
{
    phase->optim.lr = (float)lr;
    phase->optim.momentum = (float)a->momentum;
    phase->optim.weight_decay = (float)a->weight_decay;
    phase->optim.nesterov = a->nesterov;
}

const cli_option cli_optim_options[] = {
    { .section = "optimiser",
      .name = "momentum",
      .type = CLI_REAL,
      .metavar = "M",
      .at = offsetof(train_args, optim.momentum),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.9",
      .help = "of SGD" },
    { .name = "weight-decay",
      .type = CLI_REAL,
      .metavar = "D",
      .at = offsetof(train_args, optim.weight_decay),
      .low = 0,
      .high = 1000,
      .initial = "0",
      .help = "of SGD" },
    { .name = "nesterov",
      .type = CLI_FLAG,
      .at = offsetof(train_args, optim.nesterov),
      .help = "use Nesterov's momentum" },
    { .name = NULL },
};
