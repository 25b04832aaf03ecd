/* SPDX-License-Identifier: Apache-2.0 */
/* Results as JSON: numbers keep a float's nine digits, what is not a number is null. */
#ifndef AFN_CLI_JSON_OUT_H
#define AFN_CLI_JSON_OUT_H

#include <jansson.h>

/* A number, or null where v is not finite. */
json_t *cli_json_number(double v);

/* Text; bytes that are not UTF-8 become U+FFFD. */
json_t *cli_json_text(const char *text);

/* Print an object in one line, then free it.  Returns CLI_OK, or CLI_FAILED with a
 * message where memory ran out. */
int cli_json_print(json_t *object);

#endif
