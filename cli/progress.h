/* SPDX-License-Identifier: Apache-2.0 */
/* How a training run shows where it is: on a terminal one line, redrawn; elsewhere
 * nothing but the line of each epoch. */
#ifndef AFN_CLI_PROGRESS_H
#define AFN_CLI_PROGRESS_H

#include <stdbool.h>

#include <afina/afina.h>

typedef struct cli_progress {
    bool live;       /* stderr is a terminal */
    bool drawn;      /* a line stands there now */
    double drawn_at; /* seconds */
} cli_progress;

void cli_progress_start(cli_progress *p, bool quiet);
void cli_progress_step(cli_progress *p, const afn_progress *at);

/* Any other line, not more often than ten times a second. */
void cli_progress_line(cli_progress *p, const char *line);

/* Wipe the line, before anything else is printed. */
void cli_progress_clear(cli_progress *p);

/* One line on stdout for a finished epoch. */
void cli_progress_epoch(cli_progress *p, const afn_epoch *e);

#endif
