/* SPDX-License-Identifier: Apache-2.0 */
/* Help text, generated from the command and option tables. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

enum { PAGE = 79, OPTION_COLUMN = 28 };

/* Print words from column `at`, indented to `indent` on every further line. */
static void put_wrapped(const char *text, int at, int indent)
{
    while (*text) {
        const int bytes = (int)strcspn(text, " ");
        const int word = cli_width_n(text, (size_t)bytes);
        if (at > indent && at + 1 + word > PAGE) {
            printf("\n%*s", indent, "");
            at = indent;
        }
        printf("%s%.*s", at > indent ? " " : "", bytes, text);
        at += (at > indent) + word;
        text += bytes;
        text += strspn(text, " ");
    }
    printf("\n");
}

static void put_usage(const cli_command *c)
{
    cli_say("usage: afina %s", c->name);
    for (int i = 0; i < CLI_MAX_OPERANDS && c->operand[i]; i++) {
        const bool last = i + 1 == CLI_MAX_OPERANDS || !c->operand[i + 1];
        const char *dots = c->repeat && last ? "..." : "";
        const bool needed = i < c->min_operands;
        printf(" %s%s%s%s", needed ? "" : "[", cli_text(c->operand[i]), dots,
               needed ? "" : "]");
    }
    const cli_option *o;
    for (int i = 0; (o = cli_option_at(c, i)); i++) {
        if (o->required) printf(" --%s %s", o->name, cli_text(o->metavar));
    }
    if (cli_option_at(c, 0)) cli_say(" [OPTION]...");
    printf("\n\n");
}

/* "auto|batch|frozen", or the metavar. */
static int put_metavar(const cli_option *o)
{
    int used = 0;
    if (o->type == CLI_FLAG) return 0;
    if (o->type != CLI_CHOICE) {
        printf(" %s", cli_text(o->metavar));
        return 1 + cli_width(cli_text(o->metavar));
    }
    for (int i = 0; o->choice[i]; i++) {
        used += printf("%c%s", i ? '|' : ' ', o->choice[i]);
    }
    return used;
}

static void put_option(const cli_option *o)
{
    char letter[8] = "    ";
    char text[1024];

    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    int used = printf("  %s--%s", letter, o->name);
    used += put_metavar(o);
    if (used + 2 > OPTION_COLUMN) used = printf("\n") - 1;
    printf("%*s", OPTION_COLUMN - used, "");

    const int n = snprintf(text, sizeof text, "%s", cli_text(o->help));
    if (o->initial && n > 0 && (size_t)n < sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, cli_text(" (default %s)"),
                 o->initial);
    put_wrapped(text, OPTION_COLUMN, OPTION_COLUMN);
}

static void put_examples(const cli_example *e)
{
    cli_say("\nexamples:\n");
    for (; e->line; e++) {
        printf("  %s\n", e->line);
        if (!e->what) continue;
        printf("      ");
        put_wrapped(cli_text(e->what), 6, 6);
    }
}

static void put_heading(const char *section)
{
    printf("\n%s:\n", section);
}

void cli_help(const cli_command *c)
{
    const cli_option help = { .name = "help",
                              .letter = 'h',
                              .type = CLI_FLAG,
                              .help = cli_text("print this text") };
    put_usage(c);
    put_wrapped(cli_text(c->about), 0, 0);
    const cli_option *o = cli_option_at(c, 0);
    put_heading(o && o->section ? cli_text(o->section) : cli_text("options"));
    for (int i = 0; (o = cli_option_at(c, i)); i++) {
        if (o->section && i) put_heading(cli_text(o->section));
        if (!o->hidden) put_option(o);
    }
    put_option(&help);
    if (c->notes) printf("\n%s", cli_text(c->notes));
    if (c->example) put_examples(c->example);
}
