/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4180, with what is met beside it: lines that end in LF, CR or CR LF, separators
 * other than the comma, a byte-order mark, a last line without an end.
 *
 *   record  field (separator field)* end-of-line
 *   field   "text with "" for a quote, separators and ends of lines"  or  plain text
 *
 * A quote inside a plain field is an ordinary character.
 * Source     https://www.rfc-editor.org/rfc/rfc4180 */
#include "io/csv.h"

#include <string.h>

/* Of the first line, outside of quotes. */
static char guess_separator(const char *at, const char *end)
{
    static const char candidate[] = { ',', ';', '\t' };
    int count[sizeof candidate] = { 0 };
    bool quoted = false;
    size_t best = 0;
    for (; at < end && (quoted || (*at != '\n' && *at != '\r')); at++) {
        if (*at == '"') quoted = !quoted;
        for (size_t i = 0; i < sizeof candidate && !quoted; i++)
            count[i] += *at == candidate[i];
    }
    for (size_t i = 1; i < sizeof candidate; i++)
        if (count[i] > count[best]) best = i;
    return candidate[best];
}

void afn_csv_open(afn_csv *c, const void *text, size_t bytes)
{
    *c = (afn_csv){ .at = text, .end = (const char *)text + bytes, .next_line = 1 };
    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) c->at += 3;
    c->separator = guess_separator(c->at, c->end);
}

void afn_csv_close(afn_csv *c)
{
    afn_buf_free(&c->text);
    *c = (afn_csv){ 0 };
}

static bool at_end_of_line(const afn_csv *c)
{
    return c->at == c->end || *c->at == '\n' || *c->at == '\r';
}

/* Move behind an end of line. */
static void skip_end_of_line(afn_csv *c)
{
    if (c->at == c->end) return;
    const bool pair = *c->at == '\r' && c->at + 1 < c->end && c->at[1] == '\n';
    c->at += pair ? 2 : 1;
    c->next_line++;
}

static afn_status read_quoted(afn_csv *c)
{
    c->at++;
    for (;;) {
        const char *from = c->at;
        const char *quote = memchr(from, '"', (size_t)(c->end - from));
        if (!quote)
            return afn_fail(AFN_EFORMAT, "line %lld: a quote does not end",
                            (long long)c->line);
        for (const char *p = from; p < quote; p++) c->next_line += *p == '\n';
        afn_buf_add(&c->text, from, (size_t)(quote - from));
        c->at = quote + 1;
        if (c->at == c->end || *c->at != '"') break;
        afn_buf_add(&c->text, "\"", 1);
        c->at++;
    }
    if (!at_end_of_line(c) && *c->at != c->separator)
        return afn_fail(AFN_EFORMAT, "line %lld: text follows a closing quote",
                        (long long)c->line);
    return AFN_OK;
}

static void read_plain(afn_csv *c)
{
    const char *from = c->at;
    while (!at_end_of_line(c) && *c->at != c->separator) c->at++;
    afn_buf_add(&c->text, from, (size_t)(c->at - from));
}

/* Fields one after the other into text; where they begin is known at the end, for text
 * may move. */
static afn_status read_fields(afn_csv *c, size_t begin[AFN_CSV_FIELDS])
{
    afn_status st = AFN_OK;
    for (;; c->at++) {
        AFN_REQUIRE(c->n < AFN_CSV_FIELDS, AFN_EFORMAT, "line %lld: over %d fields",
                    (long long)c->line, (int)AFN_CSV_FIELDS);
        begin[c->n++] = c->text.size;
        if (c->at < c->end && *c->at == '"')
            AFN_TRY(read_quoted(c));
        else
            read_plain(c);
        AFN_REQUIRE(c->text.failed || !memchr(c->text.data + begin[c->n - 1], 0,
                                              c->text.size - begin[c->n - 1]),
                    AFN_EFORMAT, "line %lld: has a zero byte", (long long)c->line);
        afn_buf_add(&c->text, "", 1);
        if (at_end_of_line(c)) break;
    }
    skip_end_of_line(c);
done:
    return st;
}

afn_status afn_csv_next(afn_csv *c, bool *more)
{
    afn_status st = AFN_OK;
    size_t begin[AFN_CSV_FIELDS];
    *more = false;
    c->n = 0;
    c->text.size = 0;
    while (c->at < c->end && at_end_of_line(c)) skip_end_of_line(c);
    if (c->at == c->end) return AFN_OK;
    c->line = c->next_line;
    AFN_TRY(read_fields(c, begin));
    AFN_TRY(afn_buf_finish(&c->text));
    for (int i = 0; i < c->n; i++) c->field[i] = c->text.data + begin[i];
    *more = true;
done:
    return st;
}
