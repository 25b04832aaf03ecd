/* SPDX-License-Identifier: Apache-2.0 */
/* afina train: from a folder of images and pretrained weights to a tuned model.
 *
 * What opens fast and is easily mistyped comes first (data, run folder), then the
 * weights; every option is checked against the model before the first image is read. */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment_args.h"
#include "cli.h"
#include "data_open.h"
#include "out_folder.h"
#include "profile_out.h"
#include "progress.h"
#include "stop.h"

typedef struct train_args {
    const char *model, *weights, *out, *unfreeze;
    int64_t head_epochs, tune_epochs;
    double head_lr, tune_lr, momentum, weight_decay;
    bool nesterov, no_shuffle, keep_head, no_normalize, no_exif, fast_decode, profile,
        quiet, exact;
    cli_data_args data; /* seed and threads are those of all else too */
    const char *class_weights, *cache_images;
    int64_t image_memory; /* what --cache-images says, 0 = off, -1 = auto */
    int sampler;
    int64_t batch;
    int64_t image_size;              /* 0 = the model's */
    int64_t resize;                  /* -1 = not given */
    int bn, backend, precision, fit; /* fit -1: the model's */
    const char *feature_cache;
    int64_t feature_memory; /* what it says, 0 = auto, -1 = off */
    augment_args augment;
} train_args;

static const char *const fits[] = { "crop", "squash", "letterbox", "pad", NULL };
_Static_assert(sizeof fits / sizeof fits[0] == AFN_N_FITS + 1,
               "fits[] as afn_fit_mode");

static const char *const bn_modes[] = { "auto", "batch", "frozen", NULL };
static const char *const backends[] = { "cpu", "ref", NULL };
enum { SAMPLER_SHUFFLE, SAMPLER_BALANCED };
static const char *const samplers[] = { "shuffle", "balanced", NULL };
_Static_assert(AFN_BN_AUTO == 0 && AFN_BN_BATCH == 1 && AFN_BN_FROZEN == 2,
               "bn_modes[] in the order of afn_bn_mode");

typedef struct training {
    const train_args *o;
    const char *data;
    afn_data_parts parts;
    afn_dataset *train, *val; /* of parts; val may be NULL */
    float *class_weight;      /* [classes], NULL = all alike */
    int64_t skipped;          /* images, so far */
    afn_model *m;
    afn_phase phase[2];
    int64_t trained[2]; /* parameters, per phase */
    afn_profile profile[2];
    int n_phases;
    afn_precision precision; /* on this machine */
    cli_progress progress;
    int epochs_done;
} training;

static void training_close(training *s)
{
    for (int i = 0; i < 2; i++) afn_profile_free(&s->profile[i]);
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
    if (s->o->quiet)
        cli_progress_clear(&s->progress);
    else
        cli_progress_epoch(&s->progress, e);
    return cli_stop_signal() != 0;
}

static int on_features(const afn_features *f, void *user)
{
    training *s = user;
    char count[CLI_COUNT_BYTES];

    cli_progress_clear(&s->progress);
    if (s->o->quiet) return 0;
    printf("features %s: ", f->phase);
    if (!f->kept) {
        printf("not kept: ");
        cli_put(stdout, f->why);
        printf("\n");
        return 0;
    }
    printf("kept before %s, %s %s, ", f->before, cli_count(f->images, count),
           cli_plural(f->images, "image", "images"));
    if (f->views > 1) printf("%d views of those to train, ", f->views);
    cli_put_bytes(f->bytes);
    if (f->bytes_on_disk) {
        printf(", ");
        cli_put_bytes(f->bytes_on_disk);
        printf(" of it on disk");
    }
    if (f->why) {
        printf("; not of the others: ");
        cli_put(stdout, f->why);
    }
    printf("\n");
    fflush(stdout);
    return 0;
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
                         s->data, classes);
    for (int i = 0; i < classes; i++) {
        const char *theirs = afn_model_class_name(s->m, i);
        const char *ours = afn_dataset_class_name(s->train, i);
        if (theirs && strcmp(theirs, ours))
            return cli_error("--keep-head: class %d is '%s' in the model, '%s' in %s",
                             i, theirs, ours, s->data);
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

/* Another --image-size without --resize keeps the proportion of the two. */
static int set_preprocess(training *s)
{
    const train_args *o = s->o;
    afn_preprocess p = afn_model_preprocess(s->m);

    if (o->image_size && o->resize < 0)
        p.resize = (int)((o->image_size * p.resize + p.crop / 2) / p.crop);
    if (o->image_size) p.crop = (int)o->image_size;
    if (o->resize >= 0) p.resize = (int)o->resize;
    if (o->fit >= 0) p.fit = (afn_fit_mode)o->fit;
    if (o->no_exif) p.exif = false;
    if (o->fast_decode) p.fast = true;
    for (int c = 0; o->no_normalize && c < 3; c++) {
        p.mean[c] = 0;
        p.std[c] = 1;
    }
    const afn_status st = afn_model_set_preprocess(s->m, &p);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

static int open_model(training *s)
{
    const train_args *o = s->o;
    const int classes = afn_dataset_classes(s->train);
    const afn_status st =
        o->weights ? afn_model_open(&s->m, o->model, o->weights)
                   : afn_model_new(&s->m, o->model, classes, (uint64_t)o->data.seed);
    if (st != AFN_OK) return cli_fail(st);
    const int code = set_head(s);
    return code == CLI_OK ? set_preprocess(s) : code;
}

/* ---- phases ---- */

static void add_phase(training *s, const char *name, const char *trainable,
                      int64_t epochs, double lr)
{
    if (epochs == 0) return;
    afn_phase *p = &s->phase[s->n_phases++];
    *p = afn_phase_defaults();
    p->name = name;
    p->trainable = trainable;
    p->epochs = (int)epochs;
    p->optim.lr = (float)lr;
    p->optim.momentum = (float)s->o->momentum;
    p->optim.weight_decay = (float)s->o->weight_decay;
    p->optim.nesterov = s->o->nesterov;
    const augment_args *a = &s->o->augment;
    const bool head = !trainable;
    cli_augment_set(p, a, head && a->head_spec ? a->head_spec : a->spec);
}

/* Parameters that a phase trains, counted by setting the model up for it; fails where
 * its pattern matches nothing. */
static afn_status count_trained(const training *s, const afn_phase *phase, int64_t *out)
{
    const char *pattern = phase->trainable ? phase->trainable : afn_model_head(s->m);
    afn_status st = afn_model_freeze(s->m, "*");
    if (st == AFN_OK) st = afn_model_unfreeze(s->m, pattern);
    *out = 0;
    for (int i = 0; st == AFN_OK && i < afn_model_n_params(s->m); i++) {
        afn_param_info info;
        st = afn_model_param(s->m, i, &info);
        if (st == AFN_OK && info.trainable) *out += afn_shape_count(&info.shape);
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

/* ---- what will be done, and what came out ---- */

static void put_model(const training *s)
{
    const afn_preprocess p = afn_model_preprocess(s->m);

    printf("model    %s, ", afn_model_arch(s->m));
    cli_put(stdout, s->o->weights ? s->o->weights : "fresh weights");
    printf("%s\n", s->o->keep_head ? ", head kept" : "");
    printf("images   ");
    if (p.fit == AFN_FIT_CROP && p.resize) printf("resize %d, ", p.resize);
    printf("%s %d%s%s\n", afn_fit_mode_name(p.fit), p.crop, p.exif ? "" : ", no exif",
           p.fast ? ", fast decode" : "");
    if (s->precision != AFN_PRECISION_FP32)
        printf("precision %s\n", cli_precisions[s->precision]);
}

static void put_phases(const training *s)
{
    char count[CLI_COUNT_BYTES];
    for (int i = 0; i < s->n_phases; i++) {
        const afn_phase *p = &s->phase[i];
        printf("phase    %s: %d %s at %g, trains %s parameters (", p->name, p->epochs,
               cli_plural(p->epochs, "epoch", "epochs"), (double)p->optim.lr,
               cli_count(s->trained[i], count));
        cli_put(stdout, p->trainable ? p->trainable : afn_model_head(s->m));
        printf(")\n");
        cli_augment_put(p);
    }
}

static void put_outcome(const training *s, const afn_epoch *best)
{
    static const char *const file[] = { "model.safetensors", "model.pth", "last.pth",
                                        "metrics.csv" };
    if (!isnan(best->val_acc))
        printf("best     %s epoch %d: %.2f %% of the validation images right\n",
               best->phase, best->epoch, 100 * best->val_acc);
    if (s->skipped)
        printf("skipped  %lld %s that could not be read\n", (long long)s->skipped,
               cli_plural(s->skipped, "image", "images"));
    printf("written  ");
    for (int i = 0; i < 4; i++) {
        printf("%s", i ? ", " : "");
        cli_put(stdout, s->o->out);
        printf("/%s", file[i]);
    }
    printf("\n");
}

static int put_profiles(const training *s)
{
    int code = CLI_OK;
    for (int i = 0; code == CLI_OK && i < s->n_phases; i++) {
        printf("\nprofile  %s: time in the network\n", s->phase[i].name);
        code = cli_profile_steps(&s->profile[i], afn_profile_seconds(&s->profile[i]));
    }
    return code;
}

/* ---- running ---- */

static int stopped(const training *s)
{
    if (s->epochs_done)
        cli_error("stopped, the %d finished %s in %s", s->epochs_done,
                  cli_plural(s->epochs_done, "epoch is", "epochs are"), s->o->out);
    else
        cli_error("stopped before the end of the first epoch, nothing was saved");
    return 128 + cli_stop_signal();
}

static int fit(training *s)
{
    const train_args *o = s->o;
    afn_fit_opts opts = afn_fit_defaults();
    afn_epoch best = { 0 };
    opts.phase = s->phase;
    opts.n_phases = s->n_phases;
    opts.bn = (afn_bn_mode)o->bn;
    opts.batch = o->batch;
    opts.shuffle = !o->no_shuffle;
    opts.balanced = o->sampler == SAMPLER_BALANCED;
    opts.strict = o->data.strict;
    opts.class_weight = s->class_weight;
    opts.image_memory = o->image_memory;
    opts.seed = (uint64_t)o->data.seed;
    opts.threads = (int)o->data.threads;
    opts.exact = o->exact;
    opts.backend = backends[o->backend];
    opts.precision = s->precision;
    opts.out = o->out;
    opts.on_step = on_step;
    opts.on_epoch = on_epoch;
    opts.on_features = on_features;
    opts.feature_cache = o->feature_memory >= 0;
    opts.feature_memory = opts.feature_cache ? o->feature_memory : 0;
    if (o->profile) opts.on_profile = on_profile;
    opts.user = s;

    cli_progress_start(&s->progress, o->quiet);
    afn_log_set(log_line, &s->progress);
    cli_stop_watch();
    const afn_status st = afn_fit(s->m, s->train, s->val, &opts, &best);
    afn_log_set(cli_log, NULL);
    cli_progress_clear(&s->progress);
    if (st == AFN_ECANCELLED && cli_stop_signal()) return stopped(s);
    if (st != AFN_OK) return cli_fail(st);
    if (o->quiet) return CLI_OK;
    put_outcome(s, &best);
    return o->profile ? put_profiles(s) : CLI_OK;
}

static int open_data(training *s, bool look)
{
    afn_data_parts_free(&s->parts);
    const int code = cli_data_open(&s->parts, s->data, &s->o->data, look);
    s->train = s->parts.train;
    s->val = s->parts.val;
    return code;
}

/* All that may be mistyped first; looking at the images may take minutes. */
static int train(training *s)
{
    const train_args *o = s->o;
    int code = open_data(s, false);
    if (code != CLI_OK) return code;
    if (!cli_out_folder_check(o->out)) return CLI_FAILED;

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
    if (!o->quiet) {
        cli_put_data(s->data, &s->parts);
        put_model(s);
        put_phases(s);
        fflush(stdout);
    }
    return fit(s);
}

/* auto, off or a size; CLI_GO_ON, or the exit code after a message. */
static int parse_room(const char *option, const char *text, int64_t off,
                      int64_t automatic, int64_t *bytes)
{
    *bytes = strcmp(text, "off") ? automatic : off;
    if (!strcmp(text, "off") || !strcmp(text, "auto") || cli_size(text, bytes))
        return CLI_GO_ON;
    return cli_usage(&cli_cmd_train,
                     "--%s needs auto, off or a size such as 500M or 2G, not '%s'",
                     option, text);
}

static int run(int argc, char **argv)
{
    train_args o = { .resize = -1, .fit = -1 };
    cli_args args;
    const cli_command *c = &cli_cmd_train;

    int code = cli_parse(c, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    if (!o.model && !o.weights)
        return cli_usage(c, "--model is missing, and there is no --weights to name it");
    if (o.fit > AFN_FIT_CROP && o.resize >= 0)
        return cli_usage(c, "--resize is for --fit crop, --image-size sets the side");
    if (o.keep_head && !o.weights) return cli_usage(c, "--keep-head needs --weights");
    if (o.nesterov && o.momentum == 0)
        return cli_usage(c, "--nesterov needs a --momentum above 0");
    code = parse_room("feature-cache", o.feature_cache, -1, 0, &o.feature_memory);
    if (code == CLI_GO_ON)
        code = parse_room("cache-images", o.cache_images, 0, -1, &o.image_memory);
    if (code != CLI_GO_ON) return code;
    if (o.sampler == SAMPLER_BALANCED && o.no_shuffle)
        return cli_usage(c, "--sampler balanced draws images: not with --no-shuffle");
    if (o.data.val + o.data.test >= 1)
        return cli_usage(c, "--val and --test leave nothing to train with");
    code = cli_augment_check(c, &o.augment);
    if (code != CLI_GO_ON) return code;
    /* Behind fresh weights there is nothing that a head could be fitted to. */
    if (!o.weights && !cli_given(c, &args, "head-epochs")) o.head_epochs = 0;

    training s = { .o = &o, .data = args.operand[0] };
    add_phase(&s, "head", NULL, o.head_epochs, o.head_lr);
    add_phase(&s, "tune", o.unfreeze, o.tune_epochs, o.tune_lr);
    if (!s.n_phases) return cli_usage(c, "--head-epochs and --tune-epochs are both 0");
    code = train(&s);
    training_close(&s);
    return code;
}

static const cli_option options[] = {
    { .name = "model",
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
    { .name = "out",
      .letter = 'o',
      .type = CLI_TEXT,
      .metavar = "DIR",
      .at = offsetof(train_args, out),
      .required = true,
      .help = "folder for the results, made where missing" },
    { .name = "head-epochs",
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
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, batch),
      .min = 1,
      .max = 4096,
      .initial = "32",
      .help = "images in a step" },
    { .name = "momentum",
      .type = CLI_REAL,
      .metavar = "M",
      .at = offsetof(train_args, momentum),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.9",
      .help = "of SGD" },
    { .name = "weight-decay",
      .type = CLI_REAL,
      .metavar = "D",
      .at = offsetof(train_args, weight_decay),
      .low = 0,
      .high = 1000,
      .initial = "0",
      .help = "of SGD" },
    { .name = "nesterov",
      .type = CLI_FLAG,
      .at = offsetof(train_args, nesterov),
      .help = "use Nesterov's momentum" },
    { .name = "augment",
      .type = CLI_TEXT,
      .metavar = "SPEC",
      .at = offsetof(train_args, augment.spec),
      .initial = "none",
      .help = "change training images at random, anew in each epoch: none, light, "
              "medium, strong, or steps such as 'crop=0.5,hflip,color=0.2', see below; "
              "validation sees images as they are" },
    { .name = "head-augment",
      .type = CLI_TEXT,
      .metavar = "SPEC",
      .at = offsetof(train_args, augment.head_spec),
      .help = "the same for the first phase (default: as --augment)" },
    { .name = "views",
      .type = CLI_INT,
      .metavar = "K",
      .at = offsetof(train_args, augment.views),
      .min = 0,
      .max = 1000,
      .initial = "0",
      .help = "augmented views of each image that epochs see in turn, so that features "
              "of frozen layers are made once for each and kept; 0 for another view in "
              "every epoch, and no features" },
    { .name = "mixup",
      .type = CLI_REAL,
      .metavar = "A",
      .at = offsetof(train_args, augment.mixup),
      .low = 0,
      .high = 1000,
      .initial = "0",
      .help = "blend pairs of training images and their labels, by a share from "
              "Beta(A, A) for each step; 0 for no" },
    { .name = "cutmix",
      .type = CLI_REAL,
      .metavar = "A",
      .at = offsetof(train_args, augment.cutmix),
      .low = 0,
      .high = 1000,
      .initial = "0",
      .help = "paste rectangles of other training images, and mix the labels by area; "
              "with --mixup too each step does one of the two" },
    { .name = "label-smoothing",
      .type = CLI_REAL,
      .metavar = "E",
      .at = offsetof(train_args, augment.smoothing),
      .low = 0,
      .high = 1,
      .initial = "0",
      .help = "part of each training label that is spread over all classes" },
    { .name = "bn",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, bn),
      .choice = bn_modes,
      .initial = "auto",
      .help = "statistics of batch norm: auto takes the running ones where a layer is "
              "frozen and the batch's where it trains, batch the batch's everywhere as "
              "PyTorch's model.train(), frozen the running ones everywhere" },
    { .name = "val",
      .type = CLI_REAL,
      .metavar = "FRACTION",
      .at = offsetof(train_args, data.val),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.2",
      .help = "of the images kept for validation where DATA has no parts" },
    { .name = "test",
      .type = CLI_REAL,
      .metavar = "FRACTION",
      .at = offsetof(train_args, data.test),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0",
      .help = "of them kept for 'afina eval --split test'" },
    { .name = "plain-split",
      .type = CLI_FLAG,
      .at = offsetof(train_args, data.plain_split),
      .help = "draw them without a look at the images, which takes about as long as "
              "decoding each once, leaves out what cannot be read and keeps "
              "near-duplicates on one side" },
    { .name = "class-order",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, data.order),
      .choice = cli_class_orders,
      .initial = "string",
      .help = cli_class_order_help },
    { .name = "class-weights",
      .type = CLI_TEXT,
      .metavar = "none|balanced|FILE",
      .at = offsetof(train_args, class_weights),
      .initial = "none",
      .help = "what each class counts in the loss: balanced as much as its images are "
              "few, FILE lines of class,weight" },
    { .name = "sampler",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, sampler),
      .choice = samplers,
      .initial = "shuffle",
      .help = "images of an epoch: each once, or drawn so that classes come equally "
              "often" },
    { .name = "strict",
      .type = CLI_FLAG,
      .at = offsetof(train_args, data.strict),
      .help =
          "stop at the first image that cannot be read, instead of skipping it with "
          "a warning" },
    { .name = "cache-images",
      .type = CLI_TEXT,
      .metavar = "auto|off|SIZE",
      .at = offsetof(train_args, cache_images),
      .initial = "auto",
      .help =
          "memory for decoded and resized images, which are then made once (auto: a "
          "quarter of the memory that is available); the results do not depend on "
          "it" },
    { .name = "image-size",
      .type = CLI_INT,
      .metavar = "PIXELS",
      .at = offsetof(train_args, image_size),
      .min = 1,
      .max = 16384,
      .help =
          "side of the network's input; without --resize that follows in proportion "
          "(default: the model's)" },
    { .name = "resize",
      .type = CLI_INT,
      .metavar = "PIXELS",
      .at = offsetof(train_args, resize),
      .min = 0,
      .max = 65536,
      .help = "shorter side of an image before the crop, 0 for no resize (default: the "
              "model's)" },
    { .name = "fit",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, fit),
      .choice = fits,
      .help = "how an image becomes a square: crop resizes it and cuts out the centre, "
              "letterbox shows all of it on black, pad does so without enlarging small "
              "ones, squash ignores its proportions (default: the model's, crop at "
              "first); recorded in the model" },
    { .name = "no-normalize",
      .type = CLI_FLAG,
      .at = offsetof(train_args, no_normalize),
      .help = "leave pixels in [0, 1] instead of normalising by ImageNet's mean and "
              "deviation" },
    { .name = "no-exif",
      .type = CLI_FLAG,
      .at = offsetof(train_args, no_exif),
      .help = "do not turn photos as their camera's EXIF orientation says, which is "
              "what torchvision's loader does; recorded in the model" },
    { .name = "fast-decode",
      .type = CLI_FLAG,
      .at = offsetof(train_args, fast_decode),
      .help = "decode JPEGs at 1/2, 1/4 or 1/8 of their size where the resize needs no "
              "more: several times faster on large photos, other pixels than "
              "torchvision's; recorded in the model" },
    { .name = "keep-head",
      .type = CLI_FLAG,
      .at = offsetof(train_args, keep_head),
      .help = "go on with the head that --weights has; the classes must be the same" },
    { .name = "no-shuffle",
      .type = CLI_FLAG,
      .at = offsetof(train_args, no_shuffle),
      .help = "take the images in the same order in every epoch" },
    { .name = "seed",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, data.seed),
      .min = 0,
      .max = INT64_MAX,
      .initial = "0",
      .help =
          "of the new head, the split, the order of the images and what augmentation "
          "draws" },
    { .name = "exact",
      .type = CLI_FLAG,
      .at = offsetof(train_args, exact),
      .help = "no Winograd convolutions: slower, rounds as PyTorch does" },
    { .name = "threads",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, data.threads),
      .min = 0,
      .max = 1024,
      .initial = "0",
      .help = "processors to use, 0 for all" },
    { .name = "precision",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, precision),
      .choice = cli_precisions,
      .initial = "fp32",
      .help = cli_precision_help },
    { .name = "backend",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, backend),
      .choice = backends,
      .initial = "cpu",
      .hidden = true,
      .help = "what computes" },
    { .name = "feature-cache",
      .type = CLI_TEXT,
      .metavar = "auto|off|SIZE",
      .at = offsetof(train_args, feature_cache),
      .initial = "auto",
      .help = "memory for what frozen layers make of each image, computed in the first "
              "epoch of a phase and kept for the others; more than SIZE (auto: a "
              "quarter of the memory that is available) goes into a file in DIR while "
              "the phase lasts; the results do not depend on it" },
    { .name = "profile",
      .type = CLI_FLAG,
      .at = offsetof(train_args, profile),
      .help = "print at the end where the time of each phase went" },
    { .name = "quiet",
      .letter = 'q',
      .type = CLI_FLAG,
      .at = offsetof(train_args, quiet),
      .help = "print nothing but errors" },
    { .name = NULL },
};
_Static_assert(sizeof options / sizeof options[0] <= CLI_MAX_OPTIONS,
               "cli_args.given has room for every option");

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
    .option = options,
    .notes = CLI_AUGMENT_NOTES
    "Written to DIR: model.safetensors and model.pth (the best epoch; all that\n"
    "'afina predict' needs, and what torchvision loads), last.pth, metrics.csv.\n"
    "Ctrl-C stops after the step, exit code 130; what finished epochs saved "
    "stays.\n\n"
    "example:\n"
    "  afina train photos --model resnet50 --weights resnet50.pth --out run1\n",
    .run = run,
};
