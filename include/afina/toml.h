/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files: a TOML document as a tree of values. */
#ifndef AFINA_TOML_H
#define AFINA_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum afn_toml_kind {
    AFN_TOML_STRING,
    AFN_TOML_INTEGER,
    AFN_TOML_FLOAT,
    AFN_TOML_BOOLEAN,
    AFN_TOML_DATE,  /* a date, a time or both */
    AFN_TOML_ARRAY, /* an array of tables too */
    AFN_TOML_TABLE
} afn_toml_kind;

/* A value.  Those of a table and of an array are a list, in the order of the document.
 */
typedef struct afn_toml_value {
    afn_toml_kind kind;
    const char *key;  /* in a table: its name, UTF-8; NULL in an array */
    int line, column; /* of the key, or of the value of an array; from 1, in characters
                       */

    const char *text; /* of a string, UTF-8; of a date as it is written */
    int64_t integer;
    double real; /* of a float, and of an integer too */
    bool boolean;

    const struct afn_toml_value *first, *next; /* NULL = none */
} afn_toml_value;

typedef struct afn_toml afn_toml;

/* Read a document, all of TOML 1.0; a byte-order mark is passed over.  What is refused
 * beside errors: a zero byte in text, and nesting deeper than 100.
 *   name     of the file, for messages: "run.toml:3:7: no value"
 * Errors     AFN_EFORMAT with line and column, AFN_ENOMEM
 * Source     https://toml.io/en/v1.0.0 */
AFN_API afn_status afn_toml_read(afn_toml **out, const char *name, const char *text,
                                 size_t bytes);

/* The same from a file of at most 1 MiB.
 * Errors     AFN_ENOTFOUND, AFN_EIO too */
AFN_API afn_status afn_toml_open(afn_toml **out, const char *path);
AFN_API void afn_toml_free(afn_toml *t);

/* The table that the document is.
 * Memory     it and all below it live until afn_toml_free() */
AFN_API const afn_toml_value *afn_toml_root(const afn_toml *t);

/* The document as it was read, without a byte-order mark. */
AFN_API const char *afn_toml_text(const afn_toml *t);

/* The value of a key of a table, NULL where there is none. */
AFN_API const afn_toml_value *afn_toml_find(const afn_toml_value *table,
                                            const char *key);

#ifdef __cplusplus
}
#endif
#endif
