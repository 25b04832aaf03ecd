/* SPDX-License-Identifier: Apache-2.0 */
/* afina eval: how good a model is. */
#define _POSIX_C_SOURCE 200809L

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "data_open.h"
#include "eval_out.h"
#include "machine_options.h"
#include "weights_arg.h"

typedef struct eval_args {
    const char *model, *csv;
    int64_t batch;
    cli_data_args data; /* threads are those of all else too */
    double quantile;
    bool json, exact, calibrate;
    int split, backend, precision;
} eval_args;

enum { SPLIT_AUTO, SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST, SPLIT_ALL };
static const char *const splits[] = { "auto", "train", "val", "test", "all", NULL };

static void evaluation_close(cli_evaluation *s)
{
    afn_metrics_free(&s->metrics);
    afn_metrics_free(&s->calibrated);
    afn_scores_free(&s->scores);
    afn_data_parts_free(&s->parts);
    afn_model_free(s->m);
}

/* ---- evaluating ---- */

static void clear_line(void)
{
    if (isatty(STDERR_FILENO)) fprintf(stderr, "\r\033[K");
}

static int on_batch(int64_t done, int64_t of, void *user)
{
    (void)user;
    if (!isatty(STDERR_FILENO)) return 0;
    clear_line();
    fprintf(stderr, cli_text("%lld of %lld images"), (long long)done, (long long)of);
    return 0;
}

/* Score one more part. */
static afn_status add_part(cli_evaluation *s, const afn_dataset *d,
                           const afn_score_opts *opts)
{
    afn_scores more = { 0 };
    if (!d) return AFN_OK;
    s->part[s->n_parts].data = d;
    s->part[s->n_parts++].first = s->scores.count;
    if (s->n_parts == 1) return afn_score(&s->scores, s->m, d, opts);
    afn_status st = afn_score(&more, s->m, d, opts);
    if (st == AFN_OK) st = afn_scores_add(&s->scores, &more);
    afn_scores_free(&more);
    return st;
}

static afn_status score(cli_evaluation *s, const eval_args *o)
{
    const afn_data_parts *p = &s->parts;
    const afn_dataset *const part[] = { [SPLIT_AUTO] = p->val ? p->val : p->train,
                                        [SPLIT_TRAIN] = p->train,
                                        [SPLIT_VAL] = p->val,
                                        [SPLIT_TEST] = p->test };
    afn_score_opts opts = afn_score_defaults();
    opts.predict.batch = o->batch;
    opts.predict.threads = (int)o->data.threads;
    opts.predict.exact = o->exact;
    opts.predict.backend = cli_backends[o->backend];
    opts.predict.precision = cli_precision(o->precision);
    opts.strict = o->data.strict;
    opts.on_batch = on_batch;
    if (o->split != SPLIT_ALL) return add_part(s, part[o->split], &opts);
    afn_status st = add_part(s, p->train, &opts);
    if (st == AFN_OK) st = add_part(s, p->val, &opts);
    if (st == AFN_OK) st = add_part(s, p->test, &opts);
    return st;
}

/* Learn the calibration from what was scored, and keep it in the model's file. */
static afn_status calibrate(cli_evaluation *s, const eval_args *o, const char *path)
{
    afn_calibration c;
    afn_status st = afn_calibrate(&c, &s->scores, o->quantile);
    if (st == AFN_OK) st = afn_model_set_calibration(s->m, &c);
    return st == AFN_OK ? afn_model_save(s->m, path) : st;
}

static int evaluate(cli_evaluation *s, const eval_args *o, const char *path)
{
    const bool empty = (o->split == SPLIT_VAL && !s->parts.val) ||
                       (o->split == SPLIT_TEST && !s->parts.test);
    if (empty) return cli_error("--split %s: no images in it", splits[o->split]);
    afn_status st = score(s, o);
    clear_line();
    if (st == AFN_OK && o->calibrate) st = calibrate(s, o, path);
    if (st == AFN_OK) st = afn_measure(&s->metrics, &s->scores, 1);
    s->calibration = afn_model_calibration(s->m);
    if (st == AFN_OK && s->calibration.images)
        st = afn_measure(&s->calibrated, &s->scores, s->calibration.temperature);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

/* The data first: it opens fast and is the likeliest to be mistyped.  Its images are
 * looked at once the model is open. */
static int evaluation_open(cli_evaluation *s, const eval_args *o, const char *model,
                           const char *data)
{
    const bool whole = o->split == SPLIT_AUTO || o->split == SPLIT_ALL;
    cli_data_args how = o->data;
    *s = (cli_evaluation){ 0 };
    if (whole) how.val = how.test = 0;
    if (cli_data_open(&s->parts, data, &how, false) != CLI_OK) return CLI_FAILED;
    const afn_status st = cli_model_open(&s->m, o->model, model);
    if (st != AFN_OK) return cli_fail(st);
    if (!s->parts.drawn || how.plain_split) return CLI_OK;
    afn_data_parts_free(&s->parts);
    return cli_data_open(&s->parts, data, &how, true);
}

static int run(int argc, char **argv)
{
    eval_args o = { 0 };
    cli_args args;
    cli_evaluation s;

    int code = cli_parse(&cli_cmd_eval, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    if (o.calibrate && o.model)
        return cli_usage(&cli_cmd_eval, "--calibrate changes MODEL, which --model says "
                                        "afina did not write: convert it first");
    const char *csv = o.csv ? o.csv : "";
    if (o.json && !strcmp(csv, "-"))
        return cli_usage(&cli_cmd_eval, "--json and --csv - both write to standard "
                                        "output");
    code = evaluation_open(&s, &o, args.operand[0], args.operand[1]);
    if (code == CLI_OK) code = evaluate(&s, &o, args.operand[0]);
    if (code == CLI_OK && *csv) code = cli_eval_csv(&s, csv);
    if (code == CLI_OK && o.json)
        code = cli_eval_json(&s);
    else if (code == CLI_OK && strcmp(csv, "-"))
        cli_eval_text(&s);
    evaluation_close(&s);
    return code;
}

static const cli_option options[] = {
    { .name = "model",
      .letter = 'm',
      .type = CLI_TEXT,
      .metavar = "NAME",
      .at = offsetof(eval_args, model),
      .help = "architecture of a MODEL that does not say itself, such as torchvision's "
              "files" },
    { .name = "split",
      .type = CLI_CHOICE,
      .at = offsetof(eval_args, split),
      .choice = splits,
      .initial = "auto",
      .help = "images to use: auto is the val part of data that has one, else all; "
              "train, val and test of any other data are drawn as 'afina train' does" },
    { .name = "val",
      .type = CLI_REAL,
      .metavar = "FRACTION",
      .at = offsetof(eval_args, data.val),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.2",
      .help = "of the images that --split val draws, as given to 'afina train'" },
    { .name = "seed",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(eval_args, data.seed),
      .min = 0,
      .max = INT64_MAX,
      .initial = "0",
      .help = "of that draw, as given to 'afina train'" },
    { .name = "test",
      .type = CLI_REAL,
      .metavar = "FRACTION",
      .at = offsetof(eval_args, data.test),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0",
      .help = "of the images that --split test draws, as given to 'afina train'" },
    { .name = "plain-split",
      .type = CLI_FLAG,
      .at = offsetof(eval_args, data.plain_split),
      .help = "where 'afina train' was given it" },
    { .name = "json",
      .type = CLI_FLAG,
      .at = offsetof(eval_args, json),
      .help = "print one JSON object" },
    { .name = "csv",
      .type = CLI_TEXT,
      .metavar = "FILE",
      .at = offsetof(eval_args, csv),
      .help = "write a line for each image: its class, the model's, the probability of "
              "each class; - for standard output, instead of the table" },
    { .name = "strict",
      .type = CLI_FLAG,
      .at = offsetof(eval_args, data.strict),
      .help = "stop at the first image that cannot be read, instead of skipping it "
              "with a warning" },
    { .name = "calibrate",
      .type = CLI_FLAG,
      .at = offsetof(eval_args, calibrate),
      .help = "learn from these images how sure the model may be of its answers, and "
              "keep that in MODEL, which is written anew; they should not be those it "
              "was trained with" },
    { .name = "unknown-quantile",
      .type = CLI_REAL,
      .metavar = "Q",
      .at = offsetof(eval_args, quantile),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.05",
      .help = "with --calibrate: of the images that are right, as many are less sure "
              "than what 'afina predict' calls unknown" },
    { .name = "batch",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(eval_args, batch),
      .min = 1,
      .max = 4096,
      .initial = "32",
      .help = "images computed at once" },
    { CLI_EXACT(eval_args, exact) },
    { CLI_THREADS(eval_args, data.threads) },
    { CLI_PRECISION(eval_args, precision) },
    { CLI_BACKEND(eval_args, backend) },
    { .name = NULL },
};

static const cli_example examples[] = {
    { "afina eval run/model.safetensors photos --split val",
      "how good the model is on the images it was validated with" },
    { "afina eval run/model.safetensors test --csv images.csv",
      "the answer for each image, for a spreadsheet" },
    { "afina eval run/model.safetensors other --calibrate",
      "learn how sure the model may be from other images" },
    { NULL, NULL },
};

const cli_command cli_cmd_eval = {
    .name = "eval",
    .summary = "measure how often a model is right",
    .operand = { "MODEL", "DATA" },
    .min_operands = 2,
    .about =
        "Classifies labelled images and prints the accuracy with its 95 % interval, "
        "other measures of the whole, each class's recall, precision and F1, and the "
        "confusion matrix. MODEL is a file written by 'afina train', or a state dict "
        "of torchvision's together with --model. DATA is as for 'afina train'.",
    .option = options,
    .example = examples,
    .notes =
        "JSON: images, skipped, accuracy, accuracy_interval [low, high], top5 (null "
        "up\n"
        "to 5 classes), balanced_accuracy, macro and weighted {precision, recall, "
        "f1},\n"
        "kappa, mcc, loss, brier, ece, auc, average_precision, seconds,\n"
        "images_per_second, calibration (null where the model has none) {temperature,\n"
        "unknown_below, quantile, images, loss, brier, ece, unknown, known_accuracy},\n"
        "classes [{name, images, predicted, recall, precision, f1, each of the three\n"
        "with its interval, auc, average_precision}] and confusion [[count...]...],\n"
        "rows the true class, columns the predicted one. Shares are from 0 to 1; null\n"
        "stands for what is not defined. docs/metrics.md explains each.\n",
    .run = run,
};
