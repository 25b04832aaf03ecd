/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/report: what a run folder says of its run. */
#ifndef AFN_REPORT_RUN_LOG_H
#define AFN_REPORT_RUN_LOG_H

#include "io/io.h"
#include "report/report.h"

/* A row of metrics.csv; what a column lacks is NaN. */
typedef struct afn_logged {
    int phase; /* index into afn_run_log.phase */
    int epoch; /* 1, 2, ... within the phase */
    double train_loss, train_acc, val_loss, val_acc, lr, images_per_second, seconds;
} afn_logged;

enum { AFN_LOG_PHASES = 64 };

typedef struct afn_run_log {
    afn_logged *epoch; /* [n] */
    int n;
    char *phase[AFN_LOG_PHASES]; /* names, in order of their first epoch */
    int n_phases;
    int best;       /* row with the best validation accuracy, then loss; the last row
                     * without validation; -1 where there are no rows */
    json_t *config; /* config.json, NULL where there is none */
} afn_run_log;

/* Read a run folder.
 * Errors     AFN_ENOTFOUND, AFN_EFORMAT with file and line, AFN_EIO, AFN_ENOMEM */
afn_status afn_run_log_read(afn_run_log *out, const char *run);
void afn_run_log_free(afn_run_log *log); /* a zeroed one is a no-op */

#endif
