/* SPDX-License-Identifier: Apache-2.0 */
/* The learning-rate range test: train with a rate that rises from step to step, and see
 * where the loss falls and where it no longer does (Smith, "Cyclical Learning Rates for
 * Training Neural Networks"; fastai's and Lightning's lr_find). */
#ifndef AFINA_LR_FIND_H
#define AFINA_LR_FIND_H

#include "afina/data.h"
#include "afina/model.h"
#include "afina/status.h"
#include "afina/train.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct afn_lr_find_opts {
    float from, to; /* the rates of the first and the last step, between them each is so
                     * many times the one before; default 1e-7 to 10 */
    int steps;      /* from 2, default 100 */
} afn_lr_find_opts;
AFN_API afn_lr_find_opts afn_lr_find_defaults(void);

/* What one phase of a run showed. */
typedef struct afn_lr_curve {
    const char *phase; /* borrowed from the options */
    int n;             /* steps that were done */
    float *lr;         /* [n] */
    double *loss;      /* [n] of each step's batch, smoothed: an exponential average of
                        * decay 0.98, corrected for its beginning */
    bool diverged;     /* the smoothed loss came to four times its least, or was no
                        * number, before the last step */
    float steepest;    /* the rate at which the smoothed loss fell fastest over the
                        * logarithm of the rate, the first ten steps apart; 0 = nowhere */
    float tenth;       /* a tenth of the rate of the least smoothed loss, 0 as above */
} afn_lr_curve;

typedef struct afn_lr_find {
    afn_lr_curve *phase; /* [n_phases], owned; n = 0 where a phase has no epochs or is
                          * solved at once, and so has no rate */
    int n_phases;
} afn_lr_find;

/* Test every phase of a run, each from the weights that m has now, with the phase's
 * optimiser and images but a schedule of its own.  Images are gone over again where
 * there are fewer than the steps need.  Nothing is written, m keeps its weights; which
 * of its parameters are trainable is left as the last phase has it.
 *
 *   out      zeroed on failure; free with afn_lr_find_free()
 *   val      may be NULL; what it decides of a run (no validation) decides here
 *   opts     those for afn_fit(); callbacks but on_step, which may stop the test, are
 *            not called.  NULL means defaults
 *   how      NULL means defaults
 *
 * Errors     those of afn_fit(); AFN_EINVAL for rates or steps out of range */
AFN_API afn_status afn_fit_lr_find(afn_lr_find *out, afn_model *m,
                                   const afn_dataset *train, const afn_dataset *val,
                                   const afn_fit_opts *opts,
                                   const afn_lr_find_opts *how);
AFN_API void afn_lr_find_free(afn_lr_find *f); /* a zeroed one is a no-op */

#ifdef __cplusplus
}
#endif
#endif
