/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/io/toml*.c: the place in a document, and what stands on one line of
 * it.
 *
 *   toml.c         keys, tables and arrays, and what they may not do to each other
 *   toml_text.c    comments, strings and names
 *   toml_scalar.c  numbers, dates and times, true and false */
#ifndef AFN_IO_TOML_SCAN_H
#define AFN_IO_TOML_SCAN_H

#include "afina/toml.h"
#include "base/base.h"

typedef struct afn_toml_scan {
    const char *name;
    const char *at;  /* the text ends with a 0 */
    const char *end; /* that 0 */
    const char *line_start;
    int line;
} afn_toml_scan;

/* Characters from the beginning of the line, from 1. */
int afn_toml_column(const afn_toml_scan *s);

/* AFN_EFORMAT with the place at hand. */
afn_status afn_toml_fail(const afn_toml_scan *s, const char *fmt, ...) AFN_PRINTF(2, 3);

/* ---- toml_text.c ---- */

/* Pass over blanks. */
void afn_toml_blanks(afn_toml_scan *s);

/* Pass over an end of line, a comment before it included; the end of the document is
 * one too. */
bool afn_toml_at_line_end(const afn_toml_scan *s);
afn_status afn_toml_line_end(afn_toml_scan *s);

/* Pass over blanks, comments and empty lines. */
afn_status afn_toml_space(afn_toml_scan *s);

/* A string of any of the four forms; at a quote.
 *   out      free with afn_free() */
afn_status afn_toml_string(afn_toml_scan *s, char **out);

/* One part of a key: bare, or a string of one line. */
afn_status afn_toml_name(afn_toml_scan *s, char **out);

/* ---- toml_scalar.c ---- */

/* A number, date, time, true or false.
 *   v        kind and value, filled; a date's text is to be freed with afn_free() */
afn_status afn_toml_scalar(afn_toml_scan *s, afn_toml_value *v);

#endif
