/* SPDX-License-Identifier: Apache-2.0 */
#include "io/json.h"

#include <string.h>

afn_status afn_json_parse(json_t **out, const void *text, size_t bytes)
{
    json_error_t error;
    *out = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (*out) return AFN_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return afn_fail(AFN_ENOMEM, "out of memory");
    return afn_fail(AFN_EFORMAT, "json damaged at byte %d: %s", error.position,
                    error.text);
}

void afn_json_add_string(afn_buf *b, const char *s)
{
    afn_buf_str(b, "\"");
    for (const unsigned char *p = (const unsigned char *)s; *p;) {
        const size_t n = afn_utf8_length((const char *)p);
        if (n == 0)
            afn_buf_str(b, "\xEF\xBF\xBD");
        else if (*p == '"' || *p == '\\')
            afn_buf_fmt(b, "\\%c", *p);
        else if (*p < 0x20)
            afn_buf_fmt(b, "\\u%04x", *p);
        else
            afn_buf_add(b, p, n);
        p += n ? n : 1;
    }
    afn_buf_str(b, "\"");
}
