/* SPDX-License-Identifier: Apache-2.0 */
/* What one phase can be told: by a [[phase]] of a configuration file, or by the options
 * of the head and of the phase behind it. */
#ifndef AFN_CLI_PHASE_ARGS_H
#define AFN_CLI_PHASE_ARGS_H

#include "cli.h"

enum { CLI_MAX_PHASES = 16 };

typedef struct phase_args {
    const char *name, *unfreeze; /* NULL = the head */
    int64_t epochs;
    double lr;
    int solver; /* an afn_solver */
    const char *l2_text;
    double l2; /* what that says, below 0 = auto */
} phase_args;

extern const char *const cli_solvers[]; /* in the order of afn_solver */

/* The keys of a [[phase]]: these, and the options that each phase has for itself.  Of
 * it, the tables alone are read. */
extern const cli_command cli_phase_keys;

/* "auto" or a number from 0.
 *   option   for the message
 * Returns CLI_GO_ON, or an exit code after a usage message. */
int cli_l2(const cli_command *c, const char *option, const char *text, double *l2);

struct train_args;

/* Check what a phase is told, with a usage message: CLI_GO_ON or an exit code.
 *   known    which of its keys it has, or the run has for it */
int cli_phase_check(const cli_command *c, struct train_args *o, const cli_args *known);

/* The phase that they ask for. */
void cli_phase_set(afn_phase *phase, const struct train_args *o);

#endif
