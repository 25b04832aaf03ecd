/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: growing buffer, formatted copies, name patterns, nearest name. */
#ifndef AFN_BASE_STR_H
#define AFN_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Bytes that grow, always followed by a 0.  Start with { 0 }; the first failure to
 * grow sticks, later calls do nothing, and afn_buf_finish() reports it once. */
typedef struct afn_buf {
    char *data;
    size_t size, cap;
    bool failed;
} afn_buf;

void afn_buf_add(afn_buf *b, const void *bytes, size_t n);
void afn_buf_str(afn_buf *b, const char *s);
void afn_buf_fmt(afn_buf *b, const char *fmt, ...) AFN_PRINTF(2, 3);
afn_status afn_buf_finish(const afn_buf *b); /* AFN_ENOMEM where it did not fit */
void afn_buf_free(afn_buf *b);

/* Formatted copy to be freed with afn_free(); NULL where memory ran out. */
char *afn_format(const char *fmt, ...) AFN_PRINTF(1, 2);

/* "dir/name", without doubling the slash. */
char *afn_path_join(const char *dir, const char *name);

/* Does name match a shell-like pattern?  '*' any run, '?' one character, and ','
 * separates alternatives: "layer4.*,fc.*".  '.' is an ordinary character. */
bool afn_glob(const char *pattern, const char *name);

/* The first of afn_nearest_names(), NULL where there is none. */
const char *afn_nearest(const char *name, const char *const *candidate, size_t n);

/* Order of names as people count: runs of digits by their value, all else as bytes, so
 * that "class2" comes before "class10".  Negative, 0 (the same bytes) or positive. */
int afn_natural_order(const char *a, const char *b);

/* Bytes of the UTF-8 sequence that text begins with, 0 where it is malformed: overlong
 * forms, surrogates and values above U+10FFFF included. */
size_t afn_utf8_length(const char *text);

bool afn_starts_with(const char *s, const char *prefix);
bool afn_ends_with_nocase(const char *s, const char *suffix);

#endif
