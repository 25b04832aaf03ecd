/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/checked.h"

static bool buf_reserve(afn_buf *b, size_t extra)
{
    size_t need;
    if (b->failed || !afn_add_size(&need, b->size, extra) ||
        !afn_add_size(&need, need, 1)) {
        b->failed = true;
        return false;
    }
    if (need <= b->cap) return true;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need) cap = cap > need / 2 ? need : cap * 2;
    char *data = afn_realloc(b->data, cap);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void afn_buf_add(afn_buf *b, const void *bytes, size_t n)
{
    if (!buf_reserve(b, n)) return;
    if (n) memcpy(b->data + b->size, bytes, n);
    b->size += n;
    b->data[b->size] = 0;
}

void afn_buf_str(afn_buf *b, const char *s)
{
    afn_buf_add(b, s, strlen(s));
}

void afn_buf_fmt(afn_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0 && buf_reserve(b, (size_t)n)) {
        vsnprintf(b->data + b->size, (size_t)n + 1, fmt, again);
        b->size += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

afn_status afn_buf_finish(const afn_buf *b)
{
    return b->failed ? afn_fail(AFN_ENOMEM, "out of memory") : AFN_OK;
}

void afn_buf_free(afn_buf *b)
{
    afn_free(b->data);
    *b = (afn_buf){ 0 };
}

char *afn_format(const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    char *s = n < 0 ? NULL : afn_alloc((size_t)n + 1);
    if (s) vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return s;
}

char *afn_path_join(const char *dir, const char *name)
{
    const size_t n = strlen(dir);
    return afn_format("%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
}

/* One alternative: pattern ends at `end`. */
static bool glob_one(const char *p, const char *end, const char *s)
{
    const char *star = NULL, *retry = NULL;
    while (*s) {
        if (p < end && *p == '*') {
            star = ++p;
            retry = s;
        } else if (p < end && (*p == '?' || *p == *s)) {
            p++;
            s++;
        } else if (star) {
            p = star;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (p < end && *p == '*') p++;
    return p == end;
}

bool afn_glob(const char *pattern, const char *name)
{
    for (;;) {
        const char *end = strchr(pattern, ',');
        if (!end) return glob_one(pattern, pattern + strlen(pattern), name);
        if (glob_one(pattern, end, name)) return true;
        pattern = end + 1;
    }
}

/* Length of a run of digits without its leading zeros, which *s is moved behind. */
static size_t digits(const char **s)
{
    size_t n = 0;
    while (**s == '0') ++*s;
    while (isdigit((unsigned char)(*s)[n])) n++;
    return n;
}

int afn_natural_order(const char *a, const char *b)
{
    const char *p = a, *q = b;
    while (*p && *q) {
        if (isdigit((unsigned char)*p) && isdigit((unsigned char)*q)) {
            const size_t m = digits(&p), n = digits(&q);
            if (m != n) return m < n ? -1 : 1;
            const int d = strncmp(p, q, n);
            if (d) return d;
            p += n;
            q += n;
        } else {
            if (*p != *q) return (unsigned char)*p < (unsigned char)*q ? -1 : 1;
            p++;
            q++;
        }
    }
    if (*p || *q) return *p ? 1 : -1;
    return strcmp(a, b); /* they differ in leading zeros, if at all */
}

bool afn_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool afn_ends_with_nocase(const char *s, const char *suffix)
{
    const size_t ls = strlen(s), lx = strlen(suffix);
    return ls >= lx && strcasecmp(s + ls - lx, suffix) == 0;
}

size_t afn_utf8_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
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
