/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of the command and option tables, for tools/translations.sh: what
 * translators get is exactly what is looked up, whatever macros it was made of. */
#include <stdio.h>

#include "cli.h"

static void put_literal(const char *text)
{
    if (!text || !*text) return;
    printf("table_text(\"");
    for (; *text; text++) {
        if (*text == '\n')
            printf("\\n");
        else if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else
            putchar(*text);
    }
    printf("\");\n");
}

static void put_options(const cli_command *c)
{
    const cli_option *o;
    for (int i = 0; (o = cli_option_at(c, i)); i++) {
        put_literal(o->section);
        if (!o->hidden && o->type != CLI_CHOICE) put_literal(o->metavar);
        if (!o->hidden) put_literal(o->help);
    }
}

void cli_texts(void)
{
    for (int k = 0; cli_commands[k]; k++) {
        const cli_command *c = cli_commands[k];
        printf("/* afina %s */\n", c->name);
        put_literal(c->summary);
        for (int i = 0; i < CLI_MAX_OPERANDS; i++) put_literal(c->operand[i]);
        put_literal(c->about);
        put_options(c);
        put_literal(c->notes);
        for (const cli_example *e = c->example; e && e->line; e++) put_literal(e->what);
    }
}
