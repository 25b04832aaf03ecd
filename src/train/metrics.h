/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: numbers that follow from what a model says. */
#ifndef AFN_TRAIN_METRICS_H
#define AFN_TRAIN_METRICS_H

#include "afina/metrics.h"
#include "train/train.h"

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
