/* SPDX-License-Identifier: Apache-2.0 */
/* afina convert: weights from one file format to another. */
#include <stdio.h>

#include "cli.h"

static int run(int argc, char **argv)
{
    cli_args args;
    afn_weights *w = NULL;

    const int code = cli_parse(&cli_cmd_convert, argc, argv, NULL, &args);
    if (code != CLI_GO_ON) return code;
    afn_status st = afn_weights_open(&w, args.operand[0]);
    if (st == AFN_OK) st = afn_weights_save(w, args.operand[1]);
    if (st == AFN_OK) {
        cli_put(stdout, args.operand[1]);
        printf(": %zu tensors\n", afn_weights_count(w));
    }
    afn_weights_free(w);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

const cli_command cli_cmd_convert = {
    .name = "convert",
    .summary = "write weights in another file format",
    .operand = { "IN", "OUT" },
    .min_operands = 2,
    .about = "Reads the weights in IN, of any format that afina reads, and writes them "
             "to OUT: safetensors for the extension .safetensors, PyTorch's zip format "
             "for .pth, .pt and .th. Names, types, values and metadata are kept.",
    .run = run,
};
