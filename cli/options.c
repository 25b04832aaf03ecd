/* SPDX-License-Identifier: Apache-2.0 */
/* The option parser: values are checked against their row of the table before a command
 * sees them.  Defaults are parsed like typed values, so help cannot say another one. */
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const cli_option *nth(const cli_option *table, int *i)
{
    for (; table && table->name; table++) {
        if ((*i)-- == 0) return table;
    }
    return NULL;
}

const cli_option *cli_option_at(const cli_command *c, int i)
{
    const cli_option *o = nth(c->option, &i);
    for (int t = 0; !o && c->more && c->more[t]; t++) o = nth(c->more[t], &i);
    return o;
}

static void *value_at(void *values, const cli_option *o)
{
    return (char *)values + o->at;
}

/* ---- one value ---- */

static bool set_int(const cli_option *o, const char *text, void *value)
{
    char *end = NULL;
    errno = 0;
    const long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < o->min || v > o->max) return false;
    *(int64_t *)value = v;
    return true;
}

static bool set_real(const cli_option *o, const char *text, void *value)
{
    char *end = NULL;
    errno = 0;
    const double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v)) return false;
    if (v < o->low || v > o->high || (o->below_high && v == o->high)) return false;
    *(double *)value = v;
    return true;
}

static bool set_text(const cli_option *o, const char *text, void *value)
{
    (void)o;
    if (!*text) return false;
    *(const char **)value = text;
    return true;
}

static bool set_choice(const cli_option *o, const char *text, void *value)
{
    for (int i = 0; o->choice[i]; i++) {
        if (strcmp(o->choice[i], text)) continue;
        *(int *)value = i;
        return true;
    }
    return false;
}

static bool set_value(const cli_option *o, const char *text, void *value)
{
    static bool (*const set[])(const cli_option *, const char *, void *) = {
        [CLI_INT] = set_int,
        [CLI_REAL] = set_real,
        [CLI_TEXT] = set_text,
        [CLI_CHOICE] = set_choice,
    };
    _Static_assert(sizeof set / sizeof set[0] == CLI_N_TYPES, "a setter per type");
    return set[o->type](o, text, value);
}

bool cli_option_set(const cli_option *o, const char *text, void *values)
{
    void *value = value_at(values, o);
    if (o->type != CLI_FLAG) return set_value(o, text, value);
    *(bool *)value = !strcmp(text, "true");
    return *(bool *)value || !strcmp(text, "false");
}

/* "auto, batch or frozen": the choices whose bits are set. */
static void expected_choice(const cli_option *o, unsigned bits, char *buf, size_t bytes)
{
    size_t used = 0;
    for (int i = 0; o->choice[i] && used < bytes; i++) {
        if (!(bits & 1u << i)) continue;
        const bool last = !o->choice[i + 1] || !(bits >> (i + 1));
        const char *join = !used ? "" : last ? cli_text(" or ") : ", ";
        used += (size_t)snprintf(buf + used, bytes - used, "%s%s", join, o->choice[i]);
    }
}

char *cli_expected(const cli_option *o, char *buf, size_t bytes)
{
    buf[0] = '\0';
    if (o->type == CLI_INT && o->max == INT64_MAX)
        snprintf(buf, bytes, cli_text("a whole number from %lld"), (long long)o->min);
    else if (o->type == CLI_INT)
        snprintf(buf, bytes, cli_text("a whole number from %lld to %lld"),
                 (long long)o->min, (long long)o->max);
    else if (o->type == CLI_REAL && o->high == DBL_MAX)
        snprintf(buf, bytes, cli_text("a number from %g"), o->low);
    else if (o->type == CLI_REAL && o->below_high)
        snprintf(buf, bytes, cli_text("a number from %g to below %g"), o->low, o->high);
    else if (o->type == CLI_REAL)
        snprintf(buf, bytes, cli_text("a number from %g to %g"), o->low, o->high);
    else if (o->type == CLI_TEXT)
        snprintf(buf, bytes, "%s", cli_text(o->metavar));
    else if (o->type == CLI_CHOICE)
        expected_choice(o, ~0u, buf, bytes);
    return buf;
}

/* ---- finding options ---- */

/* Places in the list of options, -1 where there is none. */
static int find_name(const cli_command *c, const char *name, size_t length)
{
    const cli_option *o;
    for (int i = 0; (o = cli_option_at(c, i)); i++) {
        if (strlen(o->name) == length && !strncmp(o->name, name, length)) return i;
    }
    return -1;
}

static int find_letter(const cli_command *c, char letter)
{
    const cli_option *o;
    for (int i = 0; (o = cli_option_at(c, i)); i++) {
        if (o->letter == letter) return i;
    }
    return -1;
}

/* "-3" and "-.5" are values, "-x" and "--x" are options. */
static bool is_option(const char *arg)
{
    return arg[0] == '-' && arg[1] && !strchr("0123456789.", arg[1]);
}

/* Place of the option that an argument with a dash names, below 0 where there is none;
 * *text is the value that is joined to it, else NULL. */
static int find_option(const cli_command *c, const char *arg, const char **text)
{
    *text = NULL;
    if (arg[1] != '-') {
        if (arg[2]) *text = arg + 2;
        return find_letter(c, arg[1]);
    }
    const size_t length = strcspn(arg, "=");
    if (arg[length]) *text = arg + length + 1;
    return find_name(c, arg + 2, length - 2);
}

const cli_option *cli_option_named(const cli_command *c, const char *arg, bool *value)
{
    const char *text;
    const int place = is_option(arg) ? find_option(c, arg, &text) : -1;
    if (place < 0) return NULL;
    const cli_option *o = cli_option_at(c, place);
    *value = o->type != CLI_FLAG && !text;
    return o;
}

static int unknown_option(const cli_command *c, const char *arg)
{
    const char *name[CLI_MAX_OPTIONS + 1];
    const char *near[2];
    char typed[64];
    size_t n = 0;

    const cli_option *o;
    for (int i = 0; (o = cli_option_at(c, i)); i++) {
        if (!o->hidden) name[n++] = o->name;
    }
    name[n++] = "help";
    const size_t length = arg[1] == '-' ? strcspn(arg, "=") : strlen(arg);
    snprintf(typed, sizeof typed, "%.*s", (int)length, arg);
    const int found = cli_nearest(typed + strspn(typed, "-"), name, n, near, 2);
    if (found == 2)
        return cli_usage(c, "unknown option '%s', did you mean --%s or --%s?", typed,
                         near[0], near[1]);
    if (found == 1)
        return cli_usage(c, "unknown option '%s', did you mean --%s?", typed, near[0]);
    return cli_usage(c, "unknown option '%s'", typed);
}

/* ---- the command line ---- */

/* Take the value of option *o from text, or from the next argument where text is NULL.
 * i is the place of the option, moved on past the value. */
static int take_value(const cli_command *c, const cli_option *o, const char *text,
                      int argc, char **argv, int *i, void *values)
{
    char expected[128];

    if (o->type == CLI_FLAG) {
        if (text) return cli_usage(c, "--%s takes no value", o->name);
        *(bool *)value_at(values, o) = true;
        return CLI_GO_ON;
    }
    if (!text && *i + 1 < argc && !is_option(argv[*i + 1])) text = argv[++*i];
    cli_expected(o, expected, sizeof expected);
    if (!text || !*text) return cli_usage(c, "--%s needs %s", o->name, expected);
    if (set_value(o, text, value_at(values, o))) return CLI_GO_ON;
    return cli_usage(c, "--%s needs %s, not '%s'", o->name, expected, text);
}

/* One argument that begins with a dash. */
static int take_option(const cli_command *c, int argc, char **argv, int *i,
                       void *values, cli_args *args)
{
    const char *arg = argv[*i];
    const char *text;

    if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
        cli_help(c);
        return CLI_OK;
    }
    const int place = find_option(c, arg, &text);
    if (place < 0) return unknown_option(c, arg);
    args->given[place] = true;
    return take_value(c, cli_option_at(c, place), text, argc, argv, i, values);
}

void cli_option_defaults(const cli_option *table, void *values)
{
    for (const cli_option *o = table; o && o->name; o++) {
        const bool set = !o->initial || set_value(o, o->initial, value_at(values, o));
        assert(set); /* a default is in its option's range */
        (void)set;
    }
}

static void set_defaults(const cli_command *c, void *values)
{
    cli_option_defaults(c->option, values);
    for (int t = 0; c->more && c->more[t]; t++) cli_option_defaults(c->more[t], values);
    assert(!cli_option_at(c, CLI_MAX_OPTIONS));
}

static int check_complete(const cli_command *c, const cli_args *args)
{
    int most = 0;
    while (most < CLI_MAX_OPERANDS && c->operand[most]) most++;
    if (args->n < c->min_operands)
        return cli_usage(c, "%s is missing", c->operand[args->n]);
    if (args->n > most && !c->repeat)
        return cli_usage(c, "unexpected argument '%s'", args->operand[most]);
    for (int i = 0; i < args->n; i++) {
        if (!*args->operand[i])
            return cli_usage(c, "%s is empty", c->operand[i < most ? i : most - 1]);
    }
    const cli_option *o;
    for (int i = 0; (o = cli_option_at(c, i)); i++) {
        if (o->required && !args->given[i])
            return cli_usage(c, "--%s %s is missing", o->name, o->metavar);
    }
    return CLI_GO_ON;
}

/* Options that others make meaningless. */
static int check_with(const cli_command *c, const cli_args *args, void *values)
{
    char expected[128];
    const cli_option *o;
    for (int i = 0; (o = cli_option_at(c, i)); i++) {
        if (!o->with || !args->given[i]) continue;
        const cli_option *of = cli_option_at(c, find_name(c, o->with, strlen(o->with)));
        if (o->with_choice & 1u << *(const int *)value_at(values, of)) continue;
        expected_choice(of, o->with_choice, expected, sizeof expected);
        return cli_usage(c, "--%s needs --%s %s", o->name, of->name, expected);
    }
    return CLI_GO_ON;
}

int cli_parse_line(const cli_command *c, int argc, char **argv, void *values,
                   cli_args *args)
{
    bool options = true;

    *args = (cli_args){ .operand = argv + 1 };
    set_defaults(c, values);
    for (int i = 1; i < argc; i++) {
        if (options && !strcmp(argv[i], "--")) {
            options = false;
        } else if (options && is_option(argv[i])) {
            const int code = take_option(c, argc, argv, &i, values, args);
            if (code != CLI_GO_ON) return code;
        } else {
            args->operand[args->n++] = argv[i];
        }
    }
    return CLI_GO_ON;
}

int cli_parse_end(const cli_command *c, const cli_args *args, void *values)
{
    const int code = check_complete(c, args);
    return code == CLI_GO_ON ? check_with(c, args, values) : code;
}

int cli_parse(const cli_command *c, int argc, char **argv, void *values, cli_args *args)
{
    const int code = cli_parse_line(c, argc, argv, values, args);
    return code == CLI_GO_ON ? cli_parse_end(c, args, values) : code;
}

int cli_option_find(const cli_command *c, const char *name)
{
    return find_name(c, name, strlen(name));
}

bool cli_given(const cli_command *c, const cli_args *args, const char *name)
{
    const int place = cli_option_find(c, name);
    return place >= 0 && args->given[place];
}
