/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/report: what happened from epoch to epoch, as line charts. */
#ifndef AFN_REPORT_CURVES_H
#define AFN_REPORT_CURVES_H

#include "report/run_log.h"

/* Loss, accuracy and learning rate, with the phases apart; nothing without epochs. */
void afn_report_curves(afn_buf *b, const afn_run_log *log);

/* "1.25", with as many digits as a scale of this step needs, written into buf; returns
 * buf. */
enum { AFN_TICK_BYTES = 32 };
char *afn_tick_text(double v, double step, char buf[AFN_TICK_BYTES]);

/* 1, 2 or 5 times a power of ten such that about n steps cover the range. */
double afn_tick_step(double range, int n);

#endif
