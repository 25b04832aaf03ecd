/* SPDX-License-Identifier: Apache-2.0 */
/* JSON on jansson: parsing with an error in our idiom.  Values are jansson's own
 * json_t, objects keep the order of the text. */
#ifndef AFN_IO_JSON_H
#define AFN_IO_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "base/base.h"

/* Parse one JSON value that fills the text; free with json_decref().
 * Errors     AFN_EFORMAT with the byte offset, also for a key that appears twice */
afn_status afn_json_parse(json_t **out, const void *text, size_t bytes);

/* Append s as a JSON string with its quotes.  s is UTF-8; bytes that are not become
 * U+FFFD. */
void afn_json_add_string(afn_buf *b, const char *s);

#endif
