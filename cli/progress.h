/* SPDX-License-Identifier: Apache-2.0 */
/* How a training run shows where it is, by --progress:
 *
 *   bar      one line on the terminal, redrawn, and a line for each epoch
 *   plain    a line for each epoch, and one twice a minute in between, to stderr
 *   json     the lines of run.jsonl, on stdout, and nothing else there
 *   quiet    nothing
 *   auto     bar where stderr is a terminal that can redraw a line, else plain */
#ifndef AFN_CLI_PROGRESS_H
#define AFN_CLI_PROGRESS_H

#include <stdbool.h>

#include <afina/afina.h>

typedef enum cli_progress_mode {
    CLI_PROGRESS_AUTO,
    CLI_PROGRESS_BAR,
    CLI_PROGRESS_PLAIN,
    CLI_PROGRESS_JSON,
    CLI_PROGRESS_QUIET
} cli_progress_mode;

extern const char *const cli_progress_modes[]; /* their names, ends with NULL */

typedef struct cli_progress {
    cli_progress_mode mode; /* settled: not auto */
    bool drawn;             /* a line stands there now */
    double told_at;         /* seconds: when the last line was drawn, or printed */
    afn_progress step;      /* the last one */
} cli_progress;

void cli_progress_start(cli_progress *p, cli_progress_mode mode);

/* Does the run say on stdout, in words, what it does? */
bool cli_progress_speaks(const cli_progress *p);

void cli_progress_step(cli_progress *p, const afn_progress *at);
void cli_progress_validation(cli_progress *p, int64_t batches, int64_t of);

/* A line of run.jsonl. */
void cli_progress_record(cli_progress *p, const char *line);

/* Any other line, not more often than ten times a second. */
void cli_progress_line(cli_progress *p, const char *line);

/* Wipe the line, before anything else is printed. */
void cli_progress_clear(cli_progress *p);

/* One line on stdout for a finished epoch. */
void cli_progress_epoch(cli_progress *p, const afn_epoch *e);

/* "1 h 02 min", "3 min 20 s", "45 s", written into buf; returns buf. */
enum { CLI_SPAN_BYTES = 32 };
char *cli_span(double seconds, char buf[CLI_SPAN_BYTES]);

#endif
