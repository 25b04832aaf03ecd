/* SPDX-License-Identifier: Apache-2.0 */
/* Loss functions on logits: one file each, src/train/loss_<name>.c. */
#ifndef AFN_TRAIN_LOSS_H
#define AFN_TRAIN_LOSS_H

#include "base/base.h"

/* One batch of logits with its labels. */
typedef struct afn_scored {
    const float *logits; /* (n, classes) */
    const int *labels;   /* (n), each 0 .. classes-1 */
    int64_t n;
    int classes;
    const int *other; /* (n) second labels of mixed pictures, NULL = none */
    double share;     /* with other: of labels, [0, 1]; the rest is other's */
    double smoothing; /* of labels: this part of each is spread over all classes */
    const float *class_weight; /* [classes], each from 0; NULL = all 1 */
} afn_scored;

/* Mean cross-entropy, as torch.nn.CrossEntropyLoss(label_smoothing=smoothing), of class
 * indices or, with other, of the shares as class probabilities; with class weights as
 * its weight=.  0 where all of a batch weighs nothing.
 *   dlogits  (n, classes) its gradient, NULL = not wanted */
double afn_cross_entropy(const afn_scored *s, float *dlogits);

/* What the mean is divided by: the number of rows or, with class weights and without
 * other, the sum of the labels' weights.  Means of batches, each times its own, make
 * that of all their rows. */
double afn_loss_weight(const afn_scored *s);

/* Place of the label among the logits of row i: 0 where it is the largest.  Of equal
 * logits the first comes first, as torch.argmax has it; NaN is never first. */
int afn_rank_of_label(const afn_scored *s, int64_t i);

/* Index of the largest logit of row i. */
int afn_best_class(const afn_scored *s, int64_t i);

#endif
