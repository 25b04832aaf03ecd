/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: all that a run carries, for the files that it is made of.
 *
 *   fit.c         options, opening, the list of phases
 *   fit_phase.c   one phase: a trainer, kept features, its epochs
 *   fit_epoch.c   one epoch: steps, validation
 *   fit_solve.c   one that is solved at once, see objective.h
 *   fit_end.c     what the end leaves, be it reached, asked for or a failure
 *   fit_forecast.c  what a run will take
 *   fit_lr_find.c   which rates it can take
 *   records.c     what the run tells of itself: run.jsonl, TensorBoard
 *   checkpoint.c  a run put down and taken up again */
#ifndef AFN_TRAIN_FIT_H
#define AFN_TRAIN_FIT_H

#include "train/run/best.h"
#include "train/run/fields.h"
#include "train/run/record_files.h"
#include "train/run/run_folder.h"
#include "train/score/evaluate.h"
#include "train/stop_rules.h"
#include "train/trainer.h"

/* Where a run is: between two steps. */
typedef struct afn_place {
    int64_t phase; /* at hand, from 0; the number of phases behind the last one */
    int64_t start; /* epochs of the run before the phase */
    int64_t epoch; /* epochs of the phase that are over */

    /* Of the epoch at hand; all 0 between two epochs. */
    int64_t batches; /* of the loader, done with */
    int64_t steps, images, correct;
    double loss;  /* sum over images */
    double lr;    /* of the last step */
    double rate;  /* images per second, once it is trained: */
    bool trained; /* validation is what is left */
} afn_place;

/* When last.ckpt was written last, and at which step of the run. */
typedef struct afn_checkpoint_pace {
    afn_pace pace;
    int64_t steps; /* since */
    bool current;  /* the file says where the run is now */
} afn_checkpoint_pace;

/* What was told of the run last, and when. */
typedef struct afn_told {
    int64_t images; /* whose features are kept, by on_features */
    int64_t steps;  /* since one was recorded */
    double step_s;  /* when that was */
    double phase_s; /* when the phase began, in this process */
} afn_told;

typedef struct afn_fit_run {
    afn_model *model;
    afn_fit_opts o;
    int *train_map, *val_map; /* data set's class -> model's */
    int *labels, *other;      /* [batch] of the batch at hand, mapped */
    bool *changes;            /* [params] what the phase at hand changes */
    float *class_weight;      /* [classes of the model], NULL = all alike */
    int64_t image_room;       /* bytes that preprocessed images may still take */
    afn_batches train, val;
    afn_predictor *predictor; /* for validation, NULL = none */
    afn_run_folder folder;
    afn_record_files records;
    afn_told told;
    int lock; /* of the folder, -1 = none */
    afn_best best;
    afn_place at;
    afn_stop_rules rules;
    afn_fit_end end;    /* why no further epoch follows */
    afn_buf settings;   /* of this run, see run_settings.h */
    afn_fields resumed; /* the checkpoint gone on from, until its phase has begun */
    afn_checkpoint_pace ckpt;
    int run_epoch, run_of;
    double val_seconds; /* of the last validation */
} afn_fit_run;

/* ---- fit.c: for a run and for its forecast ---- */

/* Take the options, checked; phases of the defaults go into `phases`. */
afn_status afn_fit__begin(afn_fit_run *f, afn_phase phases[2], afn_model *m,
                          const afn_dataset *val, const afn_fit_opts *opts);

/* Open what a run needs; a folder only where out is not NULL. */
afn_status afn_fit__open(afn_fit_run *f, const afn_dataset *train,
                         const afn_dataset *val, const char *out);
void afn_fit__close(afn_fit_run *f); /* a zeroed one with lock -1 is a no-op */

/* ---- fit_phase.c ---- */

/* Freeze all but what the phase trains, and make its trainer. */
afn_status afn_fit__set_up(afn_fit_run *f, afn_trainer **t, const afn_phase *phase);

/* Augment as the phase does, and split both plans where frozen layers come first. */
afn_status afn_fit__split(afn_fit_run *f, afn_plan *plan, const afn_phase *phase);
void afn_fit__join(afn_fit_run *f);

/* Weights of the model that train now, or that do not. */
int64_t afn_fit__count(const afn_model *m, bool trained);

/* Train the phase at hand, from where the run is, and move on behind it. */
afn_status afn_fit__phase(afn_fit_run *f);

/* ---- fit_epoch.c ---- */

/* One step.
 *   features  as for afn_trainer__step() */
afn_status afn_fit__train_batch(afn_fit_run *f, afn_trainer *t, const afn_batch *b,
                                const void *features, afn_step_result *r);

/* Train and validate; the place is then between two epochs.  *e is what came out. */
afn_status afn_fit__epoch(afn_fit_run *f, afn_trainer *t, afn_epoch *e);

/* The second half of that, for weights that are in the model: validate, keep what came
 * out, move on.
 *   start    when the epoch began */
afn_status afn_fit__close_epoch(afn_fit_run *f, afn_epoch *e, double start);

/* ---- fit_solve.c ---- */

/* Solve the phase; fills the training part of e.  Where it fails or is stopped the
 * weights are as before. */
struct afn_objective;
afn_status afn_fit__solve(afn_fit_run *f, struct afn_objective *o, afn_epoch *e);

/* ---- fit_end.c ---- */

/* What was not due yet. */
afn_status afn_fit__save_all(afn_fit_run *f);

/* The end of a run that came to st.  A stopped run leaves all files as well, but stays
 * stopped; a failed one saves its best epoch and goes on failing for its own reason. */
afn_status afn_fit__finish(afn_fit_run *f, afn_status st);

#endif
