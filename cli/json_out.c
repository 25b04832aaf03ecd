/* SPDX-License-Identifier: Apache-2.0 */
/* JSON is built and written by jansson; a failed allocation in between leaves NULL,
 * which its _new functions pass on, so that it is noticed once, when printing. */
#include "json_out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

json_t *cli_json_number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

/* Bytes of the UTF-8 sequence that s begins with, 0 where it is none. */
static size_t sequence(const char *s)
{
    const unsigned char c = (unsigned char)s[0];
    const size_t length = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    if (c > 0xf4) return 0;
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80) return 0;
    }
    json_t *text = json_stringn(s, length); /* refuses surrogates and long forms */
    json_decref(text);
    return text ? length : 0;
}

static json_t *repaired(const char *text)
{
    char *copy = malloc(3 * strlen(text) + 1);
    char *end = copy;

    if (!copy) return NULL;
    while (*text) {
        const size_t good = sequence(text);
        memcpy(end, good ? text : "\xef\xbf\xbd", good ? good : 3);
        end += good ? good : 3;
        text += good ? good : 1;
    }
    *end = '\0';
    json_t *fixed = json_string(copy);
    free(copy);
    return fixed;
}

json_t *cli_json_text(const char *text)
{
    json_t *good = json_string(text);
    return good ? good : repaired(text);
}

int cli_json_print(json_t *object)
{
    char *text =
        object ? json_dumps(object, JSON_REAL_PRECISION(9) | JSON_COMPACT) : NULL;

    json_decref(object);
    if (!text) return cli_error("out of memory");
    puts(text);
    free(text);
    return CLI_OK;
}
