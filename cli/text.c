/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and small pieces of text. */
#include <ctype.h>
#include <libintl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* ---- the user's language ---- */

static const char domain[] = "afina"; /* the library's messages are in it too */

const char *cli_text(const char *text)
{
    return *text ? dgettext(domain, text) : text;
}

int cli_say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const int n = vprintf(cli_text(fmt), args);
    va_end(args);
    return n;
}

const char *cli_plural(int64_t n, const char *one, const char *many)
{
    return dngettext(domain, one, many, (unsigned long)n);
}

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
    vsnprintf(text, sizeof text, cli_text(fmt), args);
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
    fprintf(stderr, cli_text(" (try 'afina help%s%s')\n"), c ? " " : "",
            c ? c->name : "");
    return CLI_USAGE;
}

void cli_log(afn_log_level level, const char *line, void *user)
{
    (void)user;
    if (level == AFN_LOG_WARNING) cli_error("warning: %s", line);
}

/* ---- misspelt names ---- */

int cli_nearest(const char *name, const char *const *candidate, size_t n,
                const char **out, int max)
{
    enum { MOST = 8 };
    size_t at[MOST];
    const int found =
        afn_nearest_names(at, max < MOST ? max : MOST, name, candidate, n);
    for (int i = 0; i < found; i++) out[i] = candidate[at[i]];
    return found;
}

/* ---- columns and numbers ---- */

int cli_width_n(const char *text, size_t bytes)
{
    int width = 0;
    for (size_t i = 0; i < bytes; i++) width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

int cli_width(const char *text)
{
    return cli_width_n(text, strlen(text));
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

const char *cli_class_text(const afn_model *m, int i, char buf[CLI_CLASS_BYTES])
{
    const char *name = afn_model_class_name(m, i);
    if (name) return name;
    snprintf(buf, CLI_CLASS_BYTES, "%d", i);
    return buf;
}

void cli_csv_text(FILE *f, const char *text)
{
    if (!text[strcspn(text, ",;\"\t\r\n")]) {
        fputs(text, f);
        return;
    }
    putc('"', f);
    for (; *text; text++) {
        if (*text == '"') putc('"', f);
        putc(*text, f);
    }
    putc('"', f);
}
