/* SPDX-License-Identifier: Apache-2.0 */
/* TOML documents, and a walk over what they hold. */
#include <stdlib.h>
#include <string.h>

#include "afina/toml.h"
#include "fuzz.h"

static volatile size_t sum; /* so that reading text is not optimised away */

static void walk(const afn_toml_value *v)
{
    for (const afn_toml_value *m = v->first; m; m = m->next) {
        if ((m->key != NULL) != (v->kind == AFN_TOML_TABLE)) abort();
        const bool text = m->kind == AFN_TOML_STRING || m->kind == AFN_TOML_DATE;
        if (text != (m->text != NULL) || m->line < 1 || m->column < 1) abort();
        if (m->key) sum += strlen(m->key);
        if (m->text) sum += strlen(m->text);
        walk(m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    afn_toml *t;
    const afn_status st = afn_toml_read(&t, "fuzz", (const char *)data, size);
    if ((st == AFN_OK) != (t != NULL)) abort();
    if (t) walk(afn_toml_root(t));
    afn_toml_free(t);
    return 0;
}
