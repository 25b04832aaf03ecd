/* SPDX-License-Identifier: Apache-2.0 */
#include "train_args.h"

#include <stdlib.h>
#include <string.h>

#include "config_file.h"
#include "machine_options.h"
#include "presets.h"

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

bool cli_train_tries(const train_args *o)
{
    return o->dry_run || o->lr_find;
}

static int n_file_phases(const train_args *o)
{
    return o->file ? o->file->n_phases : 0;
}

/* What one option says of another. */
static int check(const train_args *o, const cli_command *c)
{
    if (!o->model && !o->weights)
        return cli_usage(c, "--model is missing, and there is no --weights to name it");
    if (!o->out && !cli_train_tries(o)) return cli_usage(c, "--out DIR is missing");
    if (o->json && !cli_train_tries(o))
        return cli_usage(c,
                         "--json is for --dry-run and --lr-find: --progress json tells "
                         "the rest");
    if (o->dry_run && o->lr_find)
        return cli_usage(c, "--dry-run and --lr-find are two questions: ask one");
    if (o->keep_head && !o->weights) return cli_usage(c, "--keep-head needs --weights");
    if (o->sampler == CLI_SAMPLER_BALANCED && o->no_shuffle)
        return cli_usage(c, "--sampler balanced draws images: not with --no-shuffle");
    if (o->data.val + o->data.test >= 1)
        return cli_usage(c, "--val and --test leave nothing to train with");
    if (!n_file_phases(o) && !o->head_epochs && !o->tune_epochs)
        return cli_usage(c, "--head-epochs and --tune-epochs are both 0");
    return CLI_GO_ON;
}

/* The head solved at once: one epoch, and what says how. */
static int check_solver(train_args *o, const cli_command *c, const cli_args *given)
{
    static const char *const others[] = { "head-epochs", "head-lr" };
    const bool solved = o->head_solver == AFN_SOLVER_LBFGS;
    for (int i = 0; solved && i < 2; i++)
        if (cli_given(c, given, others[i]))
            return cli_usage(c,
                             "--%s is for --head-solver epochs: lbfgs has one and no "
                             "rate",
                             others[i]);
    if (!solved && cli_given(c, given, "head-l2"))
        return cli_usage(c, "--head-l2 is for --head-solver lbfgs");
    if (solved) o->head_epochs = 1;
    return cli_l2(c, "head-l2", o->head_l2, &o->self.l2);
}

static int check_file_phases(train_args *o, const cli_command *c)
{
    int code = CLI_GO_ON;
    for (int i = 0; i < n_file_phases(o) && code == CLI_GO_ON; i++)
        code = cli_phase_check(c, &o->file->phase[i].o, &o->file->phase[i].known);
    return code;
}

/* What is typed, and what a file says besides. */
static int read_options(train_args *o, const cli_command *c, int argc, char **argv,
                        cli_args *given)
{
    int code = cli_parse_line(c, argc, argv, o, given);
    if (code == CLI_GO_ON) code = cli_config_read(o, c, given);
    if (given->n) o->source = given->operand[0];
    if (code != CLI_GO_ON) return code;
    if (!o->print_config) return cli_parse_end(c, given, o);
    cli_config_put(o, c, given);
    return CLI_OK;
}

int cli_train_parse(train_args *o, const cli_command *c, int argc, char **argv)
{
    cli_args args;
    *o = (train_args){ .image = { .resize = -1, .fit = -1 } };
    int code = read_options(o, c, argc, argv, &args);
    if (code != CLI_GO_ON) return code;
    if (o->quiet) o->progress = CLI_PROGRESS_QUIET;
    /* Behind fresh weights there is nothing that a head could be fitted to. */
    if (!o->weights && !cli_given(c, &args, "head-epochs")) o->head_epochs = 0;

    code = parse_batch(o, c);
    if (code == CLI_GO_ON) code = check_solver(o, c, &args);
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
    if (code == CLI_GO_ON) code = check_file_phases(o, c);
    return code;
}

/* ---- for the library ---- */

/* One of the two phases that there are without a file's. */
static void add_usual(afn_phase *phase, const train_args *run, bool head)
{
    train_args o = *run;
    o.self = (phase_args){ .name = head ? "head" : "tune",
                           .unfreeze = head ? NULL : run->unfreeze,
                           .epochs = head ? run->head_epochs : run->tune_epochs,
                           .lr = head ? run->head_lr : run->tune_lr,
                           .solver = head ? run->head_solver : AFN_SOLVER_EPOCHS,
                           .l2 = run->self.l2 };
    if (!head) o.augment.head_spec = NULL;
    cli_phase_set(phase, &o);
}

int cli_train_phases(afn_phase phase[CLI_MAX_PHASES], const train_args *o)
{
    int n = 0;
    for (; n < n_file_phases(o); n++) cli_phase_set(&phase[n], &o->file->phase[n].o);
    if (!n_file_phases(o) && o->head_epochs) add_usual(&phase[n++], o, true);
    if (!n_file_phases(o) && o->tune_epochs) add_usual(&phase[n++], o, false);
    for (int i = 0; i < n; i++) phase[i].optim.accumulate *= (int)o->batch_parts;
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
      .of_call = true,
      .metavar = "DIR",
      .at = offsetof(train_args, out),
      .help = "folder for the results, made where missing" },
    { .name = NULL },
};

static const cli_option config_options[] = {
    { .section = "configuration",
      .name = "config",
      .letter = 'c',
      .type = CLI_TEXT,
      .metavar = "FILE",
      .at = offsetof(train_args, config),
      .help =
          "take options from a TOML file, whose keys are their names; what is typed "
          "counts more; with [[phase]] tables the run has these phases instead of "
          "the two below" },
    { .name = "preset",
      .letter = 'p',
      .type = CLI_CHOICE,
      .at = offsetof(train_args, preset),
      .choice = cli_presets,
      .initial = "none",
      .help = "options for a purpose, see below; what is typed or in FILE counts "
              "more" },
    { .name = "config-text",
      .type = CLI_TEXT,
      .of_call = true,
      .metavar = "TOML",
      .at = offsetof(train_args, config_text),
      .hidden = true,
      .help = "such a file itself, for a run that goes on" },
    { .name = "print-config",
      .type = CLI_FLAG,
      .of_call = true,
      .at = offsetof(train_args, print_config),
      .help = "print all options as such a file, and do nothing else" },
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
    { .name = "head-solver",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, head_solver),
      .choice = cli_solvers,
      .initial = "epochs",
      .help = "how the first phase finds the head: in epochs of steps, or at once by "
              "L-BFGS on the features of all images, which yields the best linear head "
              "there is, without augmentation unless --views or --head-augment is "
              "given" },
    { .name = "head-l2",
      .type = CLI_TEXT,
      .metavar = "auto|L",
      .at = offsetof(train_args, head_l2),
      .initial = "auto",
      .help = "with lbfgs: L/2 times the sum of the squares of the head's weights is "
              "added to the loss (scikit-learn's C is 1 / (L images)); auto tries 1, "
              "0.32, 0.1 and so on, and takes the one with the least loss on the "
              "validation images, 1 / images where there are none" },
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
      .help = "images in a step; auto is 32, made in 2, 4 or more parts "
              "(--accumulate) where one does not fit into memory" },
    { .name = "batch-parts",
      .type = CLI_INT,
      .at = offsetof(train_args, batch_parts),
      .min = 1,
      .max = 4096,
      .initial = "1",
      .hidden = true,
      .help = "how many --batch that a step had in the run that goes on" },
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
      .of_call = true,
      .at = offsetof(train_args, profile),
      .help = "print at the end where the time of each phase went" },
    { .name = "progress",
      .type = CLI_CHOICE,
      .of_call = true,
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
      .of_call = true,
      .at = offsetof(train_args, dry_run),
      .help = "say what would be done, how long it would take and how much memory, and "
              "write nothing" },
    { .name = "lr-find",
      .type = CLI_FLAG,
      .of_call = true,
      .at = offsetof(train_args, lr_find),
      .help = "try learning rates instead: 100 steps of each phase with a rate that "
              "rises from 1e-7 to 10, what the loss does, and a rate to take; writes "
              "nothing" },
    { .name = "json",
      .type = CLI_FLAG,
      .of_call = true,
      .at = offsetof(train_args, json),
      .help = "--dry-run and --lr-find say so as one JSON object" },
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
      .of_call = true,
      .at = offsetof(train_args, quiet),
      .help = "print nothing but errors" },
    { .name = NULL },
};

const cli_option *const cli_train_options[] = {
    model_options,
    config_options,
    phase_options,
    cli_optim_options,
    cli_schedule_options,
    cli_augment_options,
    cli_train_data_options,
    cli_train_image_options,
    cli_run_options,
    cli_patience_options,
    machine_options,
    output_options,
    NULL,
};
