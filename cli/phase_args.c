/* SPDX-License-Identifier: Apache-2.0 */
#include "phase_args.h"

#include <stdlib.h>
#include <string.h>

#include "train_args.h"

const char *const cli_solvers[] = { "epochs", "lbfgs", NULL };
_Static_assert(AFN_SOLVER_EPOCHS == 0 && AFN_SOLVER_LBFGS == 1,
               "cli_solvers[] in the order of afn_solver");

int cli_l2(const cli_command *c, const char *option, const char *text, double *l2)
{
    char *end = NULL;
    *l2 = -1;
    if (!strcmp(text, "auto")) return CLI_GO_ON;
    *l2 = strtod(text, &end);
    if (end != text && !*end && *l2 >= 0 && *l2 <= 1e6) return CLI_GO_ON;
    return cli_usage(c, "--%s needs auto or a number from 0 to 1e6, not '%s'", option,
                     text);
}

int cli_phase_check(const cli_command *c, train_args *o, const cli_args *known)
{
    int code = cli_l2(c, "l2", o->self.l2_text, &o->self.l2);
    if (code == CLI_GO_ON) code = cli_optim_check(&cli_phase_keys, known, &o->optim);
    if (code == CLI_GO_ON) code = cli_schedule_check(c, &o->schedule);
    if (code == CLI_GO_ON) code = cli_augment_check(c, &o->augment);
    return code;
}

/* A phase that is solved sees each image as it is, or its views. */
static void set_solver(afn_phase *phase, const train_args *o)
{
    phase->solver = (afn_solver)o->self.solver;
    phase->lbfgs.l2 = o->self.l2;
    if (phase->solver != AFN_SOLVER_LBFGS) return;
    phase->augment.mixup = phase->augment.cutmix = 0;
    if (!o->augment.views && !o->augment.head_spec) phase->augment.spec = "none";
}

void cli_phase_set(afn_phase *phase, const train_args *o)
{
    const augment_args *a = &o->augment;
    *phase = afn_phase_defaults();
    phase->name = o->self.name;
    phase->trainable = o->self.unfreeze;
    phase->epochs = (int)o->self.epochs;
    cli_optim_set(phase, &o->optim, o->self.lr);
    cli_schedule_set(phase, &o->schedule);
    cli_augment_set(phase, a, a->head_spec ? a->head_spec : a->spec);
    cli_run_set_phase(phase, &o->run);
    set_solver(phase, o);
}

static const cli_option own_keys[] = {
    { .section = "phase",
      .name = "name",
      .type = CLI_TEXT,
      .metavar = "NAME",
      .at = offsetof(train_args, self.name),
      .required = true,
      .help = "in what is printed and in metrics.csv" },
    { .name = "epochs",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, self.epochs),
      .min = 0,
      .max = 100000,
      .initial = "5",
      .help = "of the phase; lbfgs has 1" },
    { .name = "lr",
      .type = CLI_REAL,
      .metavar = "RATE",
      .at = offsetof(train_args, self.lr),
      .low = 0,
      .high = 1000,
      .initial = "0.001",
      .help = "learning rate" },
    { .name = "unfreeze",
      .type = CLI_TEXT,
      .metavar = "PATTERN",
      .at = offsetof(train_args, self.unfreeze),
      .help = "parameters that the phase trains (default: the head)" },
    { .name = "solver",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, self.solver),
      .choice = cli_solvers,
      .initial = "epochs",
      .help = "as --head-solver" },
    { .name = "l2",
      .type = CLI_TEXT,
      .metavar = "auto|L",
      .at = offsetof(train_args, self.l2_text),
      .initial = "auto",
      .help = "as --head-l2" },
    { .name = NULL },
};

static const cli_option *const tables[] = {
    own_keys,
    cli_optim_options,
    cli_schedule_options,
    cli_augment_options,
    cli_patience_options,
    NULL,
};

const cli_command cli_phase_keys = { .name = "train", .more = tables };
