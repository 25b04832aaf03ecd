/* SPDX-License-Identifier: Apache-2.0 */
/* Man pages in roff's man macros, from the same tables as the help text. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* Text as roff takes it: a dash that can be copied, no escape, and no line that begins
 * like a request. */
static void put(const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) printf("\\&");
        if (*text == '\\')
            printf("\\e");
        else if (*text == '-')
            printf("\\-");
        else
            putchar(*text);
        start = *text == '\n';
    }
}

/* A word that names: "MODEL" becomes italic, an option bold. */
static void put_font(char font, const char *text)
{
    printf("\\f%c", font);
    put(text);
    printf("\\fR");
}

static void put_head(const char *name, const char *summary)
{
    printf(".\\\" made by 'afina help --man'\n.TH ");
    for (const char *p = name; *p; p++) putchar(toupper((unsigned char)*p));
    printf(" 1 \"\" \"afina %s\" \"afina\"\n.SH NAME\n", afn_version());
    put(name);
    printf(" \\- ");
    put(summary);
    printf("\n.SH SYNOPSIS\n");
}

static void put_synopsis(const cli_command *c)
{
    put_font('B', "afina");
    printf(" ");
    put_font('B', c->name);
    for (int i = 0; i < CLI_MAX_OPERANDS && c->operand[i]; i++) {
        const bool last = i + 1 == CLI_MAX_OPERANDS || !c->operand[i + 1];
        const bool needed = i < c->min_operands;
        printf(needed ? " " : " [");
        put_font('I', c->operand[i]);
        printf("%s%s", c->repeat && last ? "..." : "", needed ? "" : "]");
    }
    const cli_option *o;
    for (int i = 0; (o = cli_option_at(c, i)); i++) {
        if (!o->required) continue;
        printf(" \\fB\\-\\-%s\\fR ", o->name);
        put_font('I', o->metavar);
    }
    if (cli_option_at(c, 0)) printf(" [\\fIOPTION\\fR]...");
    printf("\n");
}

static void put_value(const cli_option *o)
{
    if (o->type == CLI_FLAG) return;
    printf(" ");
    if (o->type != CLI_CHOICE) {
        put_font('I', o->metavar);
        return;
    }
    for (int i = 0; o->choice[i]; i++) {
        if (i) printf("|");
        put_font('B', o->choice[i]);
    }
}

static void put_option(const cli_option *o)
{
    char expected[256];
    printf(".TP\n");
    if (o->letter) printf("\\fB\\-%c\\fR, ", o->letter);
    printf("\\fB\\-\\-");
    put(o->name);
    printf("\\fR");
    put_value(o);
    printf("\n");
    put(o->help);
    if (o->type == CLI_INT || o->type == CLI_REAL) {
        printf("; ");
        put(cli_expected(o, expected, sizeof expected));
    }
    if (o->initial) {
        printf(" (default ");
        put(o->initial);
        printf(")");
    }
    printf("\n");
}

static void put_options(const cli_command *c)
{
    static const cli_option help = { .name = "help",
                                     .letter = 'h',
                                     .type = CLI_FLAG,
                                     .help = "print a summary of this page" };
    const cli_option *o;
    printf(".SH OPTIONS\n");
    for (int i = 0; (o = cli_option_at(c, i)); i++) {
        if (o->section) {
            printf(".SS ");
            put(o->section);
            printf("\n");
        }
        if (!o->hidden) put_option(o);
    }
    put_option(&help);
}

static void put_examples(const cli_example *e)
{
    printf(".SH EXAMPLES\n");
    for (; e->line; e++) {
        printf(".TP\n.B ");
        put(e->line);
        printf("\n");
        if (!e->what) continue;
        put(e->what);
        printf("\n");
    }
}

static void put_end(void)
{
    printf(".SH EXIT STATUS\n"
           ".TP\n.B 0\nall is well\n"
           ".TP\n.B 1\nit failed, or a part of it did: a line on standard error says "
           "why\n"
           ".TP\n.B 2\nthe command line was wrong\n"
           ".TP\n.B 128+n\nsignal n asked to stop\n");
}

static void put_command(const cli_command *c)
{
    char name[64];
    snprintf(name, sizeof name, "afina-%s", c->name);
    put_head(name, c->summary);
    put_synopsis(c);
    printf(".SH DESCRIPTION\n");
    put(c->about);
    printf("\n");
    put_options(c);
    if (c->notes) {
        printf(".SH NOTES\n.nf\n");
        put(c->notes);
        printf(".fi\n");
    }
    if (c->example) put_examples(c->example);
    put_end();
    printf(".SH SEE ALSO\n.BR afina (1)\n");
}

static void put_overview(void)
{
    put_head("afina", "fine-tune pretrained convolutional networks on your own images");
    printf("\\fBafina\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n"
           ".SH DESCRIPTION\n"
           "Adapts a pretrained network to your own photos, without Python and without "
           "a graphics card. Each command has a page of its own.\n"
           ".SH COMMANDS\n");
    for (int i = 0; cli_commands[i]; i++) {
        printf(".TP\n.BR afina\\-");
        put(cli_commands[i]->name);
        printf(" (1)\n");
        put(cli_commands[i]->summary);
        printf("\n");
    }
    printf(".SH ENVIRONMENT\n"
           ".TP\n.B AFINA_CACHE\nfolder in which measured choices of algorithms are "
           "remembered, or \"off\"\n"
           ".TP\n.B AFINA_WEIGHTS_URL\nfolder of pretrained weights on a server\n"
           ".TP\n.BR LANG \", \" LC_ALL \", \" LC_MESSAGES\nlanguage of messages and "
           "help\n");
    put_end();
}

void cli_man(const cli_command *c)
{
    if (c)
        put_command(c);
    else
        put_overview();
}
