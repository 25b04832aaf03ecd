/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and cross-entropy in one, row by row in double, for a target t that adds up
 * to 1: onehot(label), of mixed pictures share onehot(label) + (1 - share)
 * onehot(other), and with smoothing e of either (1 - e) t + e / classes: loss = mean
 * over rows of log(sum exp(x - max)) - sum t (x - max) dx   = (softmax(x) - t) / n */
#include <math.h>

#include "train/loss.h"

/* t of class c in row i */
static double target(const afn_scored *s, int64_t i, int c)
{
    double t = c == s->labels[i] ? 1 : 0;
    if (s->other) t = s->share * t + (c == s->other[i] ? 1 - s->share : 0);
    return s->smoothing > 0 ? (1 - s->smoothing) * t + s->smoothing / s->classes : t;
}

/* sum t (x - max): what t leaves out is not touched, be it infinite. */
static double wanted(const afn_scored *s, int64_t i, const float *x, double max)
{
    double v = 0;
    for (int c = 0; c < s->classes; c++) {
        const double t = target(s, i, c);
        if (t > 0) v += t * (x[c] - max);
    }
    return v;
}

static double row_loss(const afn_scored *s, int64_t i, float *dx)
{
    const float *x = s->logits + i * s->classes;
    double max = x[0], sum = 0;
    for (int c = 1; c < s->classes; c++)
        if (x[c] > max) max = x[c];
    for (int c = 0; c < s->classes; c++) sum += exp(x[c] - max);
    for (int c = 0; dx && c < s->classes; c++) {
        const double p = exp(x[c] - max) / sum;
        dx[c] = (float)((p - target(s, i, c)) / (double)s->n);
    }
    return log(sum) - wanted(s, i, x, max);
}

double afn_cross_entropy(const afn_scored *s, float *dlogits)
{
    double loss = 0;
    for (int64_t i = 0; i < s->n; i++)
        loss += row_loss(s, i, dlogits ? dlogits + i * s->classes : NULL);
    return loss / (double)s->n;
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
