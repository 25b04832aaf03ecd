/* SPDX-License-Identifier: Apache-2.0 */
/* afina inspect: what a weight file holds. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "json_out.h"

typedef struct inspect_args {
    bool json;
} inspect_args;

/* Elements of all tensors. */
typedef struct totals {
    int64_t parameters, buffers;
} totals;

/* Running statistics of batch norm, which torch keeps as buffers, not parameters. */
static bool is_buffer(const char *name)
{
    static const char *const last[] = { "running_mean", "running_var",
                                        "num_batches_tracked" };
    const char *dot = strrchr(name, '.');
    for (int i = 0; i < 3; i++) {
        if (!strcmp(dot ? dot + 1 : name, last[i])) return true;
    }
    return false;
}

static totals sum_up(const afn_weights *w)
{
    totals sum = { 0, 0 };
    for (size_t i = 0; i < afn_weights_count(w); i++) {
        const afn_weight *t = afn_weights_get(w, i);
        const int64_t n = afn_shape_count(&t->shape);
        *(is_buffer(t->name) ? &sum.buffers : &sum.parameters) += n;
    }
    return sum;
}

/* ---- JSON ---- */

static json_t *tensor_json(const afn_weight *t)
{
    json_t *dims = json_array();
    for (int i = 0; i < t->shape.rank; i++) {
        json_array_append_new(dims, json_integer(t->shape.dim[i]));
    }
    return json_pack("{s:o, s:s, s:o}", "name", cli_json_text(t->name), "dtype",
                     afn_dtype_name(t->dtype), "shape", dims);
}

static int put_json(const char *path, const afn_weights *w, const char *arch)
{
    const totals sum = sum_up(w);
    json_t *metadata = json_object();
    json_t *tensors = json_array();

    for (size_t i = 0; i < afn_weights_metadata_count(w); i++) {
        const char *key = afn_weights_metadata_key(w, i);
        json_object_set_new(metadata, key, cli_json_text(afn_weights_metadata(w, key)));
    }
    for (size_t i = 0; i < afn_weights_count(w); i++) {
        json_array_append_new(tensors, tensor_json(afn_weights_get(w, i)));
    }
    return cli_json_print(
        json_pack("{s:o, s:s, s:s?, s:o, s:o, s:I, s:I}", "file", cli_json_text(path),
                  "format", afn_weights_format(w), "architecture", arch, "metadata",
                  metadata, "tensors", tensors, "parameters",
                  (json_int_t)sum.parameters, "buffers", (json_int_t)sum.buffers));
}

/* ---- text ---- */

/* Long metadata is cut; --json has all of it. */
static void put_metadata(const afn_weights *w)
{
    enum { SHOWN = 100 };
    for (size_t i = 0; i < afn_weights_metadata_count(w); i++) {
        const char *key = afn_weights_metadata_key(w, i);
        const char *value = afn_weights_metadata(w, key);
        char text[SHOWN + 4];
        snprintf(text, sizeof text, "%.*s%s", SHOWN, value,
                 strlen(value) > SHOWN ? "..." : "");
        cli_say("metadata    ");
        cli_put(stdout, key);
        printf(" = ");
        cli_put(stdout, text);
        printf("\n");
    }
}

static void put_tensors(const afn_weights *w)
{
    int wide = 0;
    for (size_t i = 0; i < afn_weights_count(w); i++) {
        const int width = cli_width(afn_weights_get(w, i)->name);
        if (width > wide) wide = width;
    }
    for (size_t i = 0; i < afn_weights_count(w); i++) {
        const afn_weight *t = afn_weights_get(w, i);
        char shape[256];
        cli_put_wide(stdout, t->name, wide);
        printf("  %-8s  %s\n", afn_dtype_name(t->dtype),
               afn_shape_text(&t->shape, shape, sizeof shape));
    }
}

static void put_text(const char *path, const afn_weights *w, const char *arch)
{
    const totals sum = sum_up(w);
    char count[CLI_COUNT_BYTES];

    cli_say("file        ");
    cli_put(stdout, path);
    cli_say("\nformat      %s\n", afn_weights_format(w));
    cli_say("network     %s\n", arch ? arch : cli_text("none of 'afina models'"));
    put_metadata(w);
    cli_say("tensors     %zu\n", afn_weights_count(w));
    cli_say("parameters  %s\n", cli_count(sum.parameters, count));
    if (sum.buffers) cli_say("buffers     %s\n", cli_count(sum.buffers, count));
    printf("\n");
    put_tensors(w);
}

static int run(int argc, char **argv)
{
    inspect_args o = { 0 };
    cli_args args;
    afn_weights *w = NULL;

    int code = cli_parse(&cli_cmd_inspect, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    const char *path = args.operand[0];
    const char *arch = NULL;
    code = CLI_OK;
    afn_status st = afn_weights_open(&w, path);
    if (st == AFN_OK) st = afn_arch_fitting(&arch, w);
    if (st != AFN_OK)
        code = cli_fail(st);
    else if (o.json)
        code = put_json(path, w, arch);
    else
        put_text(path, w, arch);
    afn_weights_free(w);
    return code;
}

static const cli_option options[] = {
    { .name = "json",
      .type = CLI_FLAG,
      .at = offsetof(inspect_args, json),
      .help = "print one JSON object" },
    { .name = NULL },
};

const cli_command cli_cmd_inspect = {
    .name = "inspect",
    .summary = "show what a weight file holds",
    .operand = { "FILE" },
    .min_operands = 1,
    .about = "Prints the format, the metadata and every tensor of a weight file, "
             "without running anything that is in it.",
    .option = options,
    .notes =
        "JSON: file, format, metadata {key: text}, tensors [{name, dtype, shape}],\n"
        "parameters and buffers (elements in all).\n",
    .run = run,
};
