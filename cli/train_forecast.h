/* SPDX-License-Identifier: Apache-2.0 */
/* Before 'afina train' begins: how long it will take and how much memory, and a batch
 * that fits. */
#ifndef AFN_CLI_TRAIN_FORECAST_H
#define AFN_CLI_TRAIN_FORECAST_H

#include "training.h"

/* Forecast the run.  With --batch auto a batch that does not fit is halved until it
 * does: opts->batch is then that.
 *   opts     for the run; phase_seconds is set to what comes out, which lives as s does
 * Returns CLI_OK, or CLI_FAILED after a message. */
int cli_train_forecast(training *s, afn_fit_opts *opts);

/* Print it in lines, or as one object. */
void cli_train_put_forecast(const training *s);
int cli_train_put_forecast_json(const training *s, bool event);

#endif
