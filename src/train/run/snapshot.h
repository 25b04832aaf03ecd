/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: a copy of a model's parameters, to go back to. */
#ifndef AFN_TRAIN_SNAPSHOT_H
#define AFN_TRAIN_SNAPSHOT_H

#include "train/train.h"

/* Copy parameters of m into *p: all where *p is NULL, made then, else those of
 * `changed`. changed  [params] those that may differ from what *p has */
afn_status afn_snapshot_take(afn_params **p, const afn_model *m, const bool *changed);

/* Put them back. */
void afn_snapshot_restore(const afn_params *p, afn_model *m);

#endif
