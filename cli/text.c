/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and small pieces of text. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* ---- messages ---- */

void cli_put(FILE *f, const char *text)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        putc(c < 0x20 || c == 0x7f ? '?' : c, f);
    }
}

static void put_message(const char *fmt, va_list args)
{
    char text[4096];
    vsnprintf(text, sizeof text, fmt, args);
    fflush(stdout); /* results first where both go to one place */
    fputs("afina: ", stderr);
    cli_put(stderr, text);
}

int cli_error(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_message(fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return CLI_FAILED;
}

int cli_fail(afn_status st)
{
    const char *text = afn_error_message();
    return cli_error("%s", *text ? text : afn_status_name(st));
}

int cli_usage(const cli_command *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_message(fmt, args);
    va_end(args);
    fprintf(stderr, " (try 'afina help%s%s')\n", c ? " " : "", c ? c->name : "");
    return CLI_USAGE;
}

void cli_log(afn_log_level level, const char *line, void *user)
{
    (void)user;
    if (level == AFN_LOG_WARNING) cli_error("warning: %s", line);
}

/* ---- misspelt names ---- */

enum { LONGEST = 63 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, case ignored; names over LONGEST are never near. */
static int distance(const char *a, const char *b)
{
    int row[LONGEST + 1];
    const int n = (int)strlen(b);

    if (n > LONGEST || strlen(a) > LONGEST) return LONGEST;
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            const bool same =
                tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            const int changed = diagonal + !same;
            diagonal = row[j];
            row[j] = least(changed, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

/* Smaller is nearer; -1 is not near. */
static int nearness(const char *name, const char *candidate)
{
    const int length = (int)strlen(name);
    const int d = distance(name, candidate);
    if (d <= (length + 2) / 3) return d;
    return length >= 2 && strstr(candidate, name) ? LONGEST : -1;
}

int cli_nearest(const char *name, const char *const *candidate, size_t n,
                const char **out, int max)
{
    int best = -1, found = 0;

    for (size_t i = 0; i < n; i++) {
        const int d = nearness(name, candidate[i]);
        if (d >= 0 && (best < 0 || d < best)) best = d;
    }
    for (size_t i = 0; best >= 0 && i < n && found < max; i++) {
        if (nearness(name, candidate[i]) == best) out[found++] = candidate[i];
    }
    return found;
}

/* ---- columns and numbers ---- */

int cli_width(const char *text)
{
    int width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void cli_put_wide(FILE *f, const char *text, int width)
{
    const int fill = width - cli_width(text);
    cli_put(f, text);
    fprintf(f, "%*s", fill > 0 ? fill : 0, "");
}

char *cli_count(int64_t n, char buf[CLI_COUNT_BYTES])
{
    char digits[CLI_COUNT_BYTES];
    char *p = buf;
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)n);

    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0 && digits[i - 1] != '-') *p++ = ',';
        *p++ = digits[i];
    }
    *p = '\0';
    return buf;
}

const char *cli_plural(int64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

bool cli_size(const char *text, int64_t *bytes)
{
    static const struct {
        char letter;
        double scale;
    } unit[] = { { 'k', 1e3 }, { 'm', 1e6 }, { 'g', 1e9 }, { 't', 1e12 } };
    char *end = NULL;
    double scale = 1;

    const double n = strtod(text, &end);
    if (end == text || !(text[0] >= '0' && text[0] <= '9')) return false;
    for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++) {
        if (tolower((unsigned char)*end) != unit[i].letter) continue;
        scale = unit[i].scale;
        end++;
        break;
    }
    if (*end == 'B') end++;
    if (*end || !(n * scale >= 1) || n * scale > 9e18) return false;
    *bytes = (int64_t)(n * scale);
    return true;
}

void cli_put_bytes(int64_t bytes)
{
    if (bytes >= 1000000000)
        printf("%.1f GB", (double)bytes / 1e9);
    else
        printf("%.1f MB", (double)bytes / 1e6);
}
