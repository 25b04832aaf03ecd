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

/* Bytes of the UTF-8 sequence at s, 0 where it is malformed (overlong forms,
 * surrogates and values above U+10FFFF included). */
static size_t utf8_length(const unsigned char *s)
{
    static const unsigned char low[] = { 0xA0, 0x80, 0x90, 0x80 };  /* E0 ED F0 F4 */
    static const unsigned char high[] = { 0xBF, 0x9F, 0xBF, 0x8F }; /* second byte */
    static const unsigned char lead[] = { 0xE0, 0xED, 0xF0, 0xF4 };
    const size_t n = s[0] < 0x80                    ? 1
                     : s[0] >= 0xC2 && s[0] <= 0xDF ? 2
                     : (s[0] & 0xF0) == 0xE0        ? 3
                     : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                                    : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    for (size_t i = 0; i < sizeof lead; i++)
        if (s[0] == lead[i] && (s[1] < low[i] || s[1] > high[i])) return 0;
    return n;
}

void afn_json_add_string(afn_buf *b, const char *s)
{
    afn_buf_str(b, "\"");
    for (const unsigned char *p = (const unsigned char *)s; *p;) {
        const size_t n = utf8_length(p);
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
