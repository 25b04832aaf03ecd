/* SPDX-License-Identifier: Apache-2.0 */
/* afina convert: weights from one file format to another. */
#include <stddef.h>
#include <stdio.h>

#include "cli.h"
#include "weights_arg.h"

typedef struct convert_args {
    bool no_aux;
} convert_args;

/* The model in w, which was opened from path, without auxiliary classifiers: it is
 * written and opened again as w. */
static afn_status drop_aux(afn_weights **w, const char *path, const char *out)
{
    const char *arch = NULL;
    afn_model *m = NULL;
    afn_status st = afn_arch_fitting(&arch, *w);
    if (st == AFN_OK) st = afn_model_open(&m, arch, path);
    if (st == AFN_OK) st = afn_model_drop_aux(m);
    if (st == AFN_OK) st = afn_model_save(m, out);
    afn_model_free(m);
    if (st != AFN_OK) return st;
    afn_weights_free(*w);
    *w = NULL;
    return afn_weights_open(w, out);
}

static int run(int argc, char **argv)
{
    convert_args a = { 0 };
    cli_args args;
    afn_weights *w = NULL;

    const int code = cli_parse(&cli_cmd_convert, argc, argv, &a, &args);
    if (code != CLI_GO_ON) return code;
    char path[AFN_PATH_BYTES];
    const char *model = NULL;
    afn_status st = cli_weights_path(path, &model, args.operand[0]);
    if (st == AFN_OK) st = afn_weights_open(&w, path);
    if (st == AFN_OK)
        st = a.no_aux ? drop_aux(&w, path, args.operand[1])
                      : afn_weights_save(w, args.operand[1]);
    if (st == AFN_OK) {
        cli_put(stdout, args.operand[1]);
        cli_say(": %zu tensors\n", afn_weights_count(w));
    }
    afn_weights_free(w);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

static const cli_option options[] = {
    { .name = "no-aux",
      .type = CLI_FLAG,
      .at = offsetof(convert_args, no_aux),
      .help = "leave out the auxiliary classifiers of GoogLeNet or Inception v3, which "
              "only training needs; the result says what model it is" },
    { 0 },
};

const cli_command cli_cmd_convert = {
    .name = "convert",
    .summary = "write weights in another file format",
    .operand = { "IN", "OUT" },
    .min_operands = 2,
    .option = options,
    .about = "Reads the weights in IN, of any format that afina reads or a name such "
             "as resnet50/V1, and writes them "
             "to OUT: safetensors for the extension .safetensors, PyTorch's zip format "
             "for .pth, .pt and .th. Names, types, values and metadata are kept.",
    .run = run,
};
