/* SPDX-License-Identifier: Apache-2.0 */
/* afina train: from a folder of images and pretrained weights to a tuned model.
 *
 * What opens fast and is easily mistyped comes first (data, run folder), then the
 * weights; every option is checked against the model before the first image is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_file.h"
#include "machine_options.h"
#include "out_folder.h"
#include "presets.h"
#include "stop.h"
#include "train_config.h"
#include "train_forecast.h"
#include "train_lr_find.h"
#include "training.h"
#include "weights_arg.h"

static void training_close(training *s)
{
    for (int i = 0; i < CLI_MAX_PHASES; i++) afn_profile_free(&s->profile[i]);
    afn_forecast_free(&s->forecast);
    afn_model_free(s->m);
    free(s->class_weight);
    afn_data_parts_free(&s->parts);
}

/* ---- what a run tells ---- */

static int on_step(const afn_progress *at, void *user)
{
    training *s = user;
    cli_progress_step(&s->progress, at);
    return cli_stop_signal() != 0;
}

static int on_epoch(const afn_epoch *e, void *user)
{
    training *s = user;
    s->epochs_done++;
    s->skipped = e->skipped;
    cli_progress_epoch(&s->progress, e);
    return cli_stop_signal() != 0;
}

static int on_validation(int64_t batches, int64_t of, void *user)
{
    training *s = user;
    cli_progress_validation(&s->progress, batches, of);
    return cli_stop_signal() != 0;
}

static void on_record(const char *line, void *user)
{
    training *s = user;
    cli_progress_record(&s->progress, line);
}

static int on_features(const afn_features *f, void *user)
{
    training *s = user;
    cli_progress_clear(&s->progress);
    if (cli_progress_speaks(&s->progress)) cli_train_put_features(f);
    return 0;
}

static void on_solved(const afn_solved *a, void *user)
{
    training *s = user;
    cli_progress_clear(&s->progress);
    if (!s->o->quiet) cli_train_put_solved(a);
}

/* A phase is over: its profile waits until the end of the run. */
static void on_profile(const char *phase, const afn_profile *p, void *user)
{
    training *s = user;
    for (int i = 0; i < s->n_phases; i++) {
        if (strcmp(s->phase[i].name, phase)) continue;
        if (afn_profile_copy(&s->profile[i], p) != AFN_OK) cli_fail(AFN_ENOMEM);
    }
}

static void log_line(afn_log_level level, const char *line, void *user)
{
    if (level == AFN_LOG_WARNING) cli_progress_clear(user);
    cli_log(level, line, NULL);
}

/* ---- the model ---- */

/* Kept heads need the data's classes: as many, and of the same names where the model
 * has names, for the labels are matched by place. */
static int check_classes(const training *s)
{
    const int classes = afn_dataset_classes(s->train);
    const int has = afn_model_classes(s->m);

    if (has != classes)
        return cli_error("--keep-head: the model has %d classes, %s has %d", has,
                         s->o->source, classes);
    for (int i = 0; i < classes; i++) {
        const char *theirs = afn_model_class_name(s->m, i);
        const char *ours = afn_dataset_class_name(s->train, i);
        if (theirs && strcmp(theirs, ours))
            return cli_error("--keep-head: class %d is '%s' in the model, '%s' in %s",
                             i, theirs, ours, s->o->source);
    }
    return CLI_OK;
}

static int set_head(training *s)
{
    if (s->o->keep_head) {
        const int code = check_classes(s);
        return code == CLI_OK ? cli_name_classes(s->m, s->train) : code;
    }
    if (s->o->weights) {
        const afn_status st = afn_model_replace_head(
            s->m, afn_dataset_classes(s->train), (uint64_t)s->o->data.seed);
        if (st != AFN_OK) return cli_fail(st);
    }
    return cli_name_classes(s->m, s->train);
}

/* The model as the run left it, with its classes and preprocessing. */
static int open_resumed(training *s)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/last.ckpt", s->o->out);
    const afn_status st = afn_model_open(&s->m, NULL, path);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

static int open_model(training *s)
{
    const train_args *o = s->o;
    if (s->resumed->begun) return open_resumed(s);
    const int classes = afn_dataset_classes(s->train);
    afn_status st =
        o->weights ? cli_model_open(&s->m, o->model, o->weights)
                   : afn_model_new(&s->m, o->model, classes, (uint64_t)o->data.seed);
    if (st != AFN_OK) return cli_fail(st);
    const int code = set_head(s);
    if (code != CLI_OK) return code;
    st = cli_train_image_set(s->m, &o->image);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

/* ---- phases ---- */

/* Parameters that a phase trains, of all, counted by setting the model up for it; fails
 * where its pattern matches nothing. */
static afn_status count_trained(training *s, const afn_phase *phase, int64_t *out)
{
    const char *pattern = phase->trainable ? phase->trainable : afn_model_head(s->m);
    afn_status st = afn_model_freeze(s->m, "*");
    if (st == AFN_OK) st = afn_model_unfreeze(s->m, pattern);
    *out = s->parameters = 0;
    for (int i = 0; st == AFN_OK && i < afn_model_n_params(s->m); i++) {
        afn_param_info info;
        st = afn_model_param(s->m, i, &info);
        if (st != AFN_OK || info.buffer) continue;
        s->parameters += afn_shape_count(&info.shape);
        if (info.trainable) *out += afn_shape_count(&info.shape);
    }
    return st;
}

static int check_phases(training *s)
{
    for (int i = 0; i < s->n_phases; i++) {
        const afn_status st = count_trained(s, &s->phase[i], &s->trained[i]);
        if (st != AFN_OK) return cli_fail(st);
    }
    return CLI_OK;
}

/* ---- running ---- */

static int stopped(const training *s)
{
    cli_resume_hint("stopped", s->o->out);
    return 128 + cli_stop_signal();
}

static const char *config_text(const training *s)
{
    return s->o->file ? afn_toml_text(s->o->file->doc) : NULL;
}

static void on_end(afn_fit_end why, void *user)
{
    training *s = user;
    s->end = why;
}

/* The page of the run, from the model as it now is. */
static int write_page(const training *s)
{
    afn_report_opts r = afn_report_defaults();
    r.train = s->train;
    r.augment = s->phase[s->n_phases - 1].augment.spec;
    r.seed = (uint64_t)s->o->data.seed;
    r.predict.threads = (int)s->o->data.threads;
    r.predict.precision = s->precision;
    r.predict.exact = s->o->exact;
    const afn_status st = afn_report_write(s->o->out, s->m, s->val, &r);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

/* What the run is asked to do, without who is told of it. */
static afn_fit_opts run_opts(const training *s)
{
    afn_fit_opts opts = afn_fit_defaults();
    cli_train_opts(&opts, s->o);
    opts.phase = s->phase;
    opts.n_phases = s->n_phases;
    opts.class_weight = s->class_weight;
    opts.precision = s->precision;
    return opts;
}

static int fit(training *s, afn_fit_opts opts)
{
    const train_args *o = s->o;
    afn_epoch best = { 0 };
    opts.on_step = on_step;
    opts.on_epoch = on_epoch;
    opts.on_validation = on_validation;
    opts.on_features = on_features;
    opts.on_record = on_record;
    opts.on_solved = on_solved;
    if (o->profile) opts.on_profile = on_profile;
    opts.on_end = on_end;
    opts.user = s;
    char *note =
        cli_resume_note(s->resumed, config_text(s), o->batch_auto ? opts.batch : 0,
                        (int)(o->batch / opts.batch));
    char *config = cli_train_config(&cli_cmd_train, o);
    opts.note = note;
    opts.config = config;

    afn_log_set(log_line, &s->progress);
    cli_stop_watch();
    const afn_status st = afn_fit(s->m, s->train, s->val, &opts, &best);
    afn_log_set(cli_log, NULL);
    cli_progress_clear(&s->progress);
    free(note);
    free(config);
    if (st == AFN_ECANCELLED && cli_stop_signal()) return stopped(s);
    if (st != AFN_OK) return cli_fail(st);
    if (s->end == AFN_END_TIME) cli_resume_hint("its time is over", o->out);
    if (!best.run_epoch) return CLI_OK;
    s->has_page = s->end != AFN_END_TIME && !o->no_report && !cli_stop_signal();
    const int code = s->has_page ? write_page(s) : CLI_OK;
    if (!cli_progress_speaks(&s->progress) || code != CLI_OK) return code;
    cli_train_put_outcome(s, &best);
    return o->profile ? cli_train_put_profiles(s) : CLI_OK;
}

static int open_data(training *s, bool look)
{
    afn_data_parts_free(&s->parts);
    const int code = cli_data_open(&s->parts, s->o->source, &s->o->data, look);
    s->train = s->parts.train;
    s->val = s->parts.val;
    return code;
}

/* What the run will take, then the run.  One that goes on is under way already. */
static int forecast_and_fit(training *s)
{
    const train_args *o = s->o;
    afn_fit_opts opts = run_opts(s);
    const bool json = s->progress.mode == CLI_PROGRESS_JSON;
    const bool asked = o->dry_run || o->lr_find || o->batch_auto;
    int code = CLI_OK;
    if (!s->resumed->begun && (asked || json || cli_progress_speaks(&s->progress)))
        code = cli_train_forecast(s, &opts);
    if (code != CLI_OK) return code;
    if (o->lr_find) return cli_train_lr_find(s, &opts);
    if (o->json || (json && s->forecast.phase))
        code = cli_train_put_forecast_json(s, !o->json);
    else if (cli_progress_speaks(&s->progress) && s->forecast.phase)
        cli_train_put_forecast(s);
    if (code != CLI_OK || o->dry_run) return code;
    return fit(s, opts);
}

/* With one class every answer is right, and nothing is learned. */
static int check_several(const training *s)
{
    if (afn_dataset_classes(s->train) >= 2) return CLI_OK;
    return cli_error(
        "%s: only one class, '%s': there must be two or more to tell apart",
        s->o->source, afn_dataset_class_name(s->train, 0));
}

/* All that may be mistyped first; looking at the images may take minutes. */
static int train(training *s)
{
    const train_args *o = s->o;
    int code = open_data(s, false);
    if (code == CLI_OK) code = check_several(s);
    if (code != CLI_OK) return code;
    if (!cli_train_tries(o) && !cli_out_folder_check(o->out)) return CLI_FAILED;
    if (!o->run.resume && !cli_train_tries(o))
        code = cli_resume_check_new(o->out, o->run.overwrite);
    if (code != CLI_OK) return code;

    code = open_model(s);
    if (code == CLI_OK) code = check_phases(s);
    if (code == CLI_OK)
        code = cli_class_weights(&s->class_weight, s->train, o->class_weights);
    if (code == CLI_OK && s->parts.drawn && !o->data.plain_split)
        code = open_data(s, true);
    if (code != CLI_OK) return code;
    if (!strcmp(o->class_weights, "balanced")) /* of what is left to train with */
        afn_class_weights_balanced(s->class_weight, s->train);
    s->precision = cli_precision(o->precision);
    if (cli_progress_speaks(&s->progress) && !o->json) cli_train_put_plan(s);
    return forecast_and_fit(s);
}

static int run(int argc, char **argv)
{
    train_args o = { 0 };
    cli_resume r;
    int code = cli_resume_open(&r, argc, argv);
    if (code == CLI_GO_ON) code = cli_train_parse(&o, &cli_cmd_train, r.argc, r.argv);
    if (code == CLI_GO_ON) {
        training s = { .o = &o, .resumed = &r };
        s.n_phases = cli_train_phases(s.phase, &o);
        cli_progress_start(&s.progress, (cli_progress_mode)o.progress);
        code = train(&s);
        training_close(&s);
    }
    cli_config_free(o.file);
    cli_resume_close(&r);
    return code;
}

const cli_command cli_cmd_train = {
    .name = "train",
    .summary = "fine-tune a pretrained model on your images",
    .operand = { "DATA" },
    .min_operands = 1,
    .about =
        "Replaces the last layer of a pretrained network by one for the classes in "
        "DATA, trains that layer alone, then the layers of --unfreeze, and keeps "
        "the epoch with the best validation accuracy. DATA is a folder with one "
        "folder of images per class, a folder with such train and val folders, a "
        "manifest (FILE.csv, FILE.jsonl), cifar10:DIR, cifar100:DIR, idx:DIR (MNIST), "
        "shards (tar:FILES), or noise for trying things out: "
        "fake:size=1000,classes=10.",
    .more = cli_train_options,
    .notes = CLI_PRESET_NOTES CLI_AUGMENT_NOTES
    "Written to DIR: model.safetensors and model.pth (the best epoch; all that\n"
    "'afina predict' needs, and what torchvision loads), last.pth, metrics.csv,\n"
    "last.ckpt (from which --resume goes on), config.json and run.jsonl (what was\n"
    "asked for, what happened), events.out.tfevents.* for TensorBoard, and the page\n"
    "to look at, report.html.\n"
    "Ctrl-C stops after the step and saves the run, exit code 130; a second one "
    "stops\nat once.\n\n"
    "example:\n"
    "  afina train photos --model resnet50 --weights resnet50.pth --out run1\n",
    .run = run,
};
