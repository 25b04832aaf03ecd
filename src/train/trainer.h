/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: a trainer from inside. */
#ifndef AFN_TRAIN_TRAINER_H
#define AFN_TRAIN_TRAINER_H

#include "train/run/fields.h"

/* What it runs; owned by the trainer. */
afn_plan *afn_trainer__plan(afn_trainer *t);

/* afn_trainer_step() from features instead of pixels; NULL = from the pixels. */
afn_status afn_trainer__step(afn_trainer *t, const afn_batch *batch,
                             const void *features, afn_step_result *result);

/* What it has beside the model's parameters and what its plan carries: the place in the
 * schedule, for example.  Whatever a trainer gains that outlives a step belongs here,
 * or a resumed run is another one. */
void afn_trainer__fields(afn_trainer *t, afn_fields *f);

#endif
