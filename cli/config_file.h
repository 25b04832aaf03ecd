/* SPDX-License-Identifier: Apache-2.0 */
/* 'afina train --config FILE': options from a file, with what is typed on top, and
 * phases, which only a file can have more than two of.  Keys are the names of options,
 * so that whatever has a row in a table can be set there.  See docs/config.md. */
#ifndef AFN_CLI_CONFIG_FILE_H
#define AFN_CLI_CONFIG_FILE_H

#include "train_args.h"

/* What a file holds for as long as its options are used. */
struct cli_config {
    afn_toml *doc;
    char **text; /* [n_text] made of numbers and lists; owned */
    int n_text;
    int n_phases;
    struct cli_config_phase {
        train_args o;   /* of all of the run, with the phase's own */
        cli_args keys;  /* that it has, as of cli_phase_keys */
        cli_args known; /* these, and those that the run has for it */
    } phase[CLI_MAX_PHASES];
};

/* Read the file that o names, if any: set what was not typed, and mark it as given.
 *   line     what was typed, and then also what stands in the file
 * Returns CLI_GO_ON, or an exit code after a message. */
int cli_config_read(train_args *o, const cli_command *c, cli_args *line);
void cli_config_free(cli_config *f);

/* Print what is set as such a file, and what is not as comments with its default. */
void cli_config_put(const train_args *o, const cli_command *c, const cli_args *given);

/* Is it an option of the command line alone? */
bool cli_config_lacks(const char *name);

#endif
