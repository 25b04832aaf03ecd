/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: the loss of all training images as a function of the weights
 * that a phase trains, for who solves it as a whole:
 *
 *   f(w) = mean cross-entropy + l2 / 2 (sum of squares of weights, without biases)
 *
 * The network is a fixed function here: no dropout, running statistics, fp32.
 *
 * Features have means far from 0, which makes weights and biases pull against each
 * other, and the minimum hard to get at.  So the variables of a linear head are those
 * of the same head on features less their mean: W x + b = W (x - mean) + b', where
 * b' = b + W mean.  Minimum and penalty are the same. */
#ifndef AFN_TRAIN_OBJECTIVE_H
#define AFN_TRAIN_OBJECTIVE_H

#include "optim/lbfgs.h"
#include "train/fit.h"

typedef struct afn_objective {
    afn_fit_run *run;
    const afn_phase *phase;
    afn_plan *plan;
    double l2;
    int64_t n;               /* variables */
    float *before;           /* (n) the parameters, as they were */
    float *moved;            /* (n) scratch */
    float *logits, *dlogits; /* (batch, classes) */

    /* Of a linear head, else NULL: its variables are W, then b'. */
    float *mean; /* (inputs) of features */
    int64_t inputs;

    /* Of the last pass over the images. */
    double loss; /* mean cross-entropy */
    int64_t images, correct;
    double images_per_second;
} afn_objective;

/* A plan for what is trainable now.
 * Memory     borrows run and phase until ..._close() */
afn_status afn_objective_open(afn_objective *o, afn_fit_run *run,
                              const afn_phase *phase);
void afn_objective_close(afn_objective *o); /* a zeroed one is a no-op */

/* A first pass, which makes the features and their mean; before the calls below. */
afn_status afn_objective_begin(afn_objective *o);

/* The variables out of the model, and into it and the plan.
 *   x        (n) */
void afn_objective_get(const afn_objective *o, float *x);
afn_status afn_objective_set(afn_objective *o, const float *x);

/* The model's parameters as they were, to the bit. */
void afn_objective_undo(const afn_objective *o);

/* What to minimise.  A call is a pass over the images, told to on_step() batch by
 * batch; AFN_ECANCELLED where that wants to stop, or where the run's time is over. */
afn_smooth afn_objective_function(afn_objective *o);

#endif
