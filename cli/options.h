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
    bool hidden;  /* from help */
    bool of_call; /* it is of this call, not of the run that is begun with it: not in
                   * config.json, and not taken up again by --resume */

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

/* The same in two parts, for a command that has values from elsewhere too: what is on
 * the command line; whether nothing is missing that is required, or has no meaning
 * beside others. */
int cli_parse_line(const struct cli_command *c, int argc, char **argv, void *values,
                   cli_args *args);
int cli_parse_end(const struct cli_command *c, const cli_args *args, void *values);

/* Set one option as if it had been typed; a flag takes true and false.
 *   text     kept by an option of CLI_TEXT
 * Returns false where text is none of its values. */
bool cli_option_set(const cli_option *o, const char *text, void *values);

/* Fill the values of one table with its defaults. */
void cli_option_defaults(const cli_option *table, void *values);

/* Place among a command's options, -1 where there is none of this name. */
int cli_option_find(const struct cli_command *c, const char *name);

/* The option that an argument names, "--name", "--name=VALUE", "-x" or "-xVALUE"; NULL
 * where it names none.
 *   value    set where there is one: its value is the next argument */
const cli_option *cli_option_named(const struct cli_command *c, const char *arg,
                                   bool *value);

/* The options of a command, from all of its tables: i from 0; NULL behind the last. */
const cli_option *cli_option_at(const struct cli_command *c, int i);

/* Was this option on the command line? */
bool cli_given(const struct cli_command *c, const cli_args *args, const char *name);

/* "a whole number from 1 to 4096": what the option takes, written into buf; returns
 * buf. */
char *cli_expected(const cli_option *o, char *buf, size_t bytes);

#endif
