/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values as spreadsheets write them, read record by record. */
#ifndef AFN_IO_CSV_H
#define AFN_IO_CSV_H

#include "base/base.h"

enum { AFN_CSV_FIELDS = 256 }; /* most of a record */

typedef struct afn_csv {
    const char *at, *end; /* what is still to be read */
    char separator;
    int64_t line; /* on which the record begins, from 1 */

    int n;                             /* fields of the record */
    const char *field[AFN_CSV_FIELDS]; /* each ended by 0, until the next call */

    int64_t next_line;
    afn_buf text;
} afn_csv;

/* Begin.  The separator is the one of ',' ';' and tab that the first line has most of,
 * the comma where it has none; a byte-order mark is passed over.
 * Memory     borrows the text until afn_csv_close() */
void afn_csv_open(afn_csv *c, const void *text, size_t bytes);
void afn_csv_close(afn_csv *c); /* a zeroed one is a no-op */

/* The next record; empty lines are passed over.
 *   more     false after the last one
 * Errors     AFN_EFORMAT with the line: a quote that does not end or is followed by
 *            text, a zero byte, too many fields; AFN_ENOMEM */
afn_status afn_csv_next(afn_csv *c, bool *more);

#endif
