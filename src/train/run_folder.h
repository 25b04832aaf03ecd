/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: the files of a run. */
#ifndef AFN_TRAIN_RUN_FOLDER_H
#define AFN_TRAIN_RUN_FOLDER_H

#include "train/train.h"

/* A run folder.  Every file is replaced whole, so a reader never sees half of one. */
typedef struct afn_run_folder {
    char *path;      /* NULL = no folder, every call does nothing */
    afn_buf metrics; /* text of metrics.csv so far */
} afn_run_folder;

/* Make the folder and see that it can be written into. */
afn_status afn_run_folder_open(afn_run_folder *f, const char *path);
void afn_run_folder_close(afn_run_folder *f);

/* Add a row to metrics.csv. */
afn_status afn_run_folder_epoch(afn_run_folder *f, const afn_epoch *e);

/* Save the model with these values under a name in the folder. */
afn_status afn_run_folder_save(const afn_run_folder *f, const afn_model *m,
                               const afn_params *params, const char *name);

#endif
