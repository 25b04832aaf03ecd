/* SPDX-License-Identifier: Apache-2.0 */
/* afina predict: classes of pictures, one line each. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "json_out.h"
#include "machine_options.h"
#include "out_folder.h"
#include "weights_arg.h"

typedef struct predict_args {
    const char *model, *cam;
    int64_t top, threads;
    bool logits, json, exact, no_calibration, no_unknown;
    int backend, precision;
} predict_args;

/* All that one picture after the other needs. */
typedef struct prediction {
    const predict_args *o;
    afn_model *m;
    afn_predictor *predictor;
    afn_heat *heat; /* NULL = no heat maps are wanted */
    float *map;     /* of one picture */
    afn_preprocess preprocess;
    double temperature, unknown_below; /* the model's, or 1 and 0 */
    int classes;
    uint8_t *pixels; /* (crop, crop, channels) */
    float *logits;   /* (classes) */
    double *p;       /* (classes) softmax of the logits */
    int *order;      /* (classes) classes, the first `top` by falling logit */
} prediction;

static void prediction_close(prediction *s)
{
    afn_predictor_free(s->predictor);
    afn_heat_free(s->heat);
    free(s->map);
    afn_model_free(s->m);
    free(s->pixels);
    free(s->logits);
    free(s->p);
    free(s->order);
}

static bool make_room(prediction *s)
{
    const size_t n = (size_t)s->classes;
    s->pixels = calloc(afn_preprocess_bytes(&s->preprocess), 1);
    s->logits = calloc(n, sizeof *s->logits);
    s->p = calloc(n, sizeof *s->p);
    s->order = calloc(n, sizeof *s->order);
    return s->pixels && s->logits && s->p && s->order;
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

static int prediction_open(prediction *s, const predict_args *o, const char *path)
{
    afn_predict_opts opts = afn_predict_defaults();
    opts.threads = (int)o->threads;
    opts.exact = o->exact;
    opts.backend = cli_backends[o->backend];
    opts.precision = cli_precision(o->precision);

    *s = (prediction){ .o = o };
    afn_status st = cli_model_open(&s->m, o->model, path);
    if (st == AFN_OK) st = afn_predictor_new(&s->predictor, s->m, &opts);
    if (st != AFN_OK) return cli_fail(st);
    const afn_calibration c = afn_model_calibration(s->m);
    s->preprocess = afn_model_preprocess(s->m);
    s->classes = afn_model_classes(s->m);
    s->temperature = o->no_calibration ? 1 : c.temperature;
    s->unknown_below = o->no_calibration || o->no_unknown ? 0 : c.unknown_below;
    if (o->cam && open_heat(s, &opts) != CLI_OK) return CLI_FAILED;
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

/* Is it a folder?  Said plainly, for no codec would. */
static bool is_folder(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return false;
    cli_error("%s: is a folder, give the images in it: %s/*", path, path);
    return true;
}

static int run_one(prediction *s, const char *path)
{
    afn_image image = { 0 };

    if (is_folder(path)) return CLI_FAILED;
    const afn_decode_opts decoding = afn_preprocess_decoding(&s->preprocess);
    afn_status st = afn_image_read(&image, path, &decoding);
    if (st == AFN_OK) st = afn_preprocess_apply(&s->preprocess, &image, s->pixels);
    afn_image_free(&image);
    if (st == AFN_OK) st = afn_predictor_run(s->predictor, s->pixels, 1, s->logits);
    if (st != AFN_OK) return cli_fail(st);
    afn_softmax_at(s->logits, s->classes, s->temperature, s->p);
    return CLI_OK;
}

/* Name of a class, or its number as text where the model has no names. */
static const char *class_text(const prediction *s, int i, char number[16])
{
    const char *name = afn_model_class_name(s->m, i);
    if (name) return name;
    snprintf(number, 16, "%d", i);
    return number;
}

static bool is_unknown(const prediction *s)
{
    return s->p[s->order[0]] < s->unknown_below;
}

/* DIR/cat.jpg.heat.jpg for a/b/cat.jpg: what spoke for the likeliest class. */
static int draw_heat(prediction *s, const char *path)
{
    char out[4096];
    afn_image drawn = { 0 };
    const char *slash = strrchr(path, '/');
    const int n = snprintf(out, sizeof out, "%s/%s.heat.jpg", s->o->cam,
                           slash ? slash + 1 : path);
    if (n < 0 || (size_t)n >= sizeof out) return cli_error("%s: too long", path);
    afn_status st = afn_heat_run(s->heat, s->pixels, 1, s->order, s->map);
    if (st == AFN_OK) st = afn_heat_draw(&drawn, s->heat, s->pixels, s->map);
    if (st == AFN_OK) st = afn_image_write_jpeg(&drawn, out);
    afn_image_free(&drawn);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

static int put_json(const prediction *s, const char *path, int top)
{
    char number[16];
    json_t *object = json_object();
    json_t *list = json_array();

    for (int k = 0; k < top; k++) {
        const int i = s->order[k];
        json_t *name = cli_json_text(class_text(s, i, number));
        json_array_append_new(list, json_pack("{s:o, s:o}", "class", name, "p",
                                              cli_json_number(s->p[i])));
    }
    json_object_set_new(object, "file", cli_json_text(path));
    json_object_set_new(object, "unknown", json_boolean(is_unknown(s)));
    json_object_set_new(object, "top", list);
    if (s->o->logits) {
        json_t *logits = json_array();
        for (int i = 0; i < s->classes; i++) {
            json_array_append_new(logits, cli_json_number((double)s->logits[i]));
        }
        json_object_set_new(object, "logits", logits);
    }
    return cli_json_print(object);
}

static void put_text(const prediction *s, const char *path, int top)
{
    char number[16];

    cli_put(stdout, path);
    printf(is_unknown(s) ? ": unknown (" : ": ");
    for (int k = 0; k < top; k++) {
        const int i = s->order[k];
        printf("%s", k ? ", " : "");
        cli_put(stdout, class_text(s, i, number));
        printf(" %.1f %%", 100 * s->p[i]);
    }
    printf(is_unknown(s) ? ")\n" : "\n");
    if (!s->o->logits) return;
    printf("  logits");
    for (int i = 0; i < s->classes; i++) printf(" %.9g", (double)s->logits[i]);
    printf("\n");
}

static int predict_one(prediction *s, const char *path)
{
    const int top = s->o->top < s->classes ? (int)s->o->top : s->classes;
    if (run_one(s, path) != CLI_OK) return CLI_FAILED;
    order_top(s->logits, s->classes, top, s->order);
    if (s->heat && draw_heat(s, path) != CLI_OK) return CLI_FAILED;
    if (s->o->json) return put_json(s, path, top);
    put_text(s, path, top);
    return CLI_OK;
}

static int run(int argc, char **argv)
{
    predict_args o = { 0 };
    cli_args args;
    prediction s;

    int code = cli_parse(&cli_cmd_predict, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    code = prediction_open(&s, &o, args.operand[0]);
    if (code == CLI_OK) {
        for (int i = 1; i < args.n; i++) {
            if (predict_one(&s, args.operand[i]) != CLI_OK) code = CLI_FAILED;
        }
    }
    prediction_close(&s);
    return code;
}

static const cli_option options[] = {
    { .name = "model",
      .letter = 'm',
      .type = CLI_TEXT,
      .metavar = "NAME",
      .at = offsetof(predict_args, model),
      .help = "architecture of a MODEL that does not say itself, such as torchvision's "
              "files" },
    { .name = "top",
      .letter = 'k',
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(predict_args, top),
      .min = 1,
      .max = 100000,
      .initial = "5",
      .help = "likeliest classes to print" },
    { .name = "logits",
      .type = CLI_FLAG,
      .at = offsetof(predict_args, logits),
      .help = "print the network's output of every class too" },
    { .name = "json",
      .type = CLI_FLAG,
      .at = offsetof(predict_args, json),
      .help = "print one JSON object a line" },
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
    { CLI_EXACT(predict_args, exact) },
    { CLI_THREADS(predict_args, threads) },
    { CLI_PRECISION(predict_args, precision) },
    { CLI_BACKEND(predict_args, backend) },
    { .name = NULL },
};

const cli_command cli_cmd_predict = {
    .name = "predict",
    .summary = "name what is on pictures",
    .operand = { "MODEL", "IMAGE" },
    .min_operands = 2,
    .repeat = true,
    .about =
        "Prints the likeliest classes of every picture. MODEL is a file written by "
        "'afina train', or a state dict of torchvision's together with --model. A "
        "picture that cannot be read is reported and the others are still "
        "predicted; the exit code is then 1. Probabilities are calibrated where MODEL "
        "has learned that ('afina train' with validation images, 'afina eval "
        "--calibrate'), and a picture is unknown below the threshold learned then.",
    .option = options,
    .notes =
        "JSON: {\"file\": PATH, \"unknown\": BOOLEAN,\n"
        "\"top\": [{\"class\": NAME, \"p\": PROBABILITY}...], \"logits\": "
        "[NUMBER...]}; a\n"
        "class without a name is its number as text, logits come with --logits alone,\n"
        "and null stands for what is not a number.\n",
    .run = run,
};
