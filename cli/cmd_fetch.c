/* SPDX-License-Identifier: Apache-2.0 */
/* afina fetch: torchvision's weight files, downloaded and checked. */
#include <stddef.h>
#include <stdio.h>

#include "cli.h"
#include "weights_arg.h"

typedef struct fetch_args {
    int64_t tries, timeout;
    bool quiet;
} fetch_args;

static int run(int argc, char **argv)
{
    fetch_args o = { 0 };
    cli_args args;

    int code = cli_parse(&cli_cmd_fetch, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    code = CLI_OK;
    for (int i = 0; code == CLI_OK && i < args.n; i++) {
        char path[AFN_PATH_BYTES];
        afn_weights_file p;
        const afn_status st = afn_weights_file_named(&p, NULL, args.operand[i]);
        if (st != AFN_OK) return cli_fail(st);
        code = cli_weights_download(path, &p, (int)o.tries, (int)o.timeout, o.quiet);
        if (code == CLI_OK) printf("%s\n", path);
    }
    return code;
}

static const cli_option options[] = {
    { .name = "tries",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(fetch_args, tries),
      .min = 1,
      .max = 100,
      .initial = "5",
      .help = "attempts in a row that may fail, where the connection breaks or the "
              "server is in trouble; 1, 2, 4 ... seconds lie between them" },
    { .name = "timeout",
      .type = CLI_INT,
      .metavar = "SECONDS",
      .at = offsetof(fetch_args, timeout),
      .min = 1,
      .max = 3600,
      .initial = "30",
      .help = "without a byte for so long, an attempt has failed" },
    { .name = "quiet",
      .letter = 'q',
      .type = CLI_FLAG,
      .at = offsetof(fetch_args, quiet),
      .help = "show no progress" },
    { .name = NULL },
};

const cli_command cli_cmd_fetch = {
    .name = "fetch",
    .summary = "download pretrained weights",
    .operand = { "NAME" },
    .min_operands = 1,
    .repeat = true,
    .about =
        "Downloads torchvision's weights of a model into "
        "$XDG_CACHE_HOME/afina/weights (~/.cache/afina/weights) and prints where they "
        "are. NAME is a model of 'afina models', resnet50, which means the newest of "
        "its weights; or resnet50/V1, resnet50/V2; or the name of another file of the "
        "server that has a hash in it. What is there already, also in PyTorch's own "
        "cache, is not downloaded again. A download that was cut off goes on where it "
        "ended. The file is checked against the hash in its name before it gets that "
        "name.",
    .option = options,
    .notes = "Environment: AFINA_WEIGHTS_URL is the folder of the files on a server of "
             "your\nown; http_proxy, https_proxy, all_proxy and no_proxy as for "
             "curl.\n",
    .example =
        (const cli_example[]){
            { "afina fetch resnet50", NULL },
            { "afina train photos --model resnet50 --weights default --out run",
              "trains with what was fetched" },
            { "AFINA_WEIGHTS_URL=http://mirror.lan/models afina fetch resnet18/V1",
              "from a server of your own" },
            { NULL, NULL } },
    .run = run,
};
