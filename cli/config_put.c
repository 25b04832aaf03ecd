/* SPDX-License-Identifier: Apache-2.0 */
/* Options as a configuration file.  What is not set stands there as a comment, so that
 * the file says all that can be set, and another version's defaults stay its own. */
#include <inttypes.h>
#include <stdlib.h>

#include "config_file.h"

/* A basic string of TOML. */
static void put_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

/* As short as reads back the same, and as a number with a point or an exponent or as an
 * integer: an option takes both. */
static void put_real(double v)
{
    char text[32];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    fputs(text, stdout);
}

static void put_value(const cli_option *o, const void *at)
{
    switch (o->type) {
    case CLI_FLAG:
        fputs(*(const bool *)at ? "true" : "false", stdout);
        break;
    case CLI_INT:
        printf("%" PRId64, *(const int64_t *)at);
        break;
    case CLI_REAL:
        put_real(*(const double *)at);
        break;
    case CLI_TEXT:
        put_text(*(const char *const *)at);
        break;
    case CLI_CHOICE:
        put_text(o->choice[*(const int *)at]);
        break;
    case CLI_N_TYPES:
        break;
    }
}

static void put_option(const cli_option *o, const train_args *values, bool given)
{
    if (o->hidden || cli_config_lacks(o->name)) return;
    if (!given && !o->initial && o->type != CLI_FLAG) return; /* there is no default */
    printf("%s%s = ", given ? "" : "# ", o->name);
    put_value(o, (const char *)values + o->at);
    putchar('\n');
}

static void put_phase(const struct cli_config_phase *p)
{
    const cli_option *o;
    printf("\n[[phase]]\n");
    for (int i = 0; (o = cli_option_at(&cli_phase_keys, i)); i++)
        if (p->keys.given[i]) put_option(o, &p->o, true);
}

void cli_config_put(const train_args *o, const cli_command *c, const cli_args *given)
{
    const cli_option *option;
    if (o->source) {
        printf("data = ");
        put_text(o->source);
        putchar('\n');
    }
    for (int i = 0; (option = cli_option_at(c, i)); i++) {
        if (option->section) printf("\n# ---- %s ----\n", option->section);
        put_option(option, o, given->given[i]);
    }
    for (int i = 0; o->file && i < o->file->n_phases; i++)
        put_phase(&o->file->phase[i]);
}
