/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: last.ckpt, from which a run goes on as if nothing had been. */
#ifndef AFN_TRAIN_CHECKPOINT_H
#define AFN_TRAIN_CHECKPOINT_H

#include "train/fit.h"

#define AFN_CHECKPOINT_FILE "last.ckpt"

/* Say that a run has begun; nothing is in the way of going on from there. */
afn_status afn_checkpoint_begin(afn_fit_run *f);

/* Save where the run is.  Without a run folder they do nothing.
 *   t        of the phase at hand, NULL between two phases */
afn_status afn_checkpoint_save_if_due(afn_fit_run *f, afn_trainer *t);
afn_status afn_checkpoint_save_if_asked(afn_fit_run *f, afn_trainer *t);

/* The same for a run that stops with st, which is returned where it could be saved. */
afn_status afn_checkpoint_save_stopped(afn_fit_run *f, afn_trainer *t, afn_status st);

/* Say that the run is over: a small file without weights. */
afn_status afn_checkpoint_finish(afn_fit_run *f);

/* Go on from the file: the model, and everything but the trainer's part, which follows
 * once there is one.
 * Errors     AFN_ENOTFOUND  no run to go on with
 *            AFN_EINVAL     it is finished, or had other data or settings
 *            AFN_EFORMAT    damaged; AFN_EIO, AFN_ENOMEM */
afn_status afn_checkpoint_load(afn_fit_run *f);
afn_status afn_checkpoint_load_trainer(afn_fit_run *f, afn_trainer *t);

#endif
