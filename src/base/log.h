/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines go to the sink set by afn_log_set(); the library itself prints nothing. */
#ifndef AFN_BASE_LOG_H
#define AFN_BASE_LOG_H

#include "base/error.h"

void afn_log(afn_log_level level, const char *fmt, ...) AFN_PRINTF(2, 3);

#endif
