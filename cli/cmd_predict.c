/* SPDX-License-Identifier: Apache-2.0 */
/* afina predict: classes of pictures.  They come in batches from the library's loader,
 * which decodes on all processors, so that a folder goes as fast as the network. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "machine_options.h"
#include "out_folder.h"
#include "pictures_arg.h"
#include "predict_out.h"
#include "progress.h"
#include "weights_arg.h"

typedef struct predict_args {
    const char *model, *cam, *files_from;
    int64_t top, threads, batch;
    bool logits, json, exact, strict, no_calibration, no_unknown;
    int backend, precision, format;
} predict_args;

/* All that one batch after the other needs. */
typedef struct prediction {
    const predict_args *o;
    cli_pictures pictures;
    afn_dataset *data; /* of them */
    afn_loader *loader;
    afn_model *m;
    afn_predictor *predictor;
    afn_heat *heat; /* NULL = no heat maps are wanted */
    float *map;     /* of one picture */
    afn_preprocess preprocess;
    double temperature, unknown_below; /* the model's, or 1 and 0 */
    int classes;
    int64_t batch; /* pictures computed at once */
    float *logits; /* (batch, classes) */
    double *p;     /* (classes) softmax of the logits */
    int *order;    /* (classes) classes, the first `top` by falling logit */
    cli_answers answers;
    cli_progress progress;
} prediction;

static void prediction_close(prediction *s)
{
    afn_loader_free(s->loader);
    afn_dataset_free(s->data);
    cli_pictures_free(&s->pictures);
    afn_predictor_free(s->predictor);
    afn_heat_free(s->heat);
    free(s->map);
    afn_model_free(s->m);
    free(s->logits);
    free(s->p);
    free(s->order);
}

/* ---- opening ---- */

/* The pictures that the arguments after MODEL and --files-from name. */
static int find_pictures(prediction *s, const cli_args *args)
{
    int code = CLI_OK;
    const char *list = s->o->files_from;
    for (int i = 1; i < args->n; i++)
        if (cli_pictures_add(&s->pictures, args->operand[i]) != CLI_OK)
            code = CLI_FAILED;
    if (list && cli_pictures_add_list(&s->pictures, list) != CLI_OK) code = CLI_FAILED;
    if (code == CLI_OK && !s->pictures.n)
        code = cli_error("%s: names no pictures", list);
    return code;
}

static int open_heat(prediction *s, const afn_predict_opts *opts)
{
    if (!cli_out_folder_check(s->o->cam)) return CLI_FAILED;
    if (mkdir(s->o->cam, 0777) != 0 && errno != EEXIST)
        return cli_error("%s: cannot make the folder: %s", s->o->cam, strerror(errno));
    const afn_status st = afn_heat_new(&s->heat, s->m, opts);
    if (st != AFN_OK) return cli_fail(st);
    s->map = calloc((size_t)(afn_heat_rows(s->heat) * afn_heat_columns(s->heat)),
                    sizeof *s->map);
    return s->map ? CLI_OK : cli_error("out of memory");
}

/* The loader, in the order of the arguments.  A picture alone that cannot be read is an
 * error like any other: there is nothing to go on with. */
static afn_status open_loader(prediction *s)
{
    afn_loader_opts opts = afn_loader_defaults();
    opts.batch = s->batch;
    opts.shuffle = false;
    opts.keep = 0; /* seen once */
    opts.threads = (int)s->o->threads;
    opts.strict = s->o->strict || s->pictures.n == 1;
    afn_status st =
        afn_dataset_of_pictures(&s->data, s->pictures.picture, s->pictures.n);
    if (st == AFN_OK) st = afn_loader_new(&s->loader, s->data, &s->preprocess, &opts);
    if (st == AFN_OK) st = afn_loader_start(s->loader, 0);
    return st;
}

static bool make_room(prediction *s)
{
    const size_t n = (size_t)s->classes;
    s->logits = calloc((size_t)s->batch * n, sizeof *s->logits);
    s->p = calloc(n, sizeof *s->p);
    s->order = calloc(n, sizeof *s->order);
    return s->logits && s->p && s->order;
}

static void open_answers(prediction *s)
{
    enum { WIDEST = 60 };
    const predict_args *o = s->o;
    s->answers = (cli_answers){
        .format = (cli_answer_format)(o->json ? CLI_ANSWER_JSONL : o->format),
        .m = s->m,
        .top = o->top < s->classes ? (int)o->top : s->classes,
        .logits = o->logits,
    };
    for (int64_t i = 0; i < s->pictures.n; i++) {
        const int width = cli_width(s->pictures.picture[i].name);
        if (width > s->answers.file_width && width <= WIDEST)
            s->answers.file_width = width;
    }
}

static int prediction_open(prediction *s, const char *model)
{
    const predict_args *o = s->o;
    afn_predict_opts opts = afn_predict_defaults();
    s->batch = o->batch < s->pictures.n ? o->batch : s->pictures.n;
    opts.batch = s->batch;
    opts.threads = (int)o->threads;
    opts.exact = o->exact;
    opts.backend = cli_backends[o->backend];
    opts.precision = cli_precision(o->precision);

    afn_status st = cli_model_open(&s->m, o->model, model);
    if (st == AFN_OK) st = afn_predictor_new(&s->predictor, s->m, &opts);
    if (st != AFN_OK) return cli_fail(st);
    const afn_calibration c = afn_model_calibration(s->m);
    s->preprocess = afn_model_preprocess(s->m);
    s->classes = afn_model_classes(s->m);
    s->temperature = o->no_calibration ? 1 : c.temperature;
    s->unknown_below = o->no_calibration || o->no_unknown ? 0 : c.unknown_below;
    opts.batch = 1; /* heat maps are drawn one by one */
    if (o->cam && open_heat(s, &opts) != CLI_OK) return CLI_FAILED;
    st = open_loader(s);
    if (st != AFN_OK) return cli_fail(st);
    open_answers(s);
    return make_room(s) ? CLI_OK : cli_error("out of memory");
}

/* ---- one picture ---- */

/* Put the `top` largest first: a selection sort, for top is small. */
static void order_top(const float *logit, int n, int top, int *order)
{
    for (int i = 0; i < n; i++) order[i] = i;
    for (int i = 0; i < top; i++) {
        int best = i;
        for (int j = i + 1; j < n; j++) {
            const float a = logit[order[j]], b = logit[order[best]];
            if (a > b || (a == b && order[j] < order[best])) best = j;
        }
        const int swap = order[i];
        order[i] = order[best];
        order[best] = swap;
    }
}

/* DIR/cat.jpg.heat.jpg for a/b/cat.jpg: what spoke for the likeliest class. */
static int draw_heat(prediction *s, const char *path, const uint8_t *pixels)
{
    char out[4096];
    afn_image drawn = { 0 };
    const char *slash = strrchr(path, '/');
    const int n = snprintf(out, sizeof out, "%s/%s.heat.jpg", s->o->cam,
                           slash ? slash + 1 : path);
    if (n < 0 || (size_t)n >= sizeof out) return cli_error("%s: too long", path);
    afn_status st = afn_heat_run(s->heat, pixels, 1, s->order, s->map);
    if (st == AFN_OK) st = afn_heat_draw(&drawn, s->heat, pixels, s->map);
    if (st == AFN_OK) st = afn_image_write_jpeg(&drawn, out);
    afn_image_free(&drawn);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

/* Answer for row k of a batch. */
static int answer(prediction *s, const afn_batch *b, int64_t k)
{
    const float *logits = s->logits + k * s->classes;
    const uint8_t *pixels =
        b->pixels + (size_t)k * afn_preprocess_bytes(&s->preprocess);
    const char *file = s->pictures.picture[b->index[k]].name;
    afn_softmax_at(logits, s->classes, s->temperature, s->p);
    order_top(logits, s->classes, s->answers.top, s->order);
    if (s->heat && draw_heat(s, file, pixels) != CLI_OK) return CLI_FAILED;
    const cli_answer one = { .file = file,
                             .unknown = s->p[s->order[0]] < s->unknown_below,
                             .order = s->order,
                             .p = s->p,
                             .logits = logits };
    return cli_answers_put(&s->answers, &one);
}

/* ---- all pictures ---- */

static void log_line(afn_log_level level, const char *line, void *user)
{
    if (level == AFN_LOG_WARNING) cli_progress_clear(user);
    cli_log(level, line, NULL);
}

/* A line that moves, where answers go elsewhere than to the same terminal. */
static void put_progress(prediction *s, int64_t done)
{
    char line[128];
    if (isatty(STDOUT_FILENO)) return;
    snprintf(line, sizeof line, cli_text("%lld of %lld images"), (long long)done,
             (long long)s->pictures.n);
    cli_progress_line(&s->progress, line);
}

/* All that can be read; an error where nothing can is said already, picture by picture.
 */
static int predict(prediction *s)
{
    int code = CLI_OK;
    afn_batch b = { 0 };
    afn_status st = AFN_OK;
    for (int64_t done = 0;; done += b.n) {
        st = afn_loader_next(s->loader, &b);
        if (st != AFN_OK || !b.n) break;
        st = afn_predictor_run(s->predictor, b.pixels, b.n, s->logits);
        if (st != AFN_OK) break;
        cli_progress_clear(&s->progress);
        for (int64_t k = 0; k < b.n; k++)
            if (answer(s, &b, k) != CLI_OK) code = CLI_FAILED;
        put_progress(s, done + b.n);
    }
    cli_progress_clear(&s->progress);
    const int64_t bad = afn_loader_bad(s->loader);
    if (bad) code = CLI_FAILED;
    if (st != AFN_OK && bad < s->pictures.n) code = cli_fail(st);
    return code;
}

static int run(int argc, char **argv)
{
    predict_args o = { 0 };
    cli_args args;
    prediction s = { .o = &o };

    int code = cli_parse(&cli_cmd_predict, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    if (args.n < 2 && !o.files_from)
        return cli_usage(&cli_cmd_predict, "%s is missing",
                         cli_text(cli_cmd_predict.operand[1]));
    const int found = find_pictures(&s, &args);
    code = s.pictures.n && (found == CLI_OK || !o.strict)
               ? prediction_open(&s, args.operand[0])
               : CLI_FAILED;
    if (code == CLI_OK) {
        cli_progress_start(&s.progress, CLI_PROGRESS_AUTO);
        afn_log_set(log_line, &s.progress);
        cli_answers_begin(&s.answers);
        code = predict(&s);
        cli_answers_end(&s.answers);
        afn_log_set(cli_log, NULL);
    }
    prediction_close(&s);
    return code == CLI_OK ? found : code;
}

static const cli_option options[] = {
    { .name = "model",
      .letter = 'm',
      .type = CLI_TEXT,
      .metavar = "NAME",
      .at = offsetof(predict_args, model),
      .help = "architecture of a MODEL that does not say itself, such as torchvision's "
              "files" },
    { .name = "files-from",
      .type = CLI_TEXT,
      .metavar = "FILE",
      .at = offsetof(predict_args, files_from),
      .help = "also the pictures and folders that FILE names, one a line; - reads the "
              "names from standard input" },
    { .name = "top",
      .letter = 'k',
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(predict_args, top),
      .min = 1,
      .max = 100000,
      .initial = "5",
      .help = "likeliest classes to print" },
    { .name = "format",
      .letter = 'f',
      .type = CLI_CHOICE,
      .at = offsetof(predict_args, format),
      .choice = cli_answer_formats,
      .initial = "text",
      .help = "text is a line for each picture, table has columns, csv is for a "
              "spreadsheet, json one array, jsonl one object a line" },
    { .name = "json",
      .type = CLI_FLAG,
      .at = offsetof(predict_args, json),
      .help = "the same as --format jsonl" },
    { .name = "logits",
      .type = CLI_FLAG,
      .at = offsetof(predict_args, logits),
      .help = "print the network's output of every class too" },
    { .name = "cam",
      .type = CLI_TEXT,
      .metavar = "DIR",
      .at = offsetof(predict_args, cam),
      .help = "draw where the network looked: NAME.heat.jpg in DIR for each picture; "
              "pictures of one name overwrite each other" },
    { .name = "no-calibration",
      .type = CLI_FLAG,
      .at = offsetof(predict_args, no_calibration),
      .help = "probabilities as the network gives them, and no unknown pictures" },
    { .name = "no-unknown",
      .type = CLI_FLAG,
      .at = offsetof(predict_args, no_unknown),
      .help = "always answer, however unsure" },
    { .name = "strict",
      .type = CLI_FLAG,
      .at = offsetof(predict_args, strict),
      .help = "stop at the first picture that cannot be read, instead of going on with "
              "the others" },
    { .name = "batch",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(predict_args, batch),
      .min = 1,
      .max = 4096,
      .initial = "32",
      .help = "pictures computed at once" },
    { CLI_EXACT(predict_args, exact) },
    { CLI_THREADS(predict_args, threads) },
    { CLI_PRECISION(predict_args, precision) },
    { CLI_BACKEND(predict_args, backend) },
    { .name = NULL },
};

static const cli_example examples[] = {
    { "afina predict run/model.safetensors cat.jpg dog.png", NULL },
    { "afina predict run/model.safetensors photos --format csv >answers.csv",
      "all pictures of a folder and of those in it, for a spreadsheet" },
    { "afina predict run/model.safetensors 'holidays/*.jpg' --top 1", NULL },
    { "curl -s https://example.org/cat.jpg | afina predict run/model.safetensors -",
      "the bytes of one picture" },
    { "find . -newer yesterday | afina predict run/model.safetensors --files-from -",
      "names of pictures" },
    { NULL, NULL },
};

const cli_command cli_cmd_predict = {
    .name = "predict",
    .summary = "name what is on pictures",
    .operand = { "MODEL", "IMAGE" },
    .min_operands = 1,
    .repeat = true,
    .about =
        "Prints the likeliest classes of every picture. MODEL is a file written by "
        "'afina train', or a state dict of torchvision's together with --model. IMAGE "
        "is a file; a folder, for all pictures in it and in its folders, told by "
        "content; a pattern such as 'photos/*.jpg'; or - for the bytes of one picture "
        "from standard input. A picture that cannot be read is reported and the others "
        "are still predicted; the exit code is then 1. Probabilities are calibrated "
        "where MODEL has learned that ('afina train' with validation images, 'afina "
        "eval --calibrate'), and a picture is unknown below the threshold learned "
        "then.",
    .option = options,
    .notes =
        "JSON: {\"file\": PATH, \"unknown\": BOOLEAN,\n"
        "\"top\": [{\"class\": NAME, \"p\": PROBABILITY}...], \"logits\": "
        "[NUMBER...]}; a\n"
        "class without a name is its number as text, logits come with --logits alone,\n"
        "and null stands for what is not a number.\n"
        "CSV: file, unknown (0 or 1), class1, p1, class2, p2, ..., and a column for "
        "each\nclass with --logits.\n",
    .example = examples,
    .run = run,
};
