/* SPDX-License-Identifier: Apache-2.0 */
/* afina report: make the page of a run again.  How the run was given its images is in
 * its config.json. */
#define _XOPEN_SOURCE 700 /* realpath, chdir */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "data_open.h"
#include "json_out.h"
#include "machine_options.h"
#include "train_config.h"

typedef struct report_args {
    const char *data, *title, *augment;
    cli_data_args how;
    int64_t pictures;
    bool no_heat, no_data;
} report_args;

static bool is_given(const cli_args *args, const char *name)
{
    return cli_given(&cli_cmd_report, args, name);
}

/* What the run was told of its images, but for what is typed now. */
static void take_config(report_args *o, const cli_args *args, const json_t *run)
{
    const char *const data = json_string_value(json_object_get(run, "data"));
    const char *const augment = json_string_value(json_object_get(run, "augment"));
    const char *const order = json_string_value(json_object_get(run, "class-order"));
    const json_t *const val = json_object_get(run, "val");
    const json_t *const test = json_object_get(run, "test");
    const json_t *const seed = json_object_get(run, "seed");
    o->data = data;
    if (augment && !is_given(args, "augment")) o->augment = augment;
    if (val && !is_given(args, "val")) o->how.val = json_number_value(val);
    if (test && !is_given(args, "test")) o->how.test = json_number_value(test);
    if (seed && !is_given(args, "seed")) o->how.seed = json_integer_value(seed);
    if (json_is_true(json_object_get(run, "plain-split"))) o->how.plain_split = true;
    for (int i = 0; order && cli_class_orders[i]; i++)
        if (!strcmp(order, cli_class_orders[i])) o->how.order = i;
}

/* Go to the folder in which the run's names mean what they say; one that is gone
 * shows when the data are not found. */
static void enter(const json_t *run)
{
    const char *folder = json_string_value(json_object_get(run, "folder"));
    if (folder && chdir(folder) != 0) return;
}

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

/* Write the page into the run folder, `path` from here. */
static int write_page(const report_args *o, const char *path)
{
    afn_model *m = NULL;
    afn_data_parts parts = { 0 };
    afn_report_opts opts = afn_report_defaults();
    int code = o->data ? open_all(&m, &parts, o, path) : CLI_OK;
    if (code == CLI_OK) {
        opts.title = o->title;
        opts.train = parts.train;
        opts.augment = o->augment;
        opts.seed = (uint64_t)o->how.seed;
        opts.pictures = (int)o->pictures;
        opts.heat_maps = !o->no_heat;
        opts.predict.threads = (int)o->how.threads;
        const afn_status st = afn_report_write(path, m, parts.val, &opts);
        if (st != AFN_OK) code = cli_fail(st);
    }
    afn_data_parts_free(&parts);
    afn_model_free(m);
    return code;
}

static int run(int argc, char **argv)
{
    report_args o = { 0 };
    cli_args args;
    int code = cli_parse(&cli_cmd_report, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;

    const char *folder = args.operand[0];
    json_t *config = o.data || o.no_data ? NULL : cli_train_config_read(folder);
    char *path = realpath(folder, NULL);
    if (config) {
        take_config(&o, &args, config);
        enter(config);
    }
    code = write_page(&o, config && path ? path : folder);
    if (code == CLI_OK) {
        cli_say("written  ");
        cli_put(stdout, folder);
        printf("/report.html\n");
    }
    free(path);
    json_decref(config);
    return code;
}

static const cli_option options[] = {
    { .name = "data",
      .type = CLI_TEXT,
      .metavar = "DATA",
      .at = offsetof(report_args, data),
      .help = "the images, where they are no longer those that config.json names; the "
              "options below are then as given to 'afina train'" },
    { .name = "no-data",
      .type = CLI_FLAG,
      .at = offsetof(report_args, no_data),
      .help = "curves and settings only" },
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
    { "afina report run", "the whole page, from the photos that the run had" },
    { "afina report run --data moved/photos", "the photos are somewhere else now" },
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
