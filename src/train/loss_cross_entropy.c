/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and cross-entropy in one, row by row in double:
 *   loss = mean over rows of log(sum exp(x - max)) - (x[label] - max)
 *   dx   = (softmax(x) - onehot(label)) / n */
#include <math.h>

#include "train/loss.h"

static double row_loss(const float *x, int label, int classes, float *dx, double n)
{
    double max = x[0], sum = 0;
    for (int c = 1; c < classes; c++)
        if (x[c] > max) max = x[c];
    for (int c = 0; c < classes; c++) sum += exp(x[c] - max);
    for (int c = 0; dx && c < classes; c++) {
        const double p = exp(x[c] - max) / sum;
        dx[c] = (float)((p - (c == label ? 1.0 : 0.0)) / n);
    }
    return log(sum) - (x[label] - max);
}

double afn_cross_entropy(const afn_scored *s, float *dlogits)
{
    double loss = 0;
    for (int64_t i = 0; i < s->n; i++)
        loss += row_loss(s->logits + i * s->classes, s->labels[i], s->classes,
                         dlogits ? dlogits + i * s->classes : NULL, (double)s->n);
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
