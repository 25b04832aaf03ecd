/* SPDX-License-Identifier: Apache-2.0 */
/* afina models: the architectures that can be built. */
#include <fnmatch.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json_out.h"

typedef struct models_args {
    int sort;
    bool json;
} models_args;

/* An architecture and its usual weights. */
typedef struct row {
    afn_arch_info arch;
    const afn_pretrained *weights;
    int place; /* in the library's order */
} row;

static bool matches(const char *pattern, const char *name)
{
    if (!pattern) return true;
    if (strpbrk(pattern, "*?[")) return fnmatch(pattern, name, 0) == 0;
    return strstr(name, pattern) != NULL;
}

/* ---- order ---- */

static int by_number(double a, double b)
{
    return (a > b) - (a < b);
}

static int by_family(const row *a, const row *b)
{
    return by_number(a->place, b->place);
}

static int by_name(const row *a, const row *b)
{
    return strcmp(a->arch.name, b->arch.name);
}

static int by_parameters(const row *a, const row *b)
{
    return by_number((double)a->arch.parameters, (double)b->arch.parameters);
}

static int by_gmacs(const row *a, const row *b)
{
    return by_number(a->arch.macs, b->arch.macs);
}

static int by_memory(const row *a, const row *b)
{
    return by_number(a->arch.train_bytes, b->arch.train_bytes);
}

/* The best first. */
static int by_accuracy(const row *a, const row *b)
{
    return by_number(b->weights->top1, a->weights->top1);
}

static const char *const columns[] = { "family", "name",  "parameters", "gmacs",
                                       "memory", "top-1", NULL };
static int (*const order[])(const row *, const row *) = {
    by_family, by_name, by_parameters, by_gmacs, by_memory, by_accuracy,
};
_Static_assert(sizeof order / sizeof order[0] + 1 == sizeof columns / sizeof columns[0],
               "an order for every column");

static int (*chosen)(const row *, const row *);

static int compare(const void *a, const void *b)
{
    const int first = chosen(a, b);
    return first ? first : by_family(a, b);
}

/* ---- output ---- */

static void put_table(const row *r, int n)
{
    cli_say("name               params/M   GMACs train/GB  top-1 input  weights\n");
    for (int i = 0; i < n; i++, r++)
        printf("%-18s %8.2f %7.2f %8.1f %6.2f %5d  %s\n", r->arch.name,
               1e-6 * (double)r->arch.parameters, 1e-9 * r->arch.macs,
               1e-9 * r->arch.train_bytes, r->weights->top1, r->arch.crop,
               r->weights->file);
}

static json_t *weights_json(const char *arch)
{
    json_t *list = json_array();
    for (int i = 0; i < afn_pretrained_count(); i++) {
        const afn_pretrained *w = afn_pretrained_get(i);
        if (strcmp(w->arch, arch)) continue;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:i, s:i, s:o, s:o}", "name", w->name, "file",
                            w->file, "resize", w->preprocess.resize, "crop",
                            w->preprocess.crop, "top1", cli_json_number(w->top1),
                            "top5", cli_json_number(w->top5)));
    }
    return list;
}

static int put_json(const row *r, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++, r++)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:I, s:o, s:I, s:i, s:i, s:s, s:o}",
                            "name", r->arch.name, "family", r->arch.family, "head",
                            r->arch.head, "parameters", (json_int_t)r->arch.parameters,
                            "macs", cli_json_number(r->arch.macs), "train_bytes",
                            (json_int_t)r->arch.train_bytes, "image_size", r->arch.crop,
                            "min_size", r->arch.min_size, "default", r->weights->name,
                            "weights", weights_json(r->arch.name)));
    return cli_json_print(list);
}

/* How many rows there are, or -1 after a message. */
static int collect(row *r, const char *pattern)
{
    int n = 0;
    for (int i = 0; i < afn_arch_count(); i++) {
        row one = { .place = i };
        afn_status st = afn_arch_get(&one.arch, i);
        if (st == AFN_OK) st = afn_pretrained_find(&one.weights, one.arch.name, NULL);
        if (st != AFN_OK) {
            cli_fail(st);
            return -1;
        }
        if (matches(pattern, one.arch.name)) r[n++] = one;
    }
    if (n) return n;
    cli_error("no model matches '%s'", pattern ? pattern : "*");
    return -1;
}

static int run(int argc, char **argv)
{
    models_args o = { 0 };
    cli_args args;

    int code = cli_parse(&cli_cmd_models, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    row *r = calloc((size_t)afn_arch_count(), sizeof *r);
    if (!r) return cli_error("out of memory");
    const int n = collect(r, args.n ? args.operand[0] : NULL);
    if (n > 0) {
        chosen = order[o.sort];
        qsort(r, (size_t)n, sizeof *r, compare);
    }
    code = n < 0 ? CLI_FAILED : CLI_OK;
    if (n > 0 && o.json)
        code = put_json(r, n);
    else if (n > 0)
        put_table(r, n);
    free(r);
    return code;
}

static const cli_option options[] = {
    { .name = "sort",
      .type = CLI_CHOICE,
      .at = offsetof(models_args, sort),
      .choice = columns,
      .initial = "family",
      .help = "the smallest first, of top-1 the best" },
    { .name = "json",
      .type = CLI_FLAG,
      .at = offsetof(models_args, json),
      .help = "print a JSON array, with all weights of each model" },
    { .name = NULL },
};

const cli_command cli_cmd_models = {
    .name = "models",
    .summary = "list the architectures",
    .operand = { "PATTERN" },
    .about =
        "Lists the architectures that afina can build, by torchvision's names: "
        "parameters with 1000 classes, multiply-accumulates for one image of the usual "
        "size, memory to train all of it at batch 32, and the file and published "
        "accuracy of the weights that --weights default stands for. PATTERN is a part "
        "of the name, or a shell pattern such as 'resnet*'. 'afina describe' shows one "
        "of them in full.",
    .option = options,
    .notes = "JSON: [{name, family, head, parameters, macs, train_bytes, image_size,\n"
             "min_size, default, weights [{name, file, resize, crop, top1, top5}]}].\n",
    .run = run,
};
