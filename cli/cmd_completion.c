/* SPDX-License-Identifier: Apache-2.0 */
/* afina completion: what a shell offers behind `afina` when Tab is pressed, as a script
 * for that shell.  All of it comes from the tables of commands and options. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* What a value or an operand may be, by how help calls it. */
enum { TAKES_FILES = 1, TAKES_MODELS = 2, TAKES_SHELLS = 4 };

static int takes(const char *metavar)
{
    static const struct {
        const char *word;
        int what;
    } row[] = { { "FILE", TAKES_FILES },  { "DIR", TAKES_FILES },
                { "DATA", TAKES_FILES },  { "MODEL", TAKES_FILES },
                { "IMAGE", TAKES_FILES }, { "RUN", TAKES_FILES },
                { "IN", TAKES_FILES },    { "OUT", TAKES_FILES },
                { "NAME", TAKES_MODELS }, { "SHELL", TAKES_SHELLS } };
    int what = 0;
    while (metavar && *metavar) { /* "FILE|NAME" */
        const size_t n = strcspn(metavar, "|");
        for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
            if (strlen(row[i].word) == n && !strncmp(row[i].word, metavar, n))
                what |= row[i].what;
        metavar += n + (metavar[n] == '|');
    }
    return what;
}

static int operands_take(const cli_command *c)
{
    int what = 0;
    for (int i = 0; i < CLI_MAX_OPERANDS && c->operand[i]; i++)
        what |= takes(c->operand[i]);
    if (c == &cli_cmd_models) return TAKES_MODELS; /* a pattern of names */
    return c == &cli_cmd_describe ? what | TAKES_MODELS : what;
}

/* ---- lists of words, with a blank before each ---- */

static void put_models(void)
{
    for (int i = 0; i < afn_arch_count(); i++) {
        afn_arch_info a;
        if (afn_arch_get(&a, i) == AFN_OK) printf(" %s", a.name);
    }
}

static void put_commands(void)
{
    for (int i = 0; cli_commands[i]; i++) printf(" %s", cli_commands[i]->name);
    printf(" help");
}

static const char *const shells[] = { "bash", "zsh", "fish", NULL };

static void put_words(const char *const *word)
{
    for (; *word; word++) printf(" %s", *word);
}

static void put_what(int what)
{
    if (what & TAKES_MODELS) put_models();
    if (what & TAKES_SHELLS) put_words(shells);
}

/* What an option's value may be: its choices; words that its metavar has in lower case,
 * "auto|off|SIZE"; names. */
static void put_values(const cli_option *o)
{
    if (o->type == CLI_CHOICE) {
        put_words(o->choice);
        return;
    }
    for (const char *m = o->metavar; *m;) {
        const size_t n = strcspn(m, "|");
        if (islower((unsigned char)*m)) printf(" %.*s", (int)n, m);
        m += n + (m[n] == '|');
    }
    put_what(takes(o->metavar));
}

static bool has_values(const cli_option *o)
{
    return o->type == CLI_CHOICE || islower((unsigned char)*o->metavar) ||
           (takes(o->metavar) & ~TAKES_FILES);
}

/* The beginning of a help text, up to its first stop, to stand in single quotes.
 *   quote    how such a quote is written there
 *   escaped  what else needs a backslash */
static void put_short(const char *help, const char *quote, const char *escaped)
{
    for (; *help && *help != ';' && *help != ':'; help++) {
        if (*help == '\'')
            printf("%s", quote);
        else if (strchr(escaped, *help))
            printf("\\%c", *help);
        else
            putchar(*help);
    }
}

/* ---- bash ---- */

/* A line of a case: what follows an option that takes a value. */
static void bash_value(const cli_command *c, const cli_option *o)
{
    if (o->hidden || o->type == CLI_FLAG) return;
    const int what = takes(o->metavar);
    printf("    %s:--%s", c->name, o->name);
    if (o->letter) printf("|%s:-%c", c->name, o->letter);
    printf(") words='");
    put_values(o);
    printf("' files=%s value=1 ;;\n", what & TAKES_FILES ? "1" : "");
}

static void bash_command(const cli_command *c)
{
    const cli_option *o;
    printf("    %s) options='", c->name);
    for (int i = 0; (o = cli_option_at(c, i)); i++)
        if (!o->hidden) printf(" --%s", o->name);
    printf(" --help' words='");
    put_what(operands_take(c));
    printf("' files=%s ;;\n", operands_take(c) & TAKES_FILES ? "1" : "");
}

static void put_bash(void)
{
    printf(
        "# bash completion for afina, made by 'afina completion bash'\n"
        "_afina() {\n"
        "    local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
        "    local before=${COMP_WORDS[COMP_CWORD-1]} words= files= options= value=\n"
        "    COMPREPLY=()\n"
        "    # --option=value comes as three words\n"
        "    if [ \"$current\" = '=' ]; then current=; \n"
        "    elif [ \"$before\" = '=' ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        words='");
    put_commands();
    printf("' options='--help --version'\n"
           "    else\n"
           "    case $command in\n");
    for (int i = 0; cli_commands[i]; i++) bash_command(cli_commands[i]);
    printf("    help) words='");
    put_commands();
    printf("' ;;\n    esac\n    case $command:$before in\n");
    for (int k = 0; cli_commands[k]; k++) {
        const cli_option *o;
        for (int i = 0; (o = cli_option_at(cli_commands[k], i)); i++)
            bash_value(cli_commands[k], o);
    }
    printf(
        "    esac\n"
        "    fi\n"
        "    [ -z \"$value\" ] && case $current in -*) words=$options files= ;; esac\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\"\n"
        "        [ -n \"$files\" ] && compgen -f -- \"$current\")\n"
        "    [ -n \"$files\" ] && compopt -o filenames 2>/dev/null\n"
        "    return 0\n"
        "}\n"
        "complete -F _afina afina\n");
}

/* ---- zsh ---- */

static void zsh_text(const char *text)
{
    put_short(text, "'\\''", "[]\\");
}

/* "_files", "(a b c)" or nothing: zsh's action for a value. */
static void zsh_action(const cli_option *o)
{
    if (o->type != CLI_CHOICE && (takes(o->metavar) & TAKES_FILES)) {
        printf("_files");
    } else if (has_values(o)) {
        printf("(");
        put_values(o);
        printf(")");
    }
}

static void zsh_option(const cli_option *o)
{
    if (o->hidden) return;
    const char *value = o->type == CLI_FLAG ? "" : "=";
    for (int k = o->letter ? 0 : 1; k < 2; k++) {
        printf("            '");
        if (k)
            printf("--%s%s[", o->name, value);
        else
            printf("-%c%s[", o->letter, *value ? "+" : "");
        zsh_text(cli_text(o->help));
        printf("]");
        if (*value) {
            printf(":%s:", o->metavar ? o->metavar : o->name);
            zsh_action(o);
        }
        printf("' \\\n");
    }
}

static void zsh_command(const cli_command *c)
{
    const cli_option *o;
    const int what = operands_take(c);
    printf("        %s)\n        _arguments \\\n", c->name);
    for (int i = 0; (o = cli_option_at(c, i)); i++) zsh_option(o);
    printf("            '(-h --help)'{-h,--help}'[");
    zsh_text(cli_text("print this text"));
    printf("]'");
    if (what & ~TAKES_FILES) {
        printf(" \\\n            '*:name:(");
        put_what(what);
        printf(")'");
    } else if (what) {
        printf(" \\\n            '*:file:_files'");
    }
    printf(" ;;\n");
}

static void put_zsh(void)
{
    printf("#compdef afina\n"
           "# made by 'afina completion zsh'\n"
           "_afina() {\n"
           "    local -a commands\n"
           "    commands=(\n");
    for (int i = 0; cli_commands[i]; i++) {
        printf("        '%s:", cli_commands[i]->name);
        zsh_text(cli_text(cli_commands[i]->summary));
        printf("'\n");
    }
    printf("        'help:");
    zsh_text(cli_text("explain a command"));
    printf("'\n    )\n"
           "    if (( CURRENT == 2 )); then\n"
           "        _describe command commands\n"
           "        return\n"
           "    fi\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $words[1] in\n");
    for (int i = 0; cli_commands[i]; i++) zsh_command(cli_commands[i]);
    printf("        help) _describe command commands ;;\n"
           "    esac\n"
           "}\n"
           "[ \"$funcstack[1]\" = _afina ] && _afina \"$@\" || compdef _afina afina\n");
}

/* ---- fish ---- */

static void fish_text(const char *text)
{
    printf(" -d '");
    put_short(text, "\\'", "\\");
    printf("'\n");
}

static void fish_option(const cli_command *c, const cli_option *o)
{
    if (o->hidden) return;
    printf("complete -c afina -n '__fish_seen_subcommand_from %s' -l %s", c->name,
           o->name);
    if (o->letter) printf(" -s %c", o->letter);
    if (o->type != CLI_FLAG)
        printf(o->metavar && takes(o->metavar) & TAKES_FILES ? " -r" : " -x");
    if (o->type != CLI_FLAG && has_values(o)) {
        printf(" -a '");
        put_values(o);
        printf("'");
    }
    fish_text(cli_text(o->help));
}

static void fish_command(const cli_command *c)
{
    const cli_option *o;
    const int what = operands_take(c);
    printf("complete -c afina -n __fish_use_subcommand -f -a %s", c->name);
    fish_text(cli_text(c->summary));
    for (int i = 0; (o = cli_option_at(c, i)); i++) fish_option(c, o);
    if (!(what & ~TAKES_FILES)) return;
    printf("complete -c afina -n '__fish_seen_subcommand_from %s' -f -a '", c->name);
    put_what(what);
    printf("'\n");
}

static void put_fish(void)
{
    printf("# made by 'afina completion fish'\n");
    for (int i = 0; cli_commands[i]; i++) fish_command(cli_commands[i]);
    printf("complete -c afina -n __fish_use_subcommand -f -a help\n"
           "complete -c afina -n '__fish_seen_subcommand_from help' -f -a '");
    put_commands();
    printf("'\n");
}

/* ---- all ---- */

static int run(int argc, char **argv)
{
    static void (*const put[])(void) = { put_bash, put_zsh, put_fish };
    cli_args args;
    const int code = cli_parse(&cli_cmd_completion, argc, argv, NULL, &args);
    if (code != CLI_GO_ON) return code;
    for (int i = 0; shells[i]; i++) {
        if (strcmp(shells[i], args.operand[0])) continue;
        put[i]();
        return CLI_OK;
    }
    return cli_usage(&cli_cmd_completion,
                     "no completion for '%s', need bash, zsh or fish", args.operand[0]);
}

static const cli_example examples[] = {
    { "source <(afina completion bash)", "in the shell at hand" },
    { "afina completion fish >~/.config/fish/completions/afina.fish", NULL },
    { NULL, NULL },
};

const cli_command cli_cmd_completion = {
    .name = "completion",
    .summary = "print a script that completes words in a shell",
    .operand = { "SHELL" },
    .min_operands = 1,
    .about =
        "Prints a script for bash, zsh or fish, after which Tab completes commands, "
        "options, their values, names of models and files. 'make install' puts it "
        "where each of them looks for it.",
    .example = examples,
    .run = run,
};
