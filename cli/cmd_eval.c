/* SPDX-License-Identifier: Apache-2.0 */
/* afina eval: how often a model is right. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "data_open.h"
#include "json_out.h"

typedef struct eval_args {
    const char *model;
    int64_t batch;
    cli_data_args data; /* threads are those of all else too */
    bool json, exact;
    int split, backend, precision;
} eval_args;

enum { SPLIT_AUTO, SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST, SPLIT_ALL };
static const char *const splits[] = { "auto", "train", "val", "test", "all", NULL };
static const char *const backends[] = { "cpu", "ref", NULL };

/* A model, the parts of the data, and what came out. */
typedef struct evaluation {
    afn_model *m;
    afn_data_parts parts;
    afn_eval result;
} evaluation;

static void evaluation_close(evaluation *s)
{
    afn_eval_free(&s->result);
    afn_data_parts_free(&s->parts);
    afn_model_free(s->m);
}

/* ---- evaluating ---- */

/* Add the counts of a second part; its confusion matrix has the same classes. */
static void add_part(afn_eval *sum, const afn_eval *part)
{
    const double both = (double)(sum->count + part->count);
    if (both > 0)
        sum->loss =
            (sum->loss * (double)sum->count + part->loss * (double)part->count) / both;
    sum->count += part->count;
    sum->correct += part->correct;
    sum->correct5 += part->correct5;
    sum->skipped += part->skipped;
    sum->seconds += part->seconds;
    for (int i = 0; i < sum->classes * sum->classes; i++) {
        sum->confusion[i] += part->confusion[i];
    }
}

static afn_status run_all(evaluation *s, const afn_predict_opts *opts)
{
    const afn_dataset *const more[] = { s->parts.val, s->parts.test };
    afn_status st = afn_evaluate(&s->result, s->m, s->parts.train, opts);
    for (int i = 0; st == AFN_OK && i < 2; i++) {
        afn_eval part = { 0 };
        if (!more[i]) continue;
        st = afn_evaluate(&part, s->m, more[i], opts);
        if (st == AFN_OK) add_part(&s->result, &part);
        afn_eval_free(&part);
    }
    return st;
}

/* The part that a choice of --split names; of SPLIT_ALL, NULL. */
static const afn_dataset *part_of(const evaluation *s, int split)
{
    const afn_data_parts *p = &s->parts;
    const afn_dataset *const part[] = { [SPLIT_AUTO] = p->val ? p->val : p->train,
                                        [SPLIT_TRAIN] = p->train,
                                        [SPLIT_VAL] = p->val,
                                        [SPLIT_TEST] = p->test,
                                        [SPLIT_ALL] = NULL };
    return part[split];
}

static int evaluate(evaluation *s, const eval_args *o)
{
    const afn_dataset *part = part_of(s, o->split);
    afn_predict_opts opts = afn_predict_defaults();
    opts.batch = o->batch;
    opts.threads = (int)o->data.threads;
    opts.exact = o->exact;
    opts.backend = backends[o->backend];
    opts.precision = cli_precision(o->precision);

    if (!part && o->split != SPLIT_ALL)
        return cli_error("--split %s: no images in it", splits[o->split]);
    const afn_status st =
        part ? afn_evaluate(&s->result, s->m, part, &opts) : run_all(s, &opts);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

/* The data first: it opens fast and is the likeliest to be mistyped.  Its images are
 * looked at once the model is open. */
static int evaluation_open(evaluation *s, const eval_args *o, const char *model,
                           const char *data)
{
    const bool whole = o->split == SPLIT_AUTO || o->split == SPLIT_ALL;
    cli_data_args how = o->data;
    *s = (evaluation){ 0 };
    if (whole) how.val = how.test = 0;
    if (cli_data_open(&s->parts, data, &how, false) != CLI_OK) return CLI_FAILED;
    const afn_status st = afn_model_open(&s->m, o->model, model);
    if (st != AFN_OK) return cli_fail(st);
    if (!s->parts.drawn || how.plain_split) return CLI_OK;
    afn_data_parts_free(&s->parts);
    return cli_data_open(&s->parts, data, &how, true);
}

/* ---- the classes of the result ---- */

typedef struct class_result {
    int64_t images, predicted, right;
    double recall, precision; /* NaN where there was none to be right about */
} class_result;

static class_result class_of(const afn_eval *e, int i)
{
    class_result r = { .right = e->confusion[i * e->classes + i] };
    for (int j = 0; j < e->classes; j++) {
        r.images += e->confusion[i * e->classes + j];
        r.predicted += e->confusion[j * e->classes + i];
    }
    r.recall = r.images ? (double)r.right / (double)r.images : (double)NAN;
    r.precision = r.predicted ? (double)r.right / (double)r.predicted : (double)NAN;
    return r;
}

/* The model's name of a class, else the data's, else its number. */
static const char *class_text(const evaluation *s, int i, char number[16])
{
    const char *name = afn_model_class_name(s->m, i);
    if (name) return name;
    if (i < afn_dataset_classes(s->parts.train))
        return afn_dataset_class_name(s->parts.train, i);
    snprintf(number, 16, "%d", i);
    return number;
}

static double share(int64_t part, int64_t of)
{
    return of ? (double)part / (double)of : (double)NAN;
}

/* ---- JSON ---- */

static json_t *classes_json(const evaluation *s)
{
    json_t *list = json_array();
    for (int i = 0; i < s->result.classes; i++) {
        char number[16];
        const class_result r = class_of(&s->result, i);
        json_array_append_new(list, json_pack("{s:o, s:I, s:o, s:o}", "name",
                                              cli_json_text(class_text(s, i, number)),
                                              "images", (json_int_t)r.images, "recall",
                                              cli_json_number(r.recall), "precision",
                                              cli_json_number(r.precision)));
    }
    return list;
}

static json_t *confusion_json(const afn_eval *e)
{
    json_t *rows = json_array();
    for (int i = 0; i < e->classes; i++) {
        json_t *row = json_array();
        for (int j = 0; j < e->classes; j++) {
            json_array_append_new(row, json_integer(e->confusion[i * e->classes + j]));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

static int put_json(const evaluation *s)
{
    const afn_eval *e = &s->result;
    const double top5 = e->classes > 5 ? share(e->correct5, e->count) : (double)NAN;

    return cli_json_print(json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "images", (json_int_t)e->count,
        "accuracy", cli_json_number(share(e->correct, e->count)), "top5",
        cli_json_number(top5), "loss", cli_json_number(e->loss), "seconds",
        cli_json_number(e->seconds), "classes", classes_json(s), "confusion",
        confusion_json(e), "skipped", (json_int_t)e->skipped));
}

/* ---- text ---- */

static void put_summary(const afn_eval *e)
{
    char count[CLI_COUNT_BYTES];
    printf("images    %s\n", cli_count(e->count, count));
    if (e->skipped)
        printf("skipped   %s that could not be read\n", cli_count(e->skipped, count));
    printf("accuracy  %.2f %%\n", 100 * share(e->correct, e->count));
    if (e->classes > 5)
        printf("top-5     %.2f %%\n", 100 * share(e->correct5, e->count));
    printf("loss      %.4f\n", e->loss);
}

static void put_percent(double v, int width)
{
    if (isnan(v))
        printf("%*s", width, "-");
    else
        printf("%*.1f %%", width - 2, 100 * v);
}

static void put_classes(const evaluation *s)
{
    char number[16];
    int wide = cli_width("class");

    for (int i = 0; i < s->result.classes; i++) {
        const int width = cli_width(class_text(s, i, number));
        if (width > wide) wide = width;
    }
    printf("\n%4s %-*s %8s %9s %10s\n", "", wide, "class", "images", "recall",
           "precision");
    for (int i = 0; i < s->result.classes; i++) {
        const class_result r = class_of(&s->result, i);
        printf("%4d ", i);
        cli_put_wide(stdout, class_text(s, i, number), wide);
        printf(" %8lld ", (long long)r.images);
        put_percent(r.recall, 9);
        printf(" ");
        put_percent(r.precision, 10);
        printf("\n");
    }
}

static int digits(int64_t n)
{
    char text[32];
    return snprintf(text, sizeof text, "%lld", (long long)n);
}

/* Numbers as wide as the widest one; more classes than fit a page are left to --json.
 */
static void put_confusion(const afn_eval *e)
{
    enum { MOST = 25 };
    int wide = digits(e->classes - 1);

    if (e->classes > MOST) {
        printf("\nconfusion matrix: %d classes, see --json\n", e->classes);
        return;
    }
    for (int i = 0; i < e->classes * e->classes; i++) {
        const int width = digits(e->confusion[i]);
        if (width > wide) wide = width;
    }
    printf(
        "\nconfusion matrix: rows are the true class, columns the predicted one\n    ");
    for (int j = 0; j < e->classes; j++) printf(" %*d", wide, j);
    printf("\n");
    for (int i = 0; i < e->classes; i++) {
        printf("%4d", i);
        for (int j = 0; j < e->classes; j++) {
            printf(" %*lld", wide, (long long)e->confusion[i * e->classes + j]);
        }
        printf("\n");
    }
}

static int run(int argc, char **argv)
{
    eval_args o = { 0 };
    cli_args args;
    evaluation s;

    int code = cli_parse(&cli_cmd_eval, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    code = evaluation_open(&s, &o, args.operand[0], args.operand[1]);
    if (code == CLI_OK) code = evaluate(&s, &o);
    if (code == CLI_OK && o.json) {
        code = put_json(&s);
    } else if (code == CLI_OK) {
        put_summary(&s.result);
        put_classes(&s);
        put_confusion(&s.result);
    }
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
    { .name = "batch",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(eval_args, batch),
      .min = 1,
      .max = 4096,
      .initial = "32",
      .help = "images computed at once" },
    { .name = "exact",
      .type = CLI_FLAG,
      .at = offsetof(eval_args, exact),
      .help = "no Winograd convolutions: slower, rounds as PyTorch does" },
    { .name = "threads",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(eval_args, data.threads),
      .min = 0,
      .max = 1024,
      .initial = "0",
      .help = "processors to use, 0 for all" },
    { .name = "precision",
      .type = CLI_CHOICE,
      .at = offsetof(eval_args, precision),
      .choice = cli_precisions,
      .initial = "fp32",
      .help = cli_precision_help },
    { .name = "backend",
      .type = CLI_CHOICE,
      .at = offsetof(eval_args, backend),
      .choice = backends,
      .initial = "cpu",
      .hidden = true,
      .help = "what computes" },
    { .name = NULL },
};

const cli_command cli_cmd_eval = {
    .name = "eval",
    .summary = "measure how often a model is right",
    .operand = { "MODEL", "DATA" },
    .min_operands = 2,
    .about = "Classifies labelled images and prints the accuracy, the mean "
             "cross-entropy, each class's recall and precision, and the confusion "
             "matrix. MODEL is a file written by 'afina train', or a state dict of "
             "torchvision's together with --model. DATA is as for 'afina train'.",
    .option = options,
    .notes =
        "JSON: images, accuracy, top5 (null up to 5 classes), loss, seconds, skipped,\n"
        "classes [{name, images, recall, precision}] and confusion [[count...]...],\n"
        "rows the true class, columns the predicted one. Shares are from 0 to 1; "
        "null\n"
        "stands for the recall of a class without images, the precision of one "
        "never\n"
        "predicted, and for what is not a number. skipped counts images that could "
        "not\n"
        "be read.\n",
    .run = run,
};
