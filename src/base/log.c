/* SPDX-License-Identifier: Apache-2.0 */
/* The log sink: one function pointer for the process. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/translate.h"

static afn_log_fn sink;
static void *sink_user;

void afn_log_set(afn_log_fn fn, void *user)
{
    sink = fn;
    sink_user = user;
}

void afn_log(afn_log_level level, const char *fmt, ...)
{
    if (!sink) return;
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, afn_translated(fmt), ap);
    va_end(ap);
    sink(level, line, sink_user);
}
