/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a TOML document that are no text and hold no others.
 *
 *   integer  99  +1_000  0xdead_beef  0o755  0b1101
 *   float    3.14  1e6  6.02e-23  inf  nan
 *   date     1979-05-27T07:32:00.5-07:00, without the offset, the date or the time
 *            alone; a blank may stand for the T
 *
 * Such a value ends where a blank, comma, bracket, comment or end of line does. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/toml_scan.h"

enum { LONGEST = 128 }; /* of a value, in characters */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- dates ---- */

/* Move *at behind a number of so many digits from low to high. */
static bool take_number(const char **at, int digits, int low, int high, int *out)
{
    int n = 0;
    for (int i = 0; i < digits; i++, ++*at) {
        if (!is_digit(**at)) return false;
        n = 10 * n + (**at - '0');
    }
    if (out) *out = n;
    return n >= low && n <= high;
}

static bool take(const char **at, const char *any)
{
    if (!**at || !strchr(any, **at)) return false;
    ++*at;
    return true;
}

static bool take_date(const char **at)
{
    static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year, month, day;
    if (!take_number(at, 4, 0, 9999, &year) || !take(at, "-") ||
        !take_number(at, 2, 1, 12, &month) || !take(at, "-") ||
        !take_number(at, 2, 1, 31, &day))
        return false;
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] - (month == 2 && !leap);
}

static bool take_time(const char **at)
{
    if (!take_number(at, 2, 0, 23, NULL) || !take(at, ":") ||
        !take_number(at, 2, 0, 59, NULL) || !take(at, ":") ||
        !take_number(at, 2, 0, 60, NULL)) /* 60: a leap second */
        return false;
    if (!take(at, ".")) return true;
    if (!is_digit(**at)) return false;
    while (is_digit(**at)) ++*at;
    return true;
}

static bool take_offset(const char **at)
{
    if (take(at, "Zz")) return true;
    return take(at, "+-") && take_number(at, 2, 0, 23, NULL) && take(at, ":") &&
           take_number(at, 2, 0, 59, NULL);
}

static bool is_date(const char *text)
{
    const char *at = text;
    if (text[0] && text[1] && text[2] == ':') return take_time(&at) && !*at;
    if (!take_date(&at)) return false;
    if (!*at) return true;
    if (!take(&at, "Tt ") || !take_time(&at)) return false;
    return !*at || (take_offset(&at) && !*at);
}

/* It begins like one: no number does. */
static bool looks_like_date(const char *text)
{
    const size_t digits = strspn(text, "0123456789");
    return (digits == 4 && text[4] == '-') || (digits == 2 && text[2] == ':');
}

/* ---- numbers ---- */

/* Digits with single underscores between them, copied without; NULL where there are
 * none, else what follows. */
static const char *copy_digits(const char *at, const char *allowed, char **to)
{
    const char *from = at;
    while (*at && (strchr(allowed, *at) || *at == '_')) {
        const bool between =
            at > from && at[-1] != '_' && at[1] && strchr(allowed, at[1]);
        if (*at == '_' && !between) return NULL;
        if (*at != '_') *(*to)++ = *at;
        at++;
    }
    return at > from ? at : NULL;
}

/* Integers with a prefix.
 *   digits   without it; long enough for those of text */
static bool read_prefixed(const char *text, char *digits, int64_t *out)
{
    static const struct {
        char letter;
        int base;
        const char *allowed;
    } row[] = { { 'x', 16, "0123456789abcdefABCDEF" },
                { 'o', 8, "01234567" },
                { 'b', 2, "01" } };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        char *to = digits;
        if (text[1] != row[i].letter) continue;
        const char *rest = copy_digits(text + 2, row[i].allowed, &to);
        *to = '\0';
        errno = 0;
        *out = rest && !*rest ? strtoll(digits, NULL, row[i].base) : 0;
        return rest && !*rest && !errno;
    }
    return false;
}

static bool read_special(const char *text, double *out)
{
    const bool minus = *text == '-';
    if (*text == '-' || *text == '+') text++;
    const double v = !strcmp(text, "inf") ? INFINITY : NAN;
    *out = minus ? -v : v;
    return !strcmp(text, "inf") || !strcmp(text, "nan");
}

/* Decimal numbers.
 *   plain    without underscores; long enough for text */
static bool read_decimal(const char *text, char *plain, bool *real)
{
    static const char decimal[] = "0123456789";
    const char *at = text;
    char *to = plain;
    if (*at == '-' || *at == '+') *to++ = *at++;
    if (at[0] == '0' && (is_digit(at[1]) || at[1] == '_')) return false;
    at = copy_digits(at, decimal, &to);
    *real = at && (*at == '.' || *at == 'e' || *at == 'E');
    if (at && *at == '.') {
        *to++ = *at++;
        at = copy_digits(at, decimal, &to);
    }
    if (at && (*at == 'e' || *at == 'E')) {
        *to++ = *at++;
        if (*at == '-' || *at == '+') *to++ = *at++;
        at = copy_digits(at, decimal, &to);
    }
    *to = '\0';
    return at && !*at;
}

/* strtod() goes by the locale: of all that it reads, the point alone differs. */
static double parse_real(const char *plain)
{
    char *end;
    const double v = strtod(plain, &end);
    if (!*end) return v;
    char local[LONGEST + 1];
    snprintf(local, sizeof local, "%s", plain);
    char *point = strchr(local, '.');
    if (point) *point = ',';
    return strtod(local, NULL);
}

static bool read_number(const char *text, afn_toml_value *v)
{
    char plain[LONGEST + 1];
    bool real = false;
    v->kind = AFN_TOML_FLOAT;
    if (read_special(text, &v->real)) return true;
    errno = 0;
    bool good = text[0] == '0' && text[1] && strchr("xob", text[1])
                    ? read_prefixed(text, plain, &v->integer)
                    : read_decimal(text, plain, &real);
    if (!good) return false;
    if (real) {
        v->real = parse_real(plain);
        return true;
    }
    v->kind = AFN_TOML_INTEGER;
    if (text[0] != '0' || !text[1]) v->integer = strtoll(plain, NULL, 10);
    v->real = (double)v->integer;
    return errno != ERANGE;
}

/* ---- any of them ---- */

/* The value's characters, copied. */
static bool copy_token(const afn_toml_scan *s, char text[LONGEST + 1])
{
    static const char more[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ+-_.:";
    size_t n = strspn(s->at, more);
    const bool date = n == 10 && s->at[4] == '-' && s->at[7] == '-';
    if (date && s->at[n] == ' ' && is_digit(s->at[n + 1]))
        n += 1 + strspn(s->at + n + 1, more);
    if (n > LONGEST) return false;
    memcpy(text, s->at, n);
    text[n] = '\0';
    return n > 0;
}

afn_status afn_toml_scalar(afn_toml_scan *s, afn_toml_value *v)
{
    char text[LONGEST + 1];
    if (!copy_token(s, text)) return afn_toml_fail(s, "a value is missing here");
    v->boolean = !strcmp(text, "true");
    if (v->boolean || !strcmp(text, "false")) {
        v->kind = AFN_TOML_BOOLEAN;
    } else if (looks_like_date(text)) {
        if (!is_date(text)) return afn_toml_fail(s, "%s is no date or time", text);
        v->kind = AFN_TOML_DATE;
        v->text = afn_strdup(text);
        if (!v->text) return afn_fail(AFN_ENOMEM, "out of memory");
    } else if (!read_number(text, v)) {
        return afn_toml_fail(s, "%s is no value: text goes in quotes", text);
    }
    s->at += strlen(text);
    return AFN_OK;
}
