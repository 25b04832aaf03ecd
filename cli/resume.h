/* SPDX-License-Identifier: Apache-2.0 */
/* 'afina train --resume DIR': the command line that a run was begun with, kept in its
 * checkpoint, with what is typed now behind it. */
#ifndef AFN_CLI_RESUME_H
#define AFN_CLI_RESUME_H

#include "cli.h"

typedef struct cli_resume {
    int argc;
    char **argv; /* as main() has it; owned, what it points to in part */
    char *memory, *folder;
    bool begun; /* last.ckpt has the model */
    afn_run_state state;
} cli_resume;

/* Where argv asks to resume: look at the run, go to the folder in which it was begun,
 * and put the command line together; else take argv as it is.
 * Returns CLI_GO_ON or an exit code after a message. */
int cli_resume_open(cli_resume *r, int argc, char **argv);
void cli_resume_close(cli_resume *r);

/* The note for a checkpoint: this folder and this command line.  Free it; NULL where
 * memory ran out.
 *   config   what its --config holds, which may be another file tomorrow; may be NULL
 *   batch    images of a batch, where that is not 0
 *   parts    how many of them the one that was asked for is */
char *cli_resume_note(const cli_resume *r, const char *config, int64_t batch,
                      int parts);

/* May a new run be made in the folder?  Returns CLI_OK, or CLI_FAILED after a message.
 */
int cli_resume_check_new(const char *folder, bool overwrite);

/* Print how to go on with the run in folder, as the end of a message. */
void cli_resume_hint(const char *why, const char *folder);

#endif
