/* SPDX-License-Identifier: Apache-2.0 */
/* What a running 'afina train' carries, for the files that it is made of: cmd_train.c
 * runs it, train_put.c says what will be done and what came out. */
#ifndef AFN_CLI_TRAINING_H
#define AFN_CLI_TRAINING_H

#include "progress.h"
#include "resume.h"
#include "train_args.h"

typedef struct training {
    const train_args *o;
    const cli_resume *resumed;
    afn_data_parts parts;
    afn_dataset *train, *val; /* of parts; val may be NULL */
    float *class_weight;      /* [classes], NULL = all alike */
    int64_t skipped;          /* images, so far */
    afn_model *m;
    afn_phase phase[CLI_MAX_PHASES];
    int64_t trained[CLI_MAX_PHASES], parameters; /* per phase, of all */
    afn_profile profile[CLI_MAX_PHASES];
    int n_phases;
    afn_forecast forecast;
    double phase_seconds[CLI_MAX_PHASES]; /* as forecast */
    afn_precision precision;              /* on this machine */
    cli_progress progress;
    int epochs_done;
    bool has_page; /* report.html is written */
    afn_fit_end end;
} training;

/* ---- train_put.c: to stdout ---- */

/* Before it starts: data, model, phases. */
void cli_train_put_plan(const training *s);

/* The library's word on kept features. */
void cli_train_put_features(const afn_features *f);

/* What solving a phase came to. */
void cli_train_put_solved(const afn_solved *s);

/* At the end: the best epoch and the files. */
void cli_train_put_outcome(const training *s, const afn_epoch *best);

/* Where the time of each phase went.  Returns an exit code. */
int cli_train_put_profiles(const training *s);

#endif
