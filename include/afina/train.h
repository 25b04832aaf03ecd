/* SPDX-License-Identifier: Apache-2.0 */
/* Training: single steps for programs of one's own, and whole runs in phases. */
#ifndef AFINA_TRAIN_H
#define AFINA_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "afina/data.h"
#include "afina/model.h"
#include "afina/optim.h"
#include "afina/profile.h"
#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- step by step ---- */

/* A model compiled for training those of its parameters that are trainable now, with
 * cross-entropy and an optimiser. */
typedef struct afn_trainer afn_trainer;

typedef struct afn_trainer_opts {
    afn_optim_opts optim;       /* default SGD, lr 0.001, momentum 0.9 */
    afn_schedule_opts schedule; /* default constant */

    /* What a schedule must know of the run; read by cosine and onecycle. */
    int epochs;          /* default 0 */
    int64_t epoch_steps; /* batches of an epoch, default 0 */

    afn_bn_mode bn;          /* default AFN_BN_AUTO */
    int64_t batch;           /* images of a usual step, default 32; others work too */
    uint64_t seed;           /* of dropout, default 0 */
    int threads;             /* 0 (default) = every processor */
    const char *backend;     /* "cpu" (default) or "ref" */
    afn_precision precision; /* default AFN_PRECISION_FP32 */
    bool exact; /* default false; true: no algorithm that trades accuracy for time, see
                 * docs/algorithms.md */
    float label_smoothing; /* as torch.nn.CrossEntropyLoss has it, 0 (default) to 1 */

    /* [classes] what each counts in the loss, from 0, as
     * torch.nn.CrossEntropyLoss(weight=); copied; NULL (default) = all alike */
    const float *class_weight;
} afn_trainer_opts;
AFN_API afn_trainer_opts afn_trainer_defaults(void);

/*   opts     NULL means defaults
 * Memory     borrows the model until afn_trainer_free(); freeze, unfreeze and replace
 *            its head only after that
 * Errors     AFN_EINVAL out of range or nothing trainable; AFN_ENOMEM, AFN_EBACKEND */
AFN_API afn_status afn_trainer_new(afn_trainer **out, afn_model *m,
                                   const afn_trainer_opts *opts);
AFN_API void afn_trainer_free(afn_trainer *t);

/* What one step saw. */
typedef struct afn_step_result {
    double loss;     /* mean cross-entropy of the batch, before the update; against
                      * smoothed and mixed labels where they are */
    int64_t correct; /* images whose largest logit is their label's; of mixed ones the
                      * label with the larger share */
} afn_step_result;

/* zero_grad, forward, loss, backward, optimizer.step in one; with optim.accumulate the
 * optimiser's part only in the last of so many calls.
 *   result   may be NULL
 * Errors     AFN_EINVAL  a label outside the classes, or a loss that is not a number:
 *                        the weights are then as before the step */
AFN_API afn_status afn_trainer_step(afn_trainer *t, const afn_batch *batch,
                                    afn_step_result *result);

/* After the last batch of an epoch: the optimiser's step for what optim.accumulate has
 * gathered, if anything, and one epoch more for the schedule, which does not move
 * without. */
AFN_API afn_status afn_trainer_end_epoch(afn_trainer *t);

/* After validation, for the plateau schedule: its loss, or another number that should
 * fall.  NaN is not better than anything. */
AFN_API void afn_trainer_report(afn_trainer *t, double loss);

/* Learning rate of the steps from now on, which the schedule changes on. */
AFN_API void afn_trainer_set_lr(afn_trainer *t, float lr);

/* Learning rate of the optimiser's next step, of parameters that learn at the full
 * rate. */
AFN_API float afn_trainer_lr(const afn_trainer *t);

/* Write the trained weights into the model: before saving, predicting or freeing. */
AFN_API afn_status afn_trainer_sync(afn_trainer *t);

/* The same with the average of the weights where optim.ema_decay asks for one. Training
 * goes on from the weights themselves. */
AFN_API afn_status afn_trainer_sync_average(afn_trainer *t);

/* ---- evaluation ---- */

/* Result over a data set. */
typedef struct afn_eval {
    int64_t count, correct,
        correct5; /* images; right by the largest, by five largest */
    double loss;  /* mean cross-entropy */
    double seconds;
    int classes;
    int64_t *confusion; /* (classes, classes): rows truth, columns prediction; owned */
    int64_t skipped;    /* images that could not be read, not counted above */
} afn_eval;

/* Evaluate in inference mode.  Classes are matched by name where the model has names,
 * and by position where it has none.
 *   opts     NULL means defaults, with a batch of 32
 * Errors     AFN_EINVAL  the data set has a class that the model lacks (named) */
AFN_API afn_status afn_evaluate(afn_eval *out, const afn_model *m, const afn_dataset *d,
                                const afn_predict_opts *opts);
AFN_API void afn_eval_free(afn_eval *e); /* a zeroed one is a no-op */

/* ---- whole runs ---- */

/* How a phase finds its weights. */
typedef enum afn_solver {
    AFN_SOLVER_EPOCHS, /* epochs of an optimiser's steps */
    AFN_SOLVER_LBFGS   /* at once, in one long epoch: see below */
} afn_solver;

/* AFN_SOLVER_LBFGS: L-BFGS with a line search, over all training images in each pass,
 * on kept features.  For what comes last, a head above all; of a linear head it finds
 * the one best there is, logistic regression:
 *
 *   mean cross-entropy + l2 / 2 (sum of squares of the weights, without biases)
 *
 * which with scikit-learn's C = 1 / (l2 images) is what LogisticRegression minimises.
 * The phase has one epoch.  Its network is a fixed function: no dropout, running
 * statistics throughout, fp32.  Names are those of torch.optim.LBFGS.
 *
 * A run refuses what is no fixed function (AFN_EINVAL): AFN_BN_BATCH, the balanced
 * sampler, mixed images, images augmented without views; and a phase whose features
 * are not kept, for want of a frozen part or of room.  AFN_EUNSUPPORTED: a phase that
 * trains below an auxiliary classifier. */
typedef struct afn_lbfgs_opts {
    double l2;    /* from 0; below 0 (default) = chosen by the loss of the validation
                   * images among 1, 0.32, 0.1 ... 1e-6, each begun where the one before
                   * ended; without validation images 1 / images, C = 1 */
    int max_iter; /* for each l2, default 1000 */
    int history_size;      /* default 10 */
    double tolerance_grad; /* of the largest component, default 1e-6 */
} afn_lbfgs_opts;
AFN_API afn_lbfgs_opts afn_lbfgs_defaults(void);

/* What solving a phase came to. */
typedef struct afn_solved {
    const char *phase;
    double l2;              /* of the solution */
    int tried;              /* values that it was chosen among, 0 where it was given */
    int iterations, passes; /* over the images, of all that were tried */
    double loss;            /* of the training images, with the penalty */
    bool converged;         /* the solution did */
    double seconds;
} afn_solved;

/* A stretch of epochs with one set of trainable parameters and one fresh optimiser. */
typedef struct afn_phase {
    const char *name;      /* "head", "tune": in metrics.csv */
    const char *trainable; /* pattern as for afn_model_unfreeze(); all else is frozen.
                            * NULL = the head */
    int epochs;
    afn_optim_opts optim;
    afn_schedule_opts schedule;
    afn_augment_opts augment; /* of training images; all zero = none */
    float label_smoothing;    /* 0 to 1 */
    afn_solver solver;        /* default AFN_SOLVER_EPOCHS; optim and schedule are read
                               * with that one only */
    afn_lbfgs_opts lbfgs;     /* of AFN_SOLVER_LBFGS */

    /* The phase ends early with the patience'th epoch in a row that is not better, by
     * more than min_delta, than the best before; 0 = never */
    int patience;
    double min_delta;
} afn_phase;

/* Of 5 epochs that train the head, with the defaults of SGD and a constant rate. */
AFN_API afn_phase afn_phase_defaults(void);

/* What is known after each epoch; val_* are NaN without validation images. */
typedef struct afn_epoch {
    const char *phase;
    int epoch;     /* 1, 2, ... within its phase */
    int of;        /* epochs in the phase */
    int run_epoch; /* 1, 2, ... over all phases */
    int run_of;
    double train_loss, train_acc; /* over the epoch's batches, as they were trained:
                                   * augmented, mixed, against smoothed labels */
    double val_loss, val_acc;
    float lr;                 /* of the last step, 0 where the phase is solved */
    double images_per_second; /* of training */
    double seconds;           /* with validation */
    bool best;                /* the best so far: saved as the model */
    int64_t skipped;          /* images that could not be read, of training and
                               * validation, so far in the run */
} afn_epoch;

/* Where a run is, for progress displays: called after every step. */
typedef struct afn_progress {
    const char *phase;
    int epoch, of;
    int64_t step, steps;      /* of the epoch */
    int64_t images;           /* of the epoch, so far */
    double images_per_second; /* of the epoch */
    double seconds_left;      /* of the phase, estimated from the epoch so far */
    double run_seconds_left;  /* of the whole run; NaN where a phase follows and nobody
                               * has said how long: see phase_seconds below */
    double loss, acc;         /* mean so far in the epoch */
    float lr;                 /* of this step */
} afn_progress;

/* What becomes of the features that a phase's frozen layers make of each image: the
 * same in every epoch, so that keeping them saves all that work after the first.
 * Results are the same bits with and without.  Of augmented images, features of each
 * view are kept, but none where every epoch has a view of its own, or mixes images. */
typedef struct afn_features {
    const char *phase;
    const char *before; /* the first layer that runs in every epoch: "fc" */
    bool kept;
    int64_t images;        /* whose features are kept, of training and validation */
    int views;             /* of each training image, 1 where they are not augmented */
    int64_t bytes;         /* of all their features */
    int64_t bytes_on_disk; /* of these, in an unnamed file of the run folder */
    const char *why;       /* the others are not kept; NULL where all are */
} afn_features;

/* What patience looks at, of the validation images. */
typedef enum afn_monitor { AFN_MONITOR_ACCURACY, AFN_MONITOR_LOSS } afn_monitor;

/* Why a run has no further epochs. */
typedef enum afn_fit_end {
    AFN_END_ALL,    /* it had all of them, or its phases had no patience for more */
    AFN_END_TARGET, /* the accuracy wanted is reached */
    AFN_END_TIME    /* its time is over: it can be resumed */
} afn_fit_end;

typedef struct afn_fit_opts {
    const afn_phase *phase; /* [n_phases]; default: the tutorial's two */
    int n_phases;
    afn_bn_mode bn;          /* default AFN_BN_AUTO */
    int64_t batch;           /* default 32 */
    bool shuffle;            /* default true */
    uint64_t seed;           /* default 0 */
    int threads;             /* 0 (default) = every processor */
    const char *backend;     /* "cpu" (default) or "ref" */
    afn_precision precision; /* default AFN_PRECISION_FP32; of validation too */
    bool exact; /* default false; true: no algorithm that trades accuracy for time, see
                 * docs/algorithms.md */
    const char *out;    /* run folder, made where missing: model.safetensors, model.pth
                         * (best epoch), last.pth, metrics.csv, config.json and
                         * run.jsonl, see docs/run-folder.md; NULL = none */
    bool feature_cache; /* keep features, default true */
    int64_t
        feature_memory; /* bytes for them, 0 (default) = a quarter of the memory that
                         * is available; what is more goes into a file in `out` */

    /* Images that cannot be read are left out with a warning; true: they end the run */
    bool strict;
    bool balanced; /* default false; see afn_loader_opts */
    /* [classes of train] see afn_trainer_opts; for training, not for validation */
    const float *class_weight;
    /* Bytes for preprocessed images, which are then decoded only once: -1 (default) = a
     * quarter of the memory that is available, 0 = none. */
    int64_t image_memory;

    /* At the end the best model is calibrated on the validation images, see
     * afn_calibrate(), with this quantile; default 0.05, below 0 = not */
    double unknown_quantile;

    /* When to stop before the last epoch; see afn_phase too */
    afn_monitor monitor;    /* default AFN_MONITOR_ACCURACY */
    double time_limit_s;    /* after the step that reaches it; 0 (default) = no limit */
    double target_accuracy; /* (0, 1] of the validation images; 0 (default) = none */

    /* Going on with a run that was stopped, failed or killed: docs/resume.md.  `out`
     * has last.ckpt, written after epochs, when the run stops, and as often as asked */
    bool resume;              /* default false; true: go on with the run in `out` */
    int64_t checkpoint_steps; /* after every so many steps too, 0 (default) = not */
    double checkpoint_s;      /* after every so many seconds too, 0 (default) = not */
    const char *note; /* kept in last.ckpt for who resumes: how to open the data again,
                       * for example; see afn_run_look(); NULL (default) = none */

    /* What the run tells of itself while it goes: docs/run-folder.md */
    bool tensorboard;     /* default true: event files in `out` too */
    int64_t record_steps; /* of steps: every so many, or */
    double record_s;      /* where that is 0 (default) one in so many seconds, default
                           * 1; in any case the last of each epoch */
    const char *config;   /* a JSON object that config.json gets as "command": how the
                           * data were opened, for example; NULL (default) = none */
    const double *phase_seconds; /* [n_phases] expected, for run_seconds_left; NULL
                                  * (default) = not known */
    /* Each line of run.jsonl, without its end; also without `out` */
    void (*on_record)(const char *line, void *user);

    /* Callbacks, NULL = none; anything but 0 stops the run with AFN_ECANCELLED. */
    int (*on_step)(const afn_progress *p, void *user);
    int (*on_epoch)(const afn_epoch *e, void *user);
    /* After each batch of validation; a run that stops there validates again when it
     * is gone on with. */
    int (*on_validation)(int64_t batches, int64_t of, void *user);
    /* Before the first epoch of a phase whose features could be kept, and again where
     * that has to be given up. */
    int (*on_features)(const afn_features *f, void *user);
    /* After a phase that was solved at once, before its on_epoch(). */
    void (*on_solved)(const afn_solved *s, void *user);
    /* Where the training time of a phase went, at its end; NULL = not measured. */
    void (*on_profile)(const char *phase, const afn_profile *p, void *user);
    /* At the end of a run that succeeded. */
    void (*on_end)(afn_fit_end why, void *user);
    void *user;
} afn_fit_opts;
AFN_API afn_fit_opts afn_fit_defaults(void);

/* The tutorial's two phases: the head for 5 epochs at 0.001, then everything for 5 at
 * 0.0001; SGD with momentum 0.9. */
AFN_API void afn_default_phases(afn_phase phase[2]);

/* Train in phases, validate after each epoch, keep the best epoch by validation
 * accuracy (then loss; without validation the last), write the run folder.
 *
 *   m        left with the best epoch's weights; with opts->resume it comes with the
 *            architecture, classes and preprocessing of the run, its weights are then
 *            last.ckpt's
 *   val      may be NULL
 *   best     may be NULL
 *
 * Errors     AFN_EINVAL options or classes that do not fit the model; AFN_EIO for the
 *            folder, before any work; AFN_ECANCELLED: files of finished epochs stay,
 *            and the run can be resumed.  To resume: AFN_ENOTFOUND where there is no
 *            run, AFN_EINVAL where it is finished, or where data or settings are others
 *            (named)
 *
 * metrics.csv is written after an epoch, model.safetensors after a best one; where
 * epochs are shorter than writing takes, up to some seconds later, at the latest when
 * the phase or the run ends, be it stopped or failed.  last.pth and model.pth come at
 * the end. */
AFN_API afn_status afn_fit(afn_model *m, const afn_dataset *train,
                           const afn_dataset *val, const afn_fit_opts *opts,
                           afn_epoch *best);

/* ---- runs on disk ---- */

/* Where the run in a folder is, from its last.ckpt. */
typedef struct afn_run_state {
    bool begun;    /* it has weights of its own: last.ckpt is then a model file too, as
                    * for afn_model_open() */
    bool finished; /* there is nothing to resume */
    int run_epoch, run_of; /* epochs that are over, of all */
    char *phase;           /* at hand, NULL where the run is over; owned */
    int epoch, of;         /* of the phase, 1, 2, ...: at hand */
    int64_t step;          /* of the epoch, done: 0 between two epochs */
    char *note;            /* afn_fit_opts's, "" where there was none; owned */
} afn_run_state;

/* Errors     AFN_ENOTFOUND where the folder has no run; AFN_EFORMAT, AFN_EIO,
 * AFN_ENOMEM
 */
AFN_API afn_status afn_run_look(afn_run_state *out, const char *folder);
AFN_API void afn_run_state_free(afn_run_state *s); /* a zeroed one is a no-op */

#ifdef __cplusplus
}
#endif
#endif
