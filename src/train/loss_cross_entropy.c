/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and cross-entropy in one, row by row in double, for a target t that adds up
 * to 1: onehot(label), of mixed pictures share onehot(label) + (1 - share)
 * onehot(other), and with smoothing e of either (1 - e) t + e / classes:
 *   loss = - sum over rows and classes of w t log(softmax(x)) / d
 *   dx   = (sum of (w t) softmax(x) - w t) / d
 * where w is the weight of a class, 1 without weights, and d the number of rows or,
 * with weights and unmixed pictures, the sum of their labels' weights. */
#include <math.h>

#include "train/loss.h"

/* w t of class c in row i */
static double target(const afn_scored *s, int64_t i, int c)
{
    double t = c == s->labels[i] ? 1 : 0;
    if (s->other) t = s->share * t + (c == s->other[i] ? 1 - s->share : 0);
    if (s->smoothing > 0) t = (1 - s->smoothing) * t + s->smoothing / s->classes;
    return s->class_weight ? t * (double)s->class_weight[c] : t;
}

/*   per      1 / d */
static double row_loss(const afn_scored *s, int64_t i, float *dx, double per)
{
    const float *x = s->logits + i * s->classes;
    double max = x[0], sum = 0, all = 0, wanted = 0;
    for (int c = 1; c < s->classes; c++)
        if (x[c] > max) max = x[c];
    for (int c = 0; c < s->classes; c++) {
        const double t = target(s, i, c);
        sum += exp(x[c] - max);
        all += t;
        if (t > 0) wanted += t * (x[c] - max); /* what is left out may be infinite */
    }
    for (int c = 0; dx && c < s->classes; c++)
        dx[c] = (float)((all * exp(x[c] - max) / sum - target(s, i, c)) * per);
    return per * (all * log(sum) - wanted);
}

double afn_loss_weight(const afn_scored *s)
{
    double d = 0;
    if (!s->class_weight || s->other) return (double)s->n;
    for (int64_t i = 0; i < s->n; i++) d += (double)s->class_weight[s->labels[i]];
    return d;
}

double afn_cross_entropy(const afn_scored *s, float *dlogits)
{
    const double d = afn_loss_weight(s), per = d > 0 ? 1 / d : 0;
    double loss = 0;
    for (int64_t i = 0; i < s->n; i++)
        loss += row_loss(s, i, dlogits ? dlogits + i * s->classes : NULL, per);
    return loss;
}

int afn_rank_of_label(const afn_scored *s, int64_t i)
{
    const float *x = s->logits + i * s->classes;
    const int label = s->labels[i];
    int rank = 0;
    for (int c = 0; c < s->classes; c++)
        if (x[c] > x[label] || (c < label && x[c] == x[label])) rank++;
    return isnan(x[label]) ? s->classes - 1 : rank;
}

int afn_best_class(const afn_scored *s, int64_t i)
{
    const float *x = s->logits + i * s->classes;
    int best = 0;
    for (int c = 1; c < s->classes; c++)
        if (x[c] > x[best] || isnan(x[best])) best = c;
    return best;
}
