/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line options declared once, in a table per command: from it come the parser,
 * its messages and the help text. */
#ifndef AFN_CLI_OPTIONS_H
#define AFN_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_command;

typedef enum cli_type {
    CLI_FLAG,   /* bool, false until given */
    CLI_INT,    /* int64_t from min to max */
    CLI_REAL,   /* double from low to high */
    CLI_TEXT,   /* const char *, not empty */
    CLI_CHOICE, /* int, place in choice[] */
    CLI_N_TYPES
} cli_type;

/* One option.  A row names only what its type needs. */
typedef struct cli_option {
    const char *name; /* without dashes; NULL ends the table */
    char letter;      /* short form, 0 = none */
    cli_type type;
    const char *metavar; /* "FILE", "N" */
    size_t at;           /* offsetof() the value in the command's struct */

    int64_t min, max;
    double low, high; /* DBL_MAX = no limit */
    bool below_high;  /* high itself is excluded */
    const char *const *choice;

    const char
        *initial; /* default, as it would be typed; NULL leaves the value alone */
    bool required;
    bool hidden; /* from help */

    /* It is read only with some choices of another option, and refused with others */
    const char *with;     /* that option's name: a CLI_CHOICE; NULL = always read */
    unsigned with_choice; /* bits 1 << place in its choice[] */
    const char *help;
    const char *section; /* heading before this option and those after it, in help and
                          * man page: "data"; NULL = as the option before */
} cli_option;

enum { CLI_MAX_OPTIONS = 128, CLI_GO_ON = -1 };

/* What stood on the command line beside the options. */
typedef struct cli_args {
    char **operand; /* [n], in argv's memory */
    int n;
    bool given[CLI_MAX_OPTIONS]; /* by place, as cli_option_at() */
} cli_args;

/* Parse a command's arguments: --name VALUE, --name=VALUE, -x VALUE, -xVALUE, "--" ends
 * the options, the last of a repeated option counts.
 *
 *   argv     argv[0] is skipped; reordered: operands come first
 *   values   the command's struct, filled with defaults, then with what was given
 *
 * Returns CLI_GO_ON, or an exit code where all is said: help was asked for, or the
 * arguments were wrong. */
int cli_parse(const struct cli_command *c, int argc, char **argv, void *values,
              cli_args *args);

/* The options of a command, from all of its tables: i from 0; NULL behind the last. */
const cli_option *cli_option_at(const struct cli_command *c, int i);

/* Was this option on the command line? */
bool cli_given(const struct cli_command *c, const cli_args *args, const char *name);

/* "a whole number from 1 to 4096": what the option takes, written into buf; returns
 * buf. */
char *cli_expected(const cli_option *o, char *buf, size_t bytes);

#endif
