/* SPDX-License-Identifier: Apache-2.0 */
/* afina report: make the page of a run again. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "data_open.h"
#include "machine_options.h"

typedef struct report_args {
    const char *data, *title, *augment;
    cli_data_args how;
    int64_t pictures;
    bool no_heat;
} report_args;

/* RUN/model.safetensors, NULL after a message where memory ran out; free() it. */
static char *model_path(const char *run)
{
    static const char name[] = "/model.safetensors";
    char *path = malloc(strlen(run) + sizeof name);
    if (!path) {
        cli_error("out of memory");
        return NULL;
    }
    strcpy(path, run);
    strcat(path, name);
    return path;
}

static int open_all(afn_model **m, afn_data_parts *parts, const report_args *o,
                    const char *run)
{
    char *path = model_path(run);
    if (!path) return CLI_FAILED;
    const afn_status st = afn_model_open(m, NULL, path);
    free(path);
    if (st != AFN_OK) return cli_fail(st);
    return cli_data_open(parts, o->data, &o->how, true);
}

static int run(int argc, char **argv)
{
    report_args o = { 0 };
    cli_args args;
    afn_model *m = NULL;
    afn_data_parts parts = { 0 };
    afn_report_opts opts = afn_report_defaults();

    int code = cli_parse(&cli_cmd_report, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    code = o.data ? open_all(&m, &parts, &o, args.operand[0]) : CLI_OK;
    if (code == CLI_OK) {
        opts.title = o.title;
        opts.train = parts.train;
        opts.augment = o.augment;
        opts.seed = (uint64_t)o.how.seed;
        opts.pictures = (int)o.pictures;
        opts.heat_maps = !o.no_heat;
        opts.predict.threads = (int)o.how.threads;
        const afn_status st = afn_report_write(args.operand[0], m, parts.val, &opts);
        if (st != AFN_OK) code = cli_fail(st);
    }
    if (code == CLI_OK) {
        printf("written  ");
        cli_put(stdout, args.operand[0]);
        printf("/report.html\n");
    }
    afn_data_parts_free(&parts);
    afn_model_free(m);
    return code;
}

static const cli_option options[] = {
    { .name = "data",
      .type = CLI_TEXT,
      .metavar = "DATA",
      .at = offsetof(report_args, data),
      .help = "the images that the run was given, as for 'afina train'; without it the "
              "page has curves and settings only" },
    { .name = "val",
      .type = CLI_REAL,
      .metavar = "FRACTION",
      .at = offsetof(report_args, how.val),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.2",
      .help = "as given to 'afina train'" },
    { .name = "test",
      .type = CLI_REAL,
      .metavar = "FRACTION",
      .at = offsetof(report_args, how.test),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0",
      .help = "as given to 'afina train'" },
    { .name = "seed",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(report_args, how.seed),
      .min = 0,
      .max = INT64_MAX,
      .initial = "0",
      .help = "as given to 'afina train'" },
    { .name = "plain-split",
      .type = CLI_FLAG,
      .at = offsetof(report_args, how.plain_split),
      .help = "where 'afina train' was given it" },
    { .name = "augment",
      .type = CLI_TEXT,
      .metavar = "SPEC",
      .at = offsetof(report_args, augment),
      .initial = "none",
      .help = "as given to 'afina train', for its pictures of training images" },
    { .name = "title",
      .type = CLI_TEXT,
      .metavar = "TEXT",
      .at = offsetof(report_args, title),
      .help = "of the page (default: the name of the folder)" },
    { .name = "pictures",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(report_args, pictures),
      .min = 0,
      .max = 200,
      .initial = "12",
      .help = "most in each gallery, 0 for none" },
    { .name = "no-heat-maps",
      .type = CLI_FLAG,
      .at = offsetof(report_args, no_heat),
      .help = "do not show where the network looked" },
    { CLI_THREADS(report_args, how.threads) },
    { .name = NULL },
};

static const cli_example examples[] = {
    { "afina report run --data photos", "the whole page, from the same photos" },
    { "afina report run", "curves and settings alone" },
    { NULL, NULL },
};

const cli_command cli_cmd_report = {
    .name = "report",
    .summary = "make the page of a run again",
    .operand = { "RUN" },
    .min_operands = 1,
    .about = "Writes RUN/report.html: curves, what is taken for what, each class with "
             "intervals, how sure the model is, and pictures with what it looked at. "
             "The page is one file that needs no network.",
    .option = options,
    .example = examples,
    .run = run,
};
