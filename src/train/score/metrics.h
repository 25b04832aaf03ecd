/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: numbers that follow from what a model says. */
#ifndef AFN_TRAIN_METRICS_H
#define AFN_TRAIN_METRICS_H

#include "afina/metrics.h"
#include "train/train.h"

/* What runs over which images. */
typedef struct afn_scoring {
    const afn_dataset *data;
    afn_loader *loader; /* of data, not shuffled */
    afn_predictor *predictor;
    const int *map; /* [data set's classes] from afn_train__map_classes() */
    int classes;    /* of the model */
} afn_scoring;

/* afn_score() with a predictor and a loader that live on. */
afn_status afn_train__score(afn_scores *out, const afn_scoring *w,
                            const afn_score_opts *opts);

/* How well one class's scores put its images before all others. */
typedef struct afn_ranking {
    double auc, average_precision;
} afn_ranking;

/*   score    (n) of each image for the class; only their order matters
 *   is_class (n)
 * Errors     AFN_ENOMEM */
afn_status afn_rank_scores(afn_ranking *out, const float *score, const bool *is_class,
                           int64_t n);

#endif
