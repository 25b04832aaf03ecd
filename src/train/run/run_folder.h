/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: the files of a run. */
#ifndef AFN_TRAIN_RUN_FOLDER_H
#define AFN_TRAIN_RUN_FOLDER_H

#include "train/train.h"

/* Pace of a file that may change more often than a disk can follow: an epoch that
 * trains a head from kept features takes milliseconds, a durable write may take more.
 * So each such file gets a share of the time: it is due when the last write lies back
 * 20 times as long as that took.  What is not due waits for a later epoch or the end of
 * the phase. */
typedef struct afn_pace {
    double at, seconds; /* end of the last write, and how long it took */
} afn_pace;

bool afn_pace_is_due(const afn_pace *p);
void afn_pace_wrote(afn_pace *p, double start);

/* A run folder.  Every file is replaced whole, so a reader never sees half of one. */
typedef struct afn_run_folder {
    char *path;      /* NULL = no folder, every call does nothing */
    afn_buf metrics; /* text of metrics.csv so far */
    bool unwritten;  /* the file lacks some of it */
    afn_pace pace;   /* of metrics.csv */
} afn_run_folder;

/* Make the folder and see that it can be written into. */
afn_status afn_run_folder_open(afn_run_folder *f, const char *path);
void afn_run_folder_close(afn_run_folder *f);

/* Add a row to metrics.csv, written where it is due. */
afn_status afn_run_folder_epoch(afn_run_folder *f, const afn_epoch *e);

/* Write the rows that were not due. */
afn_status afn_run_folder_flush(afn_run_folder *f);

/* Save the model with these values under a name in the folder. */
afn_status afn_run_folder_save(const afn_run_folder *f, const afn_model *m,
                               const afn_params *params, const char *name);

#endif
