/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: what a run's results depend on, so that one which is taken up
 * again with other data or settings is refused and not quietly another. */
#ifndef AFN_TRAIN_RUN_SETTINGS_H
#define AFN_TRAIN_RUN_SETTINGS_H

#include "train/train.h"

/* A line "name<tab>value" for each, in this order for the same version of the library.
 *   val      may be NULL
 *   text     appended to */
void afn_settings_list(afn_buf *text, const afn_model *m, const afn_dataset *train,
                       const afn_dataset *val, const afn_fit_opts *o);

/* Errors     AFN_EINVAL naming the first setting that was another */
afn_status afn_settings_compare(const char *before, const char *now);

#endif
