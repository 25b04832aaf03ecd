/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: evaluation with a predictor that lives on between calls. */
#ifndef AFN_TRAIN_EVALUATE_H
#define AFN_TRAIN_EVALUATE_H

#include "train/batches.h"

/* Class of the model for each class of the data set: by name where the model has names,
 * else by position.
 *   map      [afn_dataset_classes()], filled */
afn_status afn_train__map_classes(int *map, const afn_model *m, const afn_dataset *d);

/* Who is told after each batch: how many of how many are done.  Anything but 0 ends the
 * evaluation with AFN_ECANCELLED. */
typedef struct afn_eval_watch {
    int (*on_batch)(int64_t batches, int64_t of, void *user);
    void *user;
} afn_eval_watch;

/* Evaluate over one epoch of batches that are not shuffled, from features where p's
 * plan is the one that they are split for.
 *   map      [data set's classes] from afn_train__map_classes(), to `classes` of them
 *   watch    may be NULL */
afn_status afn_train__evaluate(afn_eval *out, afn_predictor *p, afn_batches *from,
                               const int *map, int classes,
                               const afn_eval_watch *watch);

#endif
