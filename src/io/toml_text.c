/* SPDX-License-Identifier: Apache-2.0 */
/* Text of a TOML document.
 *
 *   comment  # to the end of the line
 *   string   "with \ escapes"  'as it is'  """over lines"""  '''over lines'''
 *   name     letters, digits, - and _, or a string of one line
 *
 * An end of line is LF or CR LF; other control characters but the tab are errors, as is
 * what is not UTF-8. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/toml_scan.h"

int afn_toml_column(const afn_toml_scan *s)
{
    int column = 1;
    for (const char *at = s->line_start; at < s->at; at++)
        column += ((unsigned char)*at & 0xc0) != 0x80;
    return column;
}

afn_status afn_toml_fail(const afn_toml_scan *s, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return afn_fail(AFN_EFORMAT, "%s:%d:%d: %s", s->name, s->line, afn_toml_column(s),
                    text);
}

/* ---- lines ---- */

void afn_toml_blanks(afn_toml_scan *s)
{
    while (*s->at == ' ' || *s->at == '\t') s->at++;
}

/* Bytes of the end of line that is here, 0 = none is. */
static int newline(const char *at)
{
    return *at == '\n' ? 1 : at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

static void pass_newline(afn_toml_scan *s)
{
    s->at += newline(s->at);
    s->line++;
    s->line_start = s->at;
}

/* Pass over a character of a comment or a string. */
static afn_status pass_character(afn_toml_scan *s)
{
    const unsigned char c = (unsigned char)*s->at;
    if (s->at == s->end) return afn_toml_fail(s, "the text ends here");
    if ((c < 0x20 && c != '\t') || c == 0x7f)
        return afn_toml_fail(s, "control character 0x%02x", (unsigned)c);
    const size_t n = afn_utf8_length(s->at);
    if (!n) return afn_toml_fail(s, "not UTF-8");
    s->at += n;
    return AFN_OK;
}

bool afn_toml_at_line_end(const afn_toml_scan *s)
{
    return s->at == s->end || *s->at == '#' || newline(s->at);
}

afn_status afn_toml_line_end(afn_toml_scan *s)
{
    if (*s->at == '#')
        while (s->at < s->end && !newline(s->at)) {
            const afn_status st = pass_character(s);
            if (st != AFN_OK) return st;
        }
    if (s->at < s->end) pass_newline(s);
    return AFN_OK;
}

afn_status afn_toml_space(afn_toml_scan *s)
{
    for (;;) {
        afn_toml_blanks(s);
        if (s->at == s->end || !afn_toml_at_line_end(s)) return AFN_OK;
        const afn_status st = afn_toml_line_end(s);
        if (st != AFN_OK) return st;
    }
}

/* ---- strings ---- */

static void put_utf8(afn_buf *b, uint32_t c)
{
    static const unsigned char mark[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    const int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    char bytes[4];
    for (int i = n - 1; i > 0; i--, c >>= 6) bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(n == 1 ? c : mark[n] | c);
    afn_buf_add(b, bytes, (size_t)n);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* The digits of \u and \U; at the first of them. */
static afn_status read_code(afn_toml_scan *s, int digits, afn_buf *b)
{
    uint32_t c = 0;
    for (int i = 0; i < digits; i++, s->at++) {
        const int d = hex_digit(*s->at);
        if (d < 0)
            return afn_toml_fail(s, "\\%c needs %d hexadecimal digits",
                                 digits == 4 ? 'u' : 'U', digits);
        c = c << 4 | (uint32_t)d;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return afn_toml_fail(s, "U+%04X is no character", (unsigned)c);
    if (!c) return afn_toml_fail(s, "a zero byte in text");
    put_utf8(b, c);
    return AFN_OK;
}

/* Behind the backslash. */
static afn_status read_escape(afn_toml_scan *s, afn_buf *b)
{
    static const char letter[] = "btnfr\"\\", meaning[] = "\b\t\n\f\r\"\\";
    const char c = *s->at;
    const char *found = c ? strchr(letter, c) : NULL;
    if (found) {
        afn_buf_add(b, &meaning[found - letter], 1);
        s->at++;
        return AFN_OK;
    }
    if (c != 'u' && c != 'U') return afn_toml_fail(s, "unknown escape in a string");
    s->at++;
    return read_code(s, c == 'u' ? 4 : 8, b);
}

/* A backslash at the end of a line: it and all blanks and lines behind it are gone. */
static bool pass_folded_lines(afn_toml_scan *s)
{
    afn_toml_scan ahead = *s;
    afn_toml_blanks(&ahead);
    if (!newline(ahead.at)) return false;
    while (newline(ahead.at)) {
        pass_newline(&ahead);
        afn_toml_blanks(&ahead);
    }
    *s = ahead;
    return true;
}

/* What a string of one kind is made of. */
typedef struct form {
    char quote;
    bool escapes, lines;
} form;

/* Quotes in a row. */
static int count_quotes(const char *at, char quote)
{
    int n = 0;
    while (at[n] == quote) n++;
    return n;
}

/* Pass over the end of a string; up to two quotes may stand before those that end one
 * of several lines. */
static bool pass_end(afn_toml_scan *s, form f, afn_buf *b)
{
    const int needed = f.lines ? 3 : 1, n = count_quotes(s->at, f.quote);
    if (n < needed) return false;
    const int more = f.lines ? (n > 5 ? 2 : n - needed) : 0;
    afn_buf_add(b, s->at, (size_t)more);
    s->at += more + needed;
    return true;
}

/* One character, escape or end of line. */
static afn_status read_piece(afn_toml_scan *s, form f, afn_buf *b)
{
    const char *from = s->at;
    if (f.escapes && *s->at == '\\') {
        s->at++;
        return f.lines && pass_folded_lines(s) ? AFN_OK : read_escape(s, b);
    }
    if (newline(s->at)) {
        if (!f.lines) return afn_toml_fail(s, "the string does not end on its line");
        pass_newline(s);
    } else {
        const afn_status st = pass_character(s);
        if (st != AFN_OK) return st;
    }
    afn_buf_add(b, from, (size_t)(s->at - from));
    return AFN_OK;
}

static afn_status read_string(afn_toml_scan *s, form f, char **out)
{
    afn_status st = AFN_OK;
    afn_buf b = { 0 };
    *out = NULL;
    s->at += f.lines ? 3 : 1;
    if (f.lines && newline(s->at)) pass_newline(s);
    while (!pass_end(s, f, &b)) AFN_TRY(read_piece(s, f, &b));
    AFN_TRY(afn_buf_finish(&b));
    *out = afn_strdup(b.data ? b.data : "");
    AFN_REQUIRE(*out, AFN_ENOMEM, "out of memory");
done:
    afn_buf_free(&b);
    return st;
}

afn_status afn_toml_string(afn_toml_scan *s, char **out)
{
    const char quote = *s->at;
    const form f = { quote, quote == '"', count_quotes(s->at, quote) >= 3 };
    return read_string(s, f, out);
}

/* ---- names ---- */

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

afn_status afn_toml_name(afn_toml_scan *s, char **out)
{
    const char quote = *s->at, *from = s->at;
    *out = NULL;
    if (quote == '"' || quote == '\'')
        return read_string(s, (form){ quote, quote == '"', false }, out);
    while (is_bare(*s->at)) s->at++;
    if (s->at == from) return afn_toml_fail(s, "a key is missing here");
    *out = afn_format("%.*s", (int)(s->at - from), from);
    return *out ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}
