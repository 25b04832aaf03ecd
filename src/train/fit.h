/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: all that a run carries, for the files that it is made of.
 *
 *   fit.c         options, opening, the list of phases
 *   fit_phase.c   one phase: a trainer, kept features, its epochs
 *   fit_epoch.c   one epoch: steps, validation
 *   fit_end.c     what the end leaves, be it reached, asked for or a failure
 *   checkpoint.c  a run put down and taken up again */
#ifndef AFN_TRAIN_FIT_H
#define AFN_TRAIN_FIT_H

#include "train/best.h"
#include "train/evaluate.h"
#include "train/fields.h"
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
    double loss; /* sum over images */
    double lr;   /* of the last step */
} afn_place;

/* When last.ckpt was written last, and at which step of the run. */
typedef struct afn_checkpoint_pace {
    afn_pace pace;
    int64_t steps; /* since */
    bool current;  /* the file says where the run is now */
} afn_checkpoint_pace;

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
    int64_t told_kept;  /* images, what on_features was told last */
} afn_fit_run;

/* ---- fit_phase.c ---- */

/* Train the phase at hand, from where the run is, and move on behind it. */
afn_status afn_fit__phase(afn_fit_run *f);

/* ---- fit_epoch.c ---- */

/* Train and validate; the place is then between two epochs.  *e is what came out. */
afn_status afn_fit__epoch(afn_fit_run *f, afn_trainer *t, afn_epoch *e);

/* ---- fit_end.c ---- */

/* What was not due yet. */
afn_status afn_fit__save_all(afn_fit_run *f);

/* The end of a run that came to st.  A stopped run leaves all files as well, but stays
 * stopped; a failed one saves its best epoch and goes on failing for its own reason. */
afn_status afn_fit__finish(afn_fit_run *f, afn_status st);

#endif
