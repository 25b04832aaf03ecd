/* SPDX-License-Identifier: Apache-2.0 */
#include "train_args.h"
#include "machine_options.h"
#include "weights_arg.h"

#include <stdlib.h>
#include <string.h>

/* ---- checks ---- */

/* auto, off or a size; CLI_GO_ON, or the exit code after a message. */
static int parse_room(const cli_command *c, const char *option, const char *text,
                      int64_t off, int64_t automatic, int64_t *bytes)
{
    *bytes = strcmp(text, "off") ? automatic : off;
    if (!strcmp(text, "off") || !strcmp(text, "auto") || cli_size(text, bytes))
        return CLI_GO_ON;
    return cli_usage(c, "--%s needs auto, off or a size such as 500M or 2G, not '%s'",
                     option, text);
}

static int parse_rooms(train_args *o, const cli_command *c)
{
    const int code =
        parse_room(c, "feature-cache", o->feature_cache, -1, 0, &o->feature_memory);
    if (code != CLI_GO_ON) return code;
    return parse_room(c, "cache-images", o->cache_images, 0, -1, &o->image_memory);
}

enum { LARGEST_BATCH = 4096, AUTO_BATCH = 32 };

/* A number of images or auto; CLI_GO_ON, or the exit code after a message. */
static int parse_batch(train_args *o, const cli_command *c)
{
    char *end;
    o->batch_auto = !strcmp(o->batch_text, "auto");
    o->batch = o->batch_auto ? AUTO_BATCH : strtoll(o->batch_text, &end, 10);
    if (o->batch_auto || (!*end && o->batch >= 1 && o->batch <= LARGEST_BATCH))
        return CLI_GO_ON;
    return cli_usage(c, "--batch needs auto or a whole number from 1 to %d, not '%s'",
                     (int)LARGEST_BATCH, o->batch_text);
}

/* What one option says of another. */
static int check(const train_args *o, const cli_command *c)
{
    if (!o->model && !o->weights)
        return cli_usage(c, "--model is missing, and there is no --weights to name it");
    if (!o->out && !o->dry_run) return cli_usage(c, "--out DIR is missing");
    if (o->json && !o->dry_run)
        return cli_usage(c, "--json is for --dry-run: --progress json tells the rest");
    if (o->keep_head && !o->weights) return cli_usage(c, "--keep-head needs --weights");
    if (o->sampler == CLI_SAMPLER_BALANCED && o->no_shuffle)
        return cli_usage(c, "--sampler balanced draws images: not with --no-shuffle");
    if (o->data.val + o->data.test >= 1)
        return cli_usage(c, "--val and --test leave nothing to train with");
    if (!o->head_epochs && !o->tune_epochs)
        return cli_usage(c, "--head-epochs and --tune-epochs are both 0");
    return CLI_GO_ON;
}

int cli_train_parse(train_args *o, const cli_command *c, int argc, char **argv)
{
    cli_args args;
    *o = (train_args){ .image = { .resize = -1, .fit = -1 } };
    int code = cli_parse(c, argc, argv, o, &args);
    if (code != CLI_GO_ON) return code;
    o->source = args.operand[0];
    if (o->quiet) o->progress = CLI_PROGRESS_QUIET;
    /* Behind fresh weights there is nothing that a head could be fitted to. */
    if (!o->weights && !cli_given(c, &args, "head-epochs")) o->head_epochs = 0;

    code = parse_batch(o, c);
    if (code == CLI_GO_ON) code = check(o, c);
    if (code == CLI_GO_ON) code = parse_rooms(o, c);
    if (code == CLI_GO_ON)
        code = cli_every(c, "record-every", o->record_every, &o->record_steps,
                         &o->record_s);
    if (code == CLI_GO_ON) code = cli_train_image_check(c, &o->image);
    if (code == CLI_GO_ON) code = cli_optim_check(c, &args, &o->optim);
    if (code == CLI_GO_ON) code = cli_schedule_check(c, &o->schedule);
    if (code == CLI_GO_ON) code = cli_augment_check(c, &o->augment);
    if (code == CLI_GO_ON) code = cli_run_check(c, &o->run);
    return code;
}

/* ---- for the library ---- */

static void add_phase(afn_phase *phase, const train_args *o, const char *name,
                      const char *trainable)
{
    const augment_args *a = &o->augment;
    const bool head = !trainable;
    *phase = afn_phase_defaults();
    phase->name = name;
    phase->trainable = trainable;
    phase->epochs = (int)(head ? o->head_epochs : o->tune_epochs);
    cli_optim_set(phase, &o->optim, head ? o->head_lr : o->tune_lr);
    cli_schedule_set(phase, &o->schedule);
    cli_augment_set(phase, a, head && a->head_spec ? a->head_spec : a->spec);
    cli_run_set_phase(phase, &o->run);
}

int cli_train_phases(afn_phase phase[CLI_MAX_PHASES], const train_args *o)
{
    int n = 0;
    if (o->head_epochs) add_phase(&phase[n++], o, "head", NULL);
    if (o->tune_epochs) add_phase(&phase[n++], o, "tune", o->unfreeze);
    return n;
}

void cli_train_opts(afn_fit_opts *opts, const train_args *o)
{
    cli_run_set(opts, &o->run);
    opts->bn = (afn_bn_mode)o->bn;
    opts->batch = o->batch;
    opts->shuffle = !o->no_shuffle;
    opts->balanced = o->sampler == CLI_SAMPLER_BALANCED;
    opts->strict = o->data.strict;
    opts->image_memory = o->image_memory;
    opts->seed = (uint64_t)o->data.seed;
    opts->threads = (int)o->data.threads;
    opts->exact = o->exact;
    opts->backend = cli_backends[o->backend];
    opts->out = o->out;
    opts->tensorboard = !o->no_tensorboard;
    opts->record_steps = o->record_steps;
    opts->record_s = o->record_s;
    opts->feature_cache = o->feature_memory >= 0;
    opts->feature_memory = opts->feature_cache ? o->feature_memory : 0;
}

/* ---- the tables ---- */

static const cli_option model_options[] = {
    { .section = "model",
      .name = "model",
      .letter = 'm',
      .type = CLI_TEXT,
      .metavar = "NAME",
      .at = offsetof(train_args, model),
      .help = "architecture, see 'afina models'; may be left out where --weights is a "
              "file written by afina" },
    { .name = "weights",
      .letter = 'w',
      .type = CLI_TEXT,
      .metavar = "FILE",
      .at = offsetof(train_args, weights),
      .help = "pretrained weights, .pth or .safetensors; without them training begins "
              "from random ones, with no head phase unless --head-epochs is given" },
    { .name = "keep-head",
      .type = CLI_FLAG,
      .at = offsetof(train_args, keep_head),
      .help = "go on with the head that --weights has; the classes must be the same" },
    { .name = "out",
      .letter = 'o',
      .type = CLI_TEXT,
      .metavar = "DIR",
      .at = offsetof(train_args, out),
      .help = "folder for the results, made where missing" },
    { .name = NULL },
};

static const cli_option phase_options[] = {
    { .section = "phases",
      .name = "head-epochs",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, head_epochs),
      .min = 0,
      .max = 100000,
      .initial = "5",
      .help = "epochs of the first phase, which trains the head alone" },
    { .name = "head-lr",
      .type = CLI_REAL,
      .metavar = "RATE",
      .at = offsetof(train_args, head_lr),
      .low = 0,
      .high = 1000,
      .initial = "0.001",
      .help = "its learning rate" },
    { .name = "tune-epochs",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, tune_epochs),
      .min = 0,
      .max = 100000,
      .initial = "5",
      .help = "epochs of the second phase" },
    { .name = "tune-lr",
      .type = CLI_REAL,
      .metavar = "RATE",
      .at = offsetof(train_args, tune_lr),
      .low = 0,
      .high = 1000,
      .initial = "0.0001",
      .help = "its learning rate" },
    { .name = "unfreeze",
      .type = CLI_TEXT,
      .metavar = "PATTERN",
      .at = offsetof(train_args, unfreeze),
      .initial = "*",
      .help = "parameters that the second phase trains, such as 'layer4,fc': * any "
              "characters, ? one, commas between alternatives" },
    { .name = "batch",
      .type = CLI_TEXT,
      .metavar = "N|auto",
      .at = offsetof(train_args, batch_text),
      .initial = "32",
      .help =
          "images in a step; auto is 32, or half of it until a step fits into memory" },
    { CLI_BN(train_args, bn) },
    { .name = NULL },
};

static const cli_option machine_options[] = {
    { .section = "machine", CLI_THREADS(train_args, data.threads) },
    { CLI_PRECISION(train_args, precision) },
    { CLI_EXACT(train_args, exact) },
    { .name = "feature-cache",
      .type = CLI_TEXT,
      .metavar = "auto|off|SIZE",
      .at = offsetof(train_args, feature_cache),
      .initial = "auto",
      .help = "memory for what frozen layers make of each image, computed in the first "
              "epoch of a phase and kept for the others; more than SIZE (auto: a "
              "quarter of the memory that is available) goes into a file in DIR while "
              "the phase lasts; the results do not depend on it" },
    { .name = "cache-images",
      .type = CLI_TEXT,
      .metavar = "auto|off|SIZE",
      .at = offsetof(train_args, cache_images),
      .initial = "auto",
      .help =
          "memory for decoded and resized images, which are then made once (auto: a "
          "quarter of the memory that is available); the results do not depend on "
          "it" },
    { CLI_BACKEND(train_args, backend) },
    { .name = NULL },
};

static const cli_option output_options[] = {
    { .section = "output",
      .name = "profile",
      .type = CLI_FLAG,
      .at = offsetof(train_args, profile),
      .help = "print at the end where the time of each phase went" },
    { .name = "progress",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, progress),
      .choice = cli_progress_modes,
      .initial = "auto",
      .help = "bar is a line that is redrawn, plain a line for each epoch, json the "
              "lines of run.jsonl on stdout, quiet nothing; auto is bar on a terminal, "
              "else plain" },
    { .name = "record-every",
      .type = CLI_TEXT,
      .metavar = "N|TIME",
      .at = offsetof(train_args, record_every),
      .initial = "1s",
      .help =
          "steps that run.jsonl and TensorBoard are told of: one in so many (10), or "
          "one in so much time (5s)" },
    { .name = "dry-run",
      .type = CLI_FLAG,
      .at = offsetof(train_args, dry_run),
      .help = "say what would be done, how long it would take and how much memory, and "
              "write nothing" },
    { .name = "json",
      .type = CLI_FLAG,
      .at = offsetof(train_args, json),
      .help = "--dry-run says so as one JSON object" },
    { .name = "no-report",
      .type = CLI_FLAG,
      .at = offsetof(train_args, no_report),
      .help = "do not write report.html at the end; 'afina report DIR' does it later" },
    { .name = "no-tensorboard",
      .type = CLI_FLAG,
      .at = offsetof(train_args, no_tensorboard),
      .help = "write no event file for TensorBoard" },
    { .name = "quiet",
      .letter = 'q',
      .type = CLI_FLAG,
      .at = offsetof(train_args, quiet),
      .help = "print nothing but errors" },
    { .name = NULL },
};

const cli_option *const cli_train_options[] = {
    model_options,
    phase_options,
    cli_optim_options,
    cli_schedule_options,
    cli_augment_options,
    cli_train_data_options,
    cli_train_image_options,
    cli_run_options,
    machine_options,
    output_options,
    NULL,
};
