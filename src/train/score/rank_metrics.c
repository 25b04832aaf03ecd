/* SPDX-License-Identifier: Apache-2.0 */
/* Area under the ROC curve and average precision, as scikit-learn's roc_auc_score and
 * average_precision_score: images with equal scores count as one threshold. */
#include <math.h>
#include <stdlib.h>

#include "train/score/metrics.h"

typedef struct ranked {
    float score;
    bool is_class;
} ranked;

static int by_falling_score(const void *pa, const void *pb)
{
    const ranked *a = pa, *b = pb;
    return (a->score < b->score) - (a->score > b->score);
}

/* Walk down the thresholds: tp and fp are what lies at or above each. */
static afn_ranking walk(const ranked *r, int64_t n, int64_t positive)
{
    const double negative = (double)(n - positive);
    double area = 0, precision = 0;
    int64_t tp = 0, fp = 0;
    for (int64_t i = 0; i < n;) {
        const int64_t tp_before = tp, fp_before = fp;
        const float threshold = r[i].score;
        for (; i < n && r[i].score == threshold; i++) {
            tp += r[i].is_class;
            fp += !r[i].is_class;
        }
        area += (double)(fp - fp_before) * 0.5 * (double)(tp + tp_before);
        precision += (double)(tp - tp_before) * (double)tp / (double)(tp + fp);
    }
    return (afn_ranking){ .auc = positive && negative > 0
                                     ? area / ((double)positive * negative)
                                     : (double)NAN,
                          .average_precision =
                              positive ? precision / (double)positive : (double)NAN };
}

afn_status afn_rank_scores(afn_ranking *out, const float *score, const bool *is_class,
                           int64_t n)
{
    int64_t positive = 0;
    ranked *r = afn_alloc_array((size_t)n, sizeof *r);
    *out = (afn_ranking){ (double)NAN, (double)NAN };
    if (!r) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < n; i++) {
        /* what is no number is sorted to the end */
        r[i].score = isnan(score[i]) ? -INFINITY : score[i];
        r[i].is_class = is_class[i];
        positive += is_class[i];
    }
    qsort(r, (size_t)n, sizeof *r, by_falling_score);
    *out = walk(r, n, positive);
    afn_free(r);
    return AFN_OK;
}
