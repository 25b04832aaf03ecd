/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: what a run tells of itself while it goes, in run.jsonl, to who
 * listens and to TensorBoard.  The lines are documented in docs/run-folder.md. */
#ifndef AFN_TRAIN_RECORDS_H
#define AFN_TRAIN_RECORDS_H

#include "train/fit.h"

/* Open the files and say that the run starts, or goes on. */
afn_status afn_records_open(afn_fit_run *f, const afn_dataset *train,
                            const afn_dataset *val);

/* A phase begins, or is gone on with, with as many parameters to train. */
afn_status afn_record_phase(afn_fit_run *f, const afn_phase *phase, int64_t trained);
afn_status afn_record_phase_end(afn_fit_run *f, const afn_phase *phase);

/* A step is done: told where it is the last of its epoch or due.
 *   loss     of the step alone */
afn_status afn_record_step(afn_fit_run *f, const afn_progress *p, double loss);

afn_status afn_record_epoch(afn_fit_run *f, const afn_epoch *e);

/* The run came to st; with AFN_OK it is over, or out of time. */
afn_status afn_record_end(afn_fit_run *f, afn_status st);

#endif
