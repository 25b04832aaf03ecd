/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* open_memstream */
#include "config_file.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "presets.h"

/* The document at hand. */
typedef struct reader {
    cli_config *f;
    const char *name;
    int line_of[CLI_MAX_OPTIONS]; /* where each option stands, 0 = nowhere */
} reader;

bool cli_config_lacks(const char *name)
{
    static const char *const list[] = { "config", "config-text", "print-config",
                                        "resume", "overwrite" };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (!strcmp(name, list[i])) return true;
    return false;
}

/* A message with the place.  Returns CLI_USAGE. */
static int wrong(const reader *r, const afn_toml_value *v, const char *fmt, ...)
    CLI_PRINTF(3, 4);
static int wrong(const reader *r, const afn_toml_value *v, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    cli_error("%s:%d: %s", r->name, v->line, text);
    return CLI_USAGE;
}

/* ---- one value ---- */

static void put_scalar(FILE *f, const afn_toml_value *v)
{
    switch (v->kind) {
    case AFN_TOML_INTEGER:
        fprintf(f, "%" PRId64, v->integer);
        break;
    case AFN_TOML_FLOAT:
        fprintf(f, "%.17g", v->real);
        break;
    case AFN_TOML_BOOLEAN:
        fputs(v->boolean ? "true" : "false", f);
        break;
    case AFN_TOML_STRING:
    case AFN_TOML_DATE:
        fputs(v->text, f);
        break;
    case AFN_TOML_ARRAY:
    case AFN_TOML_TABLE:
        fputs(v->kind == AFN_TOML_ARRAY ? "[...]" : "{...}", f);
        break;
    }
}

/* A value as it would be typed, a list with commas; owned by the file, NULL where
 * memory ran out. */
static const char *value_text(reader *r, const afn_toml_value *v)
{
    cli_config *f = r->f;
    char *text = NULL;
    size_t size;
    if (v->kind == AFN_TOML_STRING) return v->text;
    char **more = realloc(f->text, (size_t)(f->n_text + 1) * sizeof *more);
    if (more) f->text = more;
    FILE *out = more ? open_memstream(&text, &size) : NULL;
    if (!out) return NULL;
    if (v->kind != AFN_TOML_ARRAY) put_scalar(out, v);
    for (const afn_toml_value *m = v->first; m; m = m->next) {
        put_scalar(out, m);
        if (m->next) fputc(',', out);
    }
    if (fclose(out) != 0) return NULL;
    return f->text[f->n_text++] = text;
}

/* Does an option of this type take such values? */
static bool fits(cli_type type, const afn_toml_value *v)
{
    switch (v->kind) {
    case AFN_TOML_BOOLEAN:
        return type == CLI_FLAG;
    case AFN_TOML_INTEGER:
        return type == CLI_INT || type == CLI_REAL || type == CLI_TEXT;
    case AFN_TOML_FLOAT:
        return type == CLI_REAL || type == CLI_TEXT;
    case AFN_TOML_STRING:
        return type == CLI_TEXT || type == CLI_CHOICE;
    case AFN_TOML_ARRAY:
        for (const afn_toml_value *m = v->first; m; m = m->next)
            if (m->kind == AFN_TOML_BOOLEAN || !fits(CLI_TEXT, m) || m->first)
                return false;
        return type == CLI_TEXT;
    case AFN_TOML_DATE:
    case AFN_TOML_TABLE:
        break;
    }
    return false;
}

static int set_option(reader *r, const cli_option *o, const afn_toml_value *v,
                      void *values)
{
    char expected[128];
    const char *text = value_text(r, v);
    if (!text) return cli_error("out of memory");
    if (fits(o->type, v) && cli_option_set(o, text, values)) return CLI_GO_ON;
    cli_expected(o, expected, sizeof expected);
    return wrong(r, v, "%s needs %s, not %s", v->key,
                 o->type == CLI_FLAG ? "true or false" : expected, text);
}

/* ---- keys ---- */

/* May it stand in a table?  --head-augment is of the usual head: a phase has --augment.
 */
static bool is_key(const cli_command *c, const cli_option *o)
{
    const bool usual = c == &cli_phase_keys && !strcmp(o->name, "head-augment");
    return !o->hidden && !cli_config_lacks(o->name) && !usual;
}

static int unknown(const reader *r, const cli_command *c, const afn_toml_value *v)
{
    const char *name[CLI_MAX_OPTIONS + 2], *near[2];
    size_t n = 0;
    const cli_option *o;
    for (int i = 0; (o = cli_option_at(c, i)); i++)
        if (is_key(c, o)) name[n++] = o->name;
    if (c != &cli_phase_keys) {
        name[n++] = "data";
        name[n++] = "phase";
    }
    const int found = cli_nearest(v->key, name, n, near, 2);
    const char *where = c == &cli_phase_keys ? "of a phase " : "";
    if (found == 2)
        return wrong(r, v, "unknown key %s%s, did you mean %s or %s?", where, v->key,
                     near[0], near[1]);
    if (found == 1)
        return wrong(r, v, "unknown key %s%s, did you mean %s?", where, v->key,
                     near[0]);
    return wrong(r, v, "unknown key %s%s", where, v->key);
}

/* An option of the run; what was typed stays. */
static int take_option(reader *r, const cli_command *c, const afn_toml_value *v,
                       train_args *o, cli_args *line)
{
    const int place = cli_option_find(c, v->key);
    if (place < 0) return unknown(r, c, v);
    const cli_option *option = cli_option_at(c, place);
    if (cli_config_lacks(v->key))
        return wrong(r, v, "%s is for the command line", v->key);
    if (r->line_of[place])
        return wrong(r, v, "%s is there already, in line %d", v->key,
                     r->line_of[place]);
    r->line_of[place] = v->line;
    if (line->given[place]) return CLI_GO_ON;
    line->given[place] = true;
    return set_option(r, option, v, o);
}

static int take_data(reader *r, const afn_toml_value *v, train_args *o, cli_args *line)
{
    if (v->kind != AFN_TOML_STRING || !*v->text)
        return wrong(r, v, "data needs the name of the images");
    if (line->n) return CLI_GO_ON;
    o->source = v->text;
    line->operand = (char **)&o->source;
    line->n = 1;
    return CLI_GO_ON;
}

/* Keys at the top, or in a table, whose name is for the reader's eyes. */
static int take_table(reader *r, const cli_command *c, const afn_toml_value *table,
                      train_args *o, cli_args *line)
{
    int code = CLI_GO_ON;
    const bool top = table == afn_toml_root(r->f->doc);
    for (const afn_toml_value *v = table->first; v && code == CLI_GO_ON; v = v->next) {
        if (top && !strcmp(v->key, "phase")) continue;
        if (top && v->kind == AFN_TOML_TABLE)
            code = take_table(r, c, v, o, line);
        else if (!strcmp(v->key, "data"))
            code = take_data(r, v, o, line);
        else
            code = take_option(r, c, v, o, line);
    }
    return code;
}

/* ---- phases ---- */

/* Names go into a CSV file, and into each line that is printed. */
static bool is_name(const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789_.- ";
    return strspn(text, plain) == strlen(text) && strlen(text) < 64;
}

static int check_name(const reader *r, const afn_toml_value *table, const char *name)
{
    if (!name) return wrong(r, table, "the phase has no name");
    if (!is_name(name))
        return wrong(r, table,
                     "the phase's name has other signs than letters, digits, "
                     "blanks and _ . -");
    for (int i = 0; i < r->f->n_phases; i++)
        if (!strcmp(r->f->phase[i].o.self.name, name))
            return wrong(r, table, "two phases are called %s", name);
    return CLI_GO_ON;
}

/* Its keys, with those options of the run that are keys of a phase. */
static void join_keys(struct cli_config_phase *p, const cli_command *c,
                      const cli_args *given)
{
    const cli_option *o;
    p->known = p->keys;
    for (int i = 0; (o = cli_option_at(&cli_phase_keys, i)); i++)
        if (cli_given(c, given, o->name)) p->known.given[i] = true;
}

/* One [[phase]], after all that is of the run.
 *   line     what was typed
 *   given    that, and what stands above */
static int take_phase(reader *r, const cli_command *c, const afn_toml_value *table,
                      const train_args *run, const cli_args *line,
                      const cli_args *given)
{
    int code = CLI_GO_ON;
    struct cli_config_phase *p = &r->f->phase[r->f->n_phases];
    p->o = *run;
    cli_option_defaults(cli_phase_keys.more[0], &p->o);
    for (const afn_toml_value *v = table->first; v && code == CLI_GO_ON; v = v->next) {
        const int place = cli_option_find(&cli_phase_keys, v->key);
        if (place < 0 ||
            !is_key(&cli_phase_keys, cli_option_at(&cli_phase_keys, place)))
            return unknown(r, &cli_phase_keys, v);
        if (cli_given(c, line, v->key)) continue;
        p->keys.given[place] = true;
        code = set_option(r, cli_option_at(&cli_phase_keys, place), v, &p->o);
    }
    if (code == CLI_GO_ON) code = check_name(r, table, p->o.self.name);
    if (code == CLI_GO_ON) code = cli_parse_end(&cli_phase_keys, &p->keys, &p->o);
    if (code != CLI_GO_ON) return code;
    join_keys(p, c, given);
    const bool augments = cli_given(&cli_phase_keys, &p->keys, "augment");
    p->o.augment.head_spec = augments ? p->o.augment.spec : NULL;
    if (p->o.self.solver == AFN_SOLVER_LBFGS &&
        !cli_given(&cli_phase_keys, &p->keys, "epochs"))
        p->o.self.epochs = 1;
    r->f->n_phases++;
    return CLI_GO_ON;
}

/* Options of the two usual phases mean nothing beside others.
 *   typed    what was on the command line */
static int check_usual(const reader *r, const cli_command *c, const afn_toml_value *v,
                       const cli_args *given)
{
    static const char *const usual[] = { "head-epochs", "head-lr",      "head-solver",
                                         "head-l2",     "head-augment", "tune-epochs",
                                         "tune-lr",     "unfreeze" };
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (cli_given(c, given, usual[i]))
            return wrong(r, v, "the phases are these, --%s has no meaning", usual[i]);
    return CLI_GO_ON;
}

/*   typed    what was on the command line
 *   said     that, and what the file says of the run
 *   given    that, and what the preset says */
static int take_phases(reader *r, const cli_command *c, train_args *o,
                       const cli_args *typed, const cli_args *said,
                       const cli_args *given)
{
    const afn_toml_value *list = afn_toml_find(afn_toml_root(r->f->doc), "phase");
    if (!list) return CLI_GO_ON;
    if (list->kind != AFN_TOML_ARRAY || !list->first ||
        list->first->kind != AFN_TOML_TABLE)
        return wrong(r, list, "a phase is written as [[phase]], and its keys below");
    int code = check_usual(r, c, list, said);
    for (const afn_toml_value *v = list->first; v && code == CLI_GO_ON; v = v->next)
        code = r->f->n_phases == CLI_MAX_PHASES
                   ? wrong(r, v, "more than %d phases", (int)CLI_MAX_PHASES)
                   : take_phase(r, c, v, o, typed, given);
    return code;
}

/* ---- the file ---- */

static afn_status open_doc(cli_config *f, const train_args *o, const char *name)
{
    if (o->config) return afn_toml_open(&f->doc, name);
    return afn_toml_read(&f->doc, name, o->config_text, strlen(o->config_text));
}

int cli_config_read(train_args *o, const cli_command *c, cli_args *line)
{
    reader r = { .name = o->config ? o->config : "--config" };
    const cli_args typed = *line;
    if (!o->config && !o->config_text) {
        cli_preset_take(o, c, line);
        return CLI_GO_ON;
    }
    r.f = o->file = calloc(1, sizeof *r.f);
    if (!r.f) return cli_error("out of memory");
    if (open_doc(r.f, o, r.name) != AFN_OK) return cli_fail(AFN_EFORMAT);
    int code = take_table(&r, c, afn_toml_root(r.f->doc), o, line);
    const cli_args said = *line;
    if (code != CLI_GO_ON) return code;
    cli_preset_take(o, c, line);
    return take_phases(&r, c, o, &typed, &said, line);
}

void cli_config_free(cli_config *f)
{
    if (!f) return;
    afn_toml_free(f->doc);
    for (int i = 0; i < f->n_text; i++) free(f->text[i]);
    free(f->text);
    free(f);
}
