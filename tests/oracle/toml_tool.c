/* SPDX-License-Identifier: Apache-2.0 */
/* Reads TOML documents for check_toml.py: on stdin each as "BYTES\n" and so many bytes,
 * on stdout a line of JSON for each, {"error": TEXT} for one that is none. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "afina/toml.h"
#include "base/base.h"
#include "io/json.h"

static void put_value(afn_buf *b, const afn_toml_value *v);

static void put_members(afn_buf *b, const afn_toml_value *v)
{
    const bool table = v->kind == AFN_TOML_TABLE;
    afn_buf_str(b, table ? "{" : "[");
    for (const afn_toml_value *m = v->first; m; m = m->next) {
        if (m != v->first) afn_buf_str(b, ",");
        if (table) {
            afn_json_add_string(b, m->key);
            afn_buf_str(b, ":");
        }
        put_value(b, m);
    }
    afn_buf_str(b, table ? "}" : "]");
}

/* A scalar is {"kind": "value"}, as check_toml.py makes them of Python's. */
static void put_value(afn_buf *b, const afn_toml_value *v)
{
    switch (v->kind) {
    case AFN_TOML_STRING:
    case AFN_TOML_DATE:
        afn_buf_str(b, v->kind == AFN_TOML_STRING ? "{\"string\":" : "{\"date\":");
        afn_json_add_string(b, v->text);
        afn_buf_str(b, "}");
        break;
    case AFN_TOML_INTEGER:
        afn_buf_fmt(b, "{\"integer\":\"%" PRId64 "\"}", v->integer);
        break;
    case AFN_TOML_FLOAT:
        afn_buf_fmt(b, "{\"float\":\"%a\"}", v->real);
        break;
    case AFN_TOML_BOOLEAN:
        afn_buf_fmt(b, "{\"boolean\":\"%s\"}", v->boolean ? "true" : "false");
        break;
    case AFN_TOML_ARRAY:
    case AFN_TOML_TABLE:
        put_members(b, v);
        break;
    }
}

int main(void)
{
    size_t bytes;
    while (scanf("%zu", &bytes) == 1 && getchar() == '\n') {
        afn_buf b = { 0 };
        afn_toml *t;
        char *text = malloc(bytes + 1);
        if (!text || fread(text, 1, bytes, stdin) != bytes) return 1;
        if (afn_toml_read(&t, "doc", text, bytes) == AFN_OK) {
            put_value(&b, afn_toml_root(t));
        } else {
            afn_buf_str(&b, "{\"error\":");
            afn_json_add_string(&b, afn_error_message());
            afn_buf_str(&b, "}");
        }
        if (afn_buf_finish(&b) != AFN_OK) return 1;
        puts(b.data);
        afn_buf_free(&b);
        afn_toml_free(t);
        free(text);
    }
    return 0;
}
