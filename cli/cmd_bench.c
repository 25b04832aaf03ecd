/* SPDX-License-Identifier: Apache-2.0 */
/* afina bench: how fast a model trains or predicts here, and where the time goes. */
#include <stddef.h>
#include <stdio.h>

#include "cli.h"
#include "json_out.h"
#include "machine_options.h"
#include "profile_out.h"
#include "weights_arg.h"

typedef struct bench_args {
    const char *model, *weights;
    int64_t batch, steps, threads;
    int64_t image_size, classes, channels; /* 0 = the model's */
    bool profile, convolutions, json;
    int mode, precision, backend;
} bench_args;

static const char *const modes[] = { "tune", "head", "infer", NULL };
_Static_assert(AFN_BENCH_TUNE == 0 && AFN_BENCH_HEAD == 1 && AFN_BENCH_INFER == 2,
               "modes[] in the order of afn_bench_mode");

/* ---- the model ---- */

enum { IMAGENET_CLASSES = 1000 };

static afn_status open_model(afn_model **m, const bench_args *o)
{
    const int classes = o->classes ? (int)o->classes : IMAGENET_CLASSES;
    afn_status st = o->weights ? cli_model_open(m, o->model, o->weights)
                               : afn_model_new(m, o->model, classes, 0);
    if (st == AFN_OK && o->weights && o->classes)
        st = afn_model_replace_head(*m, classes, 0);
    if (st == AFN_OK && o->channels) st = afn_model_set_channels(*m, (int)o->channels);
    if (st != AFN_OK || !o->image_size) return st;
    afn_preprocess p = afn_model_preprocess(*m);
    p.resize = p.crop = (int)o->image_size;
    return afn_model_set_preprocess(*m, &p);
}

/* ---- what came out ---- */

/* The part of their convolutions' own rate that the steps reach. */
static double arithmetic_use(const afn_bench *r)
{
    return r->convolutions_seconds / r->step_seconds;
}

static json_t *shares_json(const afn_bench *r)
{
    json_t *share = json_object();
    afn_profile kinds = { 0 };
    char kind[CLI_KIND_BYTES];
    if (afn_profile_by_kind(&kinds, &r->profile) != AFN_OK) {
        json_decref(share);
        return NULL;
    }
    for (int i = 0; i < kinds.n; i++)
        json_object_set_new(share, cli_profile_kind(&kinds.row[i], kind),
                            cli_json_number(kinds.row[i].seconds / r->timed_seconds));
    json_object_set_new(
        share, "other",
        cli_json_number(1 - afn_profile_seconds(&r->profile) / r->timed_seconds));
    afn_profile_free(&kinds);
    return share;
}

static json_t *steps_json(const afn_profile *p)
{
    json_t *list = json_array();
    for (int i = 0; i < p->n; i++) {
        const afn_profile_row *r = &p->row[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:o, s:I, s:o}", "name", r->name, "kind",
                            r->kind, "pass", afn_pass_name(r->pass), "seconds",
                            cli_json_number(r->seconds), "calls", (json_int_t)r->calls,
                            "flops", cli_json_number(r->flops)));
    }
    return list;
}

static int put_json(const bench_args *o, const afn_model *m, const afn_bench *r)
{
    json_t *object = json_pack(
        "{s:s, s:I, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:{s:s, s:s, s:s}}",
        "model", afn_model_arch(m), "batch", (json_int_t)o->batch, "mode",
        modes[o->mode], "precision", cli_precisions[r->precision], "threads",
        r->threads, "images_per_second", cli_json_number(r->images_per_second),
        "peak_rss_mb", cli_json_number(r->peak_rss_mb), "first_step_seconds",
        cli_json_number(r->first_step_seconds), "gflops", cli_json_number(r->gflops),
        "share", shares_json(r), "versions", "afina", afn_version(), "oneDNN",
        r->onednn, "cpu", r->cpu);
    if (o->convolutions) {
        json_object_set_new(
            object, "convolutions_images_per_second",
            cli_json_number((double)o->batch / r->convolutions_seconds));
        json_object_set_new(object, "arithmetic_use",
                            cli_json_number(arithmetic_use(r)));
    }
    if (o->profile) json_object_set_new(object, "profile", steps_json(&r->profile));
    return cli_json_print(object);
}

static void put_number(const char *name, int decimals, double value)
{
    printf("%-20s %.*f\n", name, decimals, value);
}

static int put_text(const bench_args *o, const afn_model *m, const afn_bench *r)
{
    cli_say("%s, batch %lld, crop %d, %s, %s, %d %s\n", afn_model_arch(m),
            (long long)o->batch, afn_model_preprocess(m).crop, modes[o->mode],
            cli_precisions[r->precision], r->threads,
            cli_plural(r->threads, "thread", "threads"));
    printf("afina %s, oneDNN %s, %s\n\n", afn_version(), r->onednn, r->cpu);
    put_number("images_per_second", 2, r->images_per_second);
    put_number("peak_rss_mb", 0, r->peak_rss_mb);
    put_number("first_step_seconds", 2, r->first_step_seconds);
    put_number("gflops", 1, r->gflops);
    if (o->convolutions)
        cli_say("%-20s %.1f %% of the %.2f images/s of its convolutions alone\n",
                "arithmetic_use", 100 * arithmetic_use(r),
                (double)o->batch / r->convolutions_seconds);
    printf("\n");
    const int code = cli_profile_kinds(&r->profile, r->timed_seconds);
    if (code != CLI_OK || !o->profile) return code;
    printf("\n");
    return cli_profile_steps(&r->profile, r->timed_seconds);
}

/* ---- running ---- */

static int bench(const bench_args *o)
{
    afn_model *m = NULL;
    afn_bench result = { 0 };
    afn_bench_opts opts = afn_bench_defaults();
    opts.mode = (afn_bench_mode)o->mode;
    opts.precision = cli_precision(o->precision);
    opts.batch = o->batch;
    opts.steps = (int)o->steps;
    opts.threads = (int)o->threads;
    opts.backend = cli_backends[o->backend];
    opts.convolutions = o->convolutions;

    afn_status st = open_model(&m, o);
    if (st == AFN_OK) st = afn_bench_run(&result, m, &opts);
    const int code = st != AFN_OK ? cli_fail(st)
                     : o->json    ? put_json(o, m, &result)
                                  : put_text(o, m, &result);
    afn_bench_free(&result);
    afn_model_free(m);
    return code;
}

static int run(int argc, char **argv)
{
    bench_args o = { 0 };
    cli_args args;
    const int code = cli_parse(&cli_cmd_bench, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    if (!o.model && !o.weights)
        return cli_usage(&cli_cmd_bench,
                         "--model is missing, and there is no --weights to name it");
    return bench(&o);
}

static const cli_option options[] = {
    { .name = "model",
      .letter = 'm',
      .type = CLI_TEXT,
      .metavar = "NAME",
      .at = offsetof(bench_args, model),
      .help = "architecture, see 'afina models'; may be left out where --weights is a "
              "file written by afina" },
    { .name = "weights",
      .letter = 'w',
      .type = CLI_TEXT,
      .metavar = "FILE|NAME",
      .at = offsetof(bench_args, weights),
      .help = CLI_WEIGHTS_HELP },
    { .name = "batch",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(bench_args, batch),
      .min = 1,
      .max = 4096,
      .initial = "32",
      .help = "images in a step" },
    { .name = "mode",
      .type = CLI_CHOICE,
      .at = offsetof(bench_args, mode),
      .choice = modes,
      .initial = "tune",
      .help = "what a step does: tune trains everything, head trains the last layer "
              "behind a frozen backbone that runs every time, infer predicts" },
    { CLI_PRECISION(bench_args, precision) },
    { .name = "channels",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(bench_args, channels),
      .min = 1,
      .max = AFN_MAX_CHANNELS,
      .help = "of the images (default: the model's)" },
    { .name = "image-size",
      .type = CLI_INT,
      .metavar = "PIXELS",
      .at = offsetof(bench_args, image_size),
      .min = 1,
      .max = 16384,
      .help = "side of the network's input (default: the model's)" },
    { .name = "classes",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(bench_args, classes),
      .min = 1,
      .max = 1000000,
      .help = "classes of the last layer (default: 1000, or those of --weights)" },
    { .name = "steps",
      .type = CLI_INT,
      .metavar = "K",
      .at = offsetof(bench_args, steps),
      .min = 1,
      .max = 1000000,
      .initial = "5",
      .help = "timed steps, whose median counts; one more runs before them" },
    { CLI_THREADS(bench_args, threads) },
    { CLI_BACKEND(bench_args, backend) },
    { .name = "convolutions",
      .type = CLI_FLAG,
      .at = offsetof(bench_args, convolutions),
      .help = "also time the step's convolutions alone, and say which part of their "
              "rate the step reaches" },
    { .name = "profile",
      .type = CLI_FLAG,
      .at = offsetof(bench_args, profile),
      .help = "print every step of the network with its time" },
    { .name = "json",
      .type = CLI_FLAG,
      .at = offsetof(bench_args, json),
      .help = "print one line of JSON" },
    { .name = NULL },
};
_Static_assert(sizeof options / sizeof options[0] <= CLI_MAX_OPTIONS,
               "cli_args.given has room for every option");

const cli_command cli_cmd_bench = {
    .name = "bench",
    .summary = "measure speed and memory, and where the time goes",
    .about = "Runs steps on pixels of noise and prints the images per second of the "
             "median step, the most memory that the process had, the seconds until the "
             "first step was done, and the share of each kind of operation. gflops "
             "counts the multiplications and additions of convolutions and linear "
             "layers as they are defined, in training with the gradients that the mode "
             "needs, however they are computed.",
    .option = options,
    .example =
        (const cli_example[]){
            { "afina bench --model resnet50 --mode tune --profile", NULL },
            { "afina bench --model mobilenet_v2 --mode infer --batch 1 --json",
              "how long one picture takes, for a program to read" },
            { NULL, NULL } },
    .run = run,
};
