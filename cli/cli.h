/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share: the command table, exit codes, messages and the printing of
 * text that came from files.  The command uses the library through <afina/afina.h>
 * alone, so it is also the largest example of that interface. */
#ifndef AFN_CLI_H
#define AFN_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <afina/afina.h>

#include "options.h"

/* Exit codes; 128 + signal where a signal stopped the work. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

enum { CLI_MAX_OPERANDS = 3 };

/* One line to type, and what it does. */
typedef struct cli_example {
    const char *line; /* "afina train photos --out run"; NULL ends the list */
    const char *what; /* may be NULL */
} cli_example;

/* One command.  Help text, man pages and completions come from this and its option
 * table alone. */
typedef struct cli_command {
    const char *name;
    const char *summary;                   /* one line, for the list of commands */
    const char *operand[CLI_MAX_OPERANDS]; /* "DATA"; NULL after the last */
    int min_operands;                      /* the rest may be left out */
    bool repeat;                           /* the last operand may come many times */
    const char *about;                     /* paragraphs before the options */
    const cli_option *option;              /* ends with a NULL name; NULL = none */
    const cli_option *const *more;         /* further such tables; ends with NULL */
    const char *notes;                     /* lines after the options, as they are */
    const cli_example *example;            /* ends with a NULL line; NULL = none */
    int (*run)(int argc, char **argv);     /* argv[0] is the command's name */
} cli_command;

extern const cli_command cli_cmd_train, cli_cmd_eval, cli_cmd_predict, cli_cmd_models,
    cli_cmd_inspect, cli_cmd_convert, cli_cmd_bench, cli_cmd_data, cli_cmd_report,
    cli_cmd_fetch, cli_cmd_describe, cli_cmd_completion;

/* All of them, in the order of the overview; NULL after the last. */
extern const cli_command *const cli_commands[];

/* ---- messages, to stderr: "afina: text" in one line; translated ---- */

#if defined(__GNUC__)
#define CLI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define CLI_FORMAT(a)    __attribute__((format_arg(a)))
#else
#define CLI_PRINTF(f, a)
#define CLI_FORMAT(a)
#endif

/* Print a message.  Returns CLI_FAILED. */
int cli_error(const char *fmt, ...) CLI_PRINTF(1, 2);

/* The library's last message, whatever st is.  Returns CLI_FAILED. */
int cli_fail(afn_status st);

/* A usage message that ends with where to read more; c may be NULL.  Returns CLI_USAGE.
 */
int cli_usage(const cli_command *c, const char *fmt, ...) CLI_PRINTF(2, 3);

/* Print the library's warnings as messages; for afn_log_set(). */
void cli_log(afn_log_level level, const char *line, void *user);

/* ---- the user's language: see docs/translating.md ---- */

/* Speak the language of the locale from now on; numbers keep their points. */
void cli_language_start(void);

/* printf() of text that is for people: the format is translated.  Machine formats go
 * through printf() itself. */
int cli_say(const char *fmt, ...) CLI_PRINTF(1, 2);

/* A word, or a format for another function, translated. */
const char *cli_text(const char *text) CLI_FORMAT(1);

/* "image" or "images", translated. */
const char *cli_plural(int64_t n, const char *one, const char *many);

/* ---- what is made of the tables ---- */

void cli_help(const cli_command *c); /* help.c */

/* The man page of a command; NULL = afina(1) itself.  See man.c. */
void cli_man(const cli_command *c);

/* Every text of the tables, as C for xgettext: see texts.c. */
void cli_texts(void);

/* ---- text ---- */

/* Names likely meant by a misspelt one, at most max (8): afn_nearest_names(). */
int cli_nearest(const char *name, const char *const *candidate, size_t n,
                const char **out, int max);

/* Print text from a file, control characters as '?', so that no name can drive the
 * terminal. */
void cli_put(FILE *f, const char *text);

/* The same, filled with blanks on the right to this many characters. */
void cli_put_wide(FILE *f, const char *text, int width);

/* Characters of UTF-8 text, and of its first n bytes. */
int cli_width(const char *text);
int cli_width_n(const char *text, size_t bytes);

enum { CLI_COUNT_BYTES = 32 };

/* "23,518,277", written into buf; returns buf. */
char *cli_count(int64_t n, char buf[CLI_COUNT_BYTES]);

enum { CLI_CLASS_BYTES = 16 };

/* Name of a class, or its number, written into buf, where the model has no names. */
const char *cli_class_text(const afn_model *m, int i, char buf[CLI_CLASS_BYTES]);

/* Print text as a field of CSV, in quotes where it needs them. */
void cli_csv_text(FILE *f, const char *text);

/* Bytes from "4096", "500M", "1.5G": k, M, G and T are powers of 1000.  False where
 * text is no such size, or below 1. */
bool cli_size(const char *text, int64_t *bytes);

/* Print "12.3 MB", "4.5 GB". */
void cli_put_bytes(int64_t bytes);

#endif
