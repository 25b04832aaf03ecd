/* SPDX-License-Identifier: Apache-2.0 */
/* `afina COMMAND`: the list of commands, help and version. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const cli_command *const commands[] = {
    &cli_cmd_data,    &cli_cmd_train,  &cli_cmd_eval,     &cli_cmd_report,
    &cli_cmd_predict, &cli_cmd_models, &cli_cmd_describe, &cli_cmd_inspect,
    &cli_cmd_convert, &cli_cmd_fetch,  &cli_cmd_bench,
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static const cli_command *find_command(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++) {
        if (!strcmp(commands[i]->name, name)) return commands[i];
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *candidate[N_COMMANDS + 1];
    const char *near = NULL;

    for (int i = 0; i < N_COMMANDS; i++) candidate[i] = commands[i]->name;
    candidate[N_COMMANDS] = "help";
    if (cli_nearest(name, candidate, N_COMMANDS + 1, &near, 1))
        return cli_usage(NULL, "unknown command '%s', did you mean '%s'?", name, near);
    return cli_usage(NULL, "unknown command '%s'", name);
}

static void put_overview(void)
{
    printf("usage: afina COMMAND [ARGUMENT]...\n\n"
           "Fine-tunes pretrained convolutional networks on your own images.\n\n"
           "commands:\n");
    for (int i = 0; i < N_COMMANDS; i++) {
        printf("  %-10s%s\n", commands[i]->name, commands[i]->summary);
    }
    printf("  %-10s%s\n", "help", "explain a command");
    printf("\noptions:\n"
           "  -h, --help      print this text\n"
           "      --version   print the version\n\n"
           "'afina help COMMAND' explains a command and its options.\n");
}

static int help(int argc, char **argv)
{
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
    afn_log_set(cli_log, NULL);
    return finish(dispatch(argc, argv));
}
