/* SPDX-License-Identifier: Apache-2.0 */
/* How good a model is: what it says about every image of a data set, the numbers that
 * follow from that, and the temperature that makes its probabilities honest.  Numbers
 * are those of scikit-learn where it has them; docs/metrics.md says what each is. */
#ifndef AFINA_METRICS_H
#define AFINA_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "afina/data.h"
#include "afina/model.h"
#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a model says ---- */

/* Logits of every image that could be read, in the data set's order. */
typedef struct afn_scores {
    int64_t count;
    int classes;     /* of the model */
    float *logits;   /* (count, classes), owned */
    int *labels;     /* (count) in the model's order, owned */
    int64_t *index;  /* (count) place in the data set, owned */
    int64_t skipped; /* images that could not be read */
    double seconds;  /* from the first image to the last */
} afn_scores;

typedef struct afn_score_opts {
    afn_predict_opts predict; /* default a batch of 32 */
    bool strict; /* default false; true: an image that cannot be read is an error */
    /* After each batch, NULL (default) = not told; anything but 0 stops with
     * AFN_ECANCELLED. */
    int (*on_batch)(int64_t done, int64_t of, void *user);
    void *user;
} afn_score_opts;
AFN_API afn_score_opts afn_score_defaults(void);

/* Run a model over a data set.  Classes are matched by name where the model has names,
 * and by position where it has none.
 *
 *   out      zeroed on failure; free with afn_scores_free()
 *   opts     NULL means defaults
 * Errors     AFN_EINVAL  the data set has a class that the model lacks (named)
 *            AFN_ECANCELLED, those of reading an image with strict, AFN_ENOMEM */
AFN_API afn_status afn_score(afn_scores *out, const afn_model *m, const afn_dataset *d,
                             const afn_score_opts *opts);
AFN_API void afn_scores_free(afn_scores *s); /* a zeroed one is a no-op */

/* Add the images of `more`, of the same classes; their index stays their own data
 * set's.
 * Errors     AFN_EINVAL for another number of classes, AFN_ENOMEM */
AFN_API afn_status afn_scores_add(afn_scores *s, const afn_scores *more);

/* ---- numbers ---- */

/* A number with the 95 % interval that it lies in if other images like these were
 * taken; all NaN where there is nothing to count. */
typedef struct afn_estimate {
    double value, low, high;
} afn_estimate;

/* Wilson's score interval of `part` out of `of`. */
AFN_API afn_estimate afn_wilson(int64_t part, int64_t of);

typedef struct afn_class_metrics {
    int64_t images, predicted, right;
    afn_estimate precision, recall, f1;
    double auc; /* area under the ROC curve, this class against all others;
                 * NaN where all images are of one kind */
    double average_precision; /* NaN without images */
} afn_class_metrics;

/* Means over the classes that have images or were predicted; what is not defined counts
 * as 0. */
typedef struct afn_average {
    double precision, recall, f1;
} afn_average;

enum { AFN_BINS = 15 };

/* Images whose probability of the predicted class is in ((i)/15, (i+1)/15]. */
typedef struct afn_bin {
    int64_t images;
    double confidence; /* mean probability, NaN without images */
    double accuracy;   /* share that is right */
} afn_bin;

typedef struct afn_metrics {
    int64_t count, right;
    int classes;
    double temperature; /* that probabilities were made with */
    afn_estimate accuracy, top5;
    double balanced_accuracy; /* mean recall of the classes that have images */
    double kappa, mcc;        /* Cohen's kappa, Matthews' coefficient */
    double log_loss;          /* mean cross-entropy */
    double brier;             /* mean squared distance of the probabilities, 0 to 2 */
    double ece;               /* expected calibration error over the bins */
    double auc, average_precision; /* means over the classes where they are defined */
    afn_average macro, weighted;   /* weighted by images */
    afn_class_metrics *per_class;  /* [classes], owned */
    int64_t *confusion; /* (classes, classes): rows truth, columns prediction; owned */
    afn_bin bin[AFN_BINS];
} afn_metrics;

/*   temperature  that logits are divided by before they become probabilities, above 0;
 *                1 = as they are
 * Errors     AFN_EINVAL for no images or a temperature out of range; AFN_ENOMEM */
AFN_API afn_status afn_measure(afn_metrics *out, const afn_scores *s,
                               double temperature);
AFN_API void afn_metrics_free(afn_metrics *m); /* a zeroed one is a no-op */

/* Predicted class of image i and its probability: the first of the largest logits. */
AFN_API int afn_scores_best(const afn_scores *s, int64_t i, double temperature,
                            double *probability);

/* ---- calibration ---- */

/* Find the temperature with the smallest cross-entropy on images that the model was not
 * trained with, and the probability below which an answer is better not given.
 *
 * The true class counts n+1 times out of n+2, as in Platt's fit of a sigmoid: else
 * images without a mistake would lead to certainty.
 *
 *   quantile     of the images that are right, as many would be taken for unknown: 0.05
 *                = one in twenty; [0, 1)
 * Errors     AFN_EINVAL for no images or a quantile out of range; AFN_ENOMEM */
AFN_API afn_status afn_calibrate(afn_calibration *out, const afn_scores *s,
                                 double quantile);

#ifdef __cplusplus
}
#endif
#endif
