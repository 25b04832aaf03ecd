/* SPDX-License-Identifier: Apache-2.0 */
/* What 'afina train' can be told, and what the library makes of it.
 *
 * Options come in groups.  A group is a struct in here, a file <group>_args.c with the
 * table of its rows, and a word in the list of tables in train_args.c; the first row of
 * a table names the section that help shows it under. */
#ifndef AFN_CLI_TRAIN_ARGS_H
#define AFN_CLI_TRAIN_ARGS_H

#include "augment_args.h"
#include "cli.h"
#include "data_open.h"
#include "optim_args.h"
#include "phase_args.h"
#include "progress.h"
#include "run_args.h"
#include "schedule_args.h"
#include "train_data_args.h"

typedef struct cli_config cli_config;

typedef struct train_args {
    const char *source; /* DATA */
    const char *config;
    const char *config_text; /* what it held, for a run that goes on */
    bool print_config;
    int preset;       /* index into cli_presets[] */
    cli_config *file; /* NULL = none; to be freed */
    const char *model, *weights, *out;
    bool keep_head;

    int64_t head_epochs, tune_epochs;
    double head_lr, tune_lr;
    int head_solver;
    const char *head_l2;
    phase_args self; /* of one phase */
    const char *unfreeze;
    const char *batch_text;
    int64_t batch; /* what --batch says; of auto the largest tried */
    bool batch_auto;
    int64_t batch_parts; /* batches that make the one asked for */
    int bn;
    optim_args optim;
    schedule_args schedule;
    augment_args augment;
    run_args run;

    cli_data_args data; /* seed and threads are those of all else too */
    const char *class_weights;
    int sampler;
    bool no_shuffle;
    train_image_args image;

    int precision, backend;
    bool exact;
    const char *feature_cache, *cache_images;
    int64_t feature_memory; /* what --feature-cache says, 0 = auto, -1 = off */
    int64_t image_memory;   /* what --cache-images says, 0 = off, -1 = auto */

    bool profile, quiet, no_tensorboard, dry_run, lr_find, json, no_report;
    int progress; /* cli_progress_mode, with what --quiet says of it */
    const char *record_every;
    int64_t record_steps; /* what --record-every says: one of the two */
    double record_s;
} train_args;

/* The tables of their rows; ends with NULL. */
extern const cli_option *const cli_train_options[];

/* Does the call only ask what a run would do, and write nothing? */
bool cli_train_tries(const train_args *o);

/* Parse and check the command line: CLI_GO_ON or an exit code. */
int cli_train_parse(train_args *o, const cli_command *c, int argc, char **argv);

/* The phases that they ask for; returns how many, at least 1. */
int cli_train_phases(afn_phase phase[CLI_MAX_PHASES], const train_args *o);

/* What else they say of the run; the rest stays as it is by default. */
void cli_train_opts(afn_fit_opts *opts, const train_args *o);

#endif
