/* SPDX-License-Identifier: Apache-2.0 */
/* `afina COMMAND`: the list of commands, help and version. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

const cli_command *const cli_commands[] = {
    &cli_cmd_data,
    &cli_cmd_train,
    &cli_cmd_eval,
    &cli_cmd_report,
    &cli_cmd_predict,
    &cli_cmd_models,
    &cli_cmd_describe,
    &cli_cmd_inspect,
    &cli_cmd_convert,
    &cli_cmd_fetch,
    &cli_cmd_bench,
    &cli_cmd_completion,
    NULL,
};

enum { N_COMMANDS = sizeof cli_commands / sizeof cli_commands[0] - 1 };

static const cli_command *find_command(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++) {
        if (!strcmp(cli_commands[i]->name, name)) return cli_commands[i];
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *candidate[N_COMMANDS + 1];
    const char *near = NULL;

    for (int i = 0; i < N_COMMANDS; i++) candidate[i] = cli_commands[i]->name;
    candidate[N_COMMANDS] = "help";
    if (cli_nearest(name, candidate, N_COMMANDS + 1, &near, 1))
        return cli_usage(NULL, "unknown command '%s', did you mean '%s'?", name, near);
    return cli_usage(NULL, "unknown command '%s'", name);
}

static void put_overview(void)
{
    cli_say("usage: afina COMMAND [ARGUMENT]...\n\n"
            "Fine-tunes pretrained convolutional networks on your own images.\n\n"
            "commands:\n");
    for (int i = 0; i < N_COMMANDS; i++) {
        printf("  %-12s%s\n", cli_commands[i]->name,
               cli_text(cli_commands[i]->summary));
    }
    printf("  %-12s%s\n", "help", cli_text("explain a command"));
    cli_say("\noptions:\n"
            "  -h, --help      print this text\n"
            "      --version   print the version\n\n"
            "'afina help COMMAND' explains a command and its options.\n");
}

/* What is printed for machines: `afina help --man [COMMAND]`, from which man pages are
 * made, and `afina help --texts`, for translators. */
static int help_option(int argc, char **argv)
{
    const cli_command *c = argc > 2 ? find_command(argv[2]) : NULL;
    if (argc > 2 && !c) return unknown_command(argv[2]);
    if (!strcmp(argv[1], "--man"))
        cli_man(c);
    else if (!strcmp(argv[1], "--texts"))
        cli_texts();
    else
        return cli_usage(NULL, "unknown option '%s'", argv[1]);
    return CLI_OK;
}

static int help(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] == '-') return help_option(argc, argv);
    if (argc > 2) return cli_usage(NULL, "unexpected argument '%s'", argv[2]);
    if (argc < 2) {
        put_overview();
        return CLI_OK;
    }
    const cli_command *c = find_command(argv[1]);
    if (!c) return unknown_command(argv[1]);
    cli_help(c);
    return CLI_OK;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) return cli_usage(NULL, "a command is missing");
    const char *name = argv[1];
    if (!strcmp(name, "help")) return help(argc - 1, argv + 1);
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) return help(1, argv);
    if (!strcmp(name, "--version")) {
        printf("afina %s\n", afn_version());
        return CLI_OK;
    }
    if (name[0] == '-') return cli_usage(NULL, "unknown option '%s'", name);
    const cli_command *c = find_command(name);
    return c ? c->run(argc - 1, argv + 1) : unknown_command(name);
}

/* Results that could not be written are a failure; a reader that went away is not worth
 * a word. */
static int finish(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    if (!errno) { /* it happened earlier: an end of line shows why */
        putchar('\n');
        fflush(stdout);
    }
    if (errno == EPIPE) return code ? code : CLI_FAILED;
    return cli_error("standard output: %s", errno ? strerror(errno) : "write error");
}

int main(int argc, char **argv)
{
    cli_language_start();
    afn_log_set(cli_log, NULL);
    return finish(dispatch(argc, argv));
}
