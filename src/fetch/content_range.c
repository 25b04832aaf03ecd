/* SPDX-License-Identifier: Apache-2.0 */
/* The header Content-Range of a partial answer: "bytes 100-199/200", or '*' for a size
 * that the server does not know (RFC 9110, 14.4). */
#include "fetch/fetch.h"

/* A number without a sign that fits; moves *text behind it. */
static bool number(const char **text, int64_t *out)
{
    const char *start = *text;
    int64_t n = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        const int digit = **text - '0';
        if (n > (INT64_MAX - digit) / 10) return false;
        n = 10 * n + digit;
    }
    *out = n;
    return *text > start;
}

bool afn_fetch__content_range(const char *text, int64_t *first, int64_t *total)
{
    int64_t last;
    *first = *total = -1;
    if (!afn_starts_with(text, "bytes ")) return false;
    text += 6;
    if (!number(&text, first) || *text++ != '-') return false;
    if (!number(&text, &last) || *text++ != '/' || last < *first) return false;
    if (text[0] == '*' && !text[1]) return true;
    return number(&text, total) && !*text && last < *total;
}
