/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/report: the page and its sections. */
#ifndef AFN_REPORT_PAGE_H
#define AFN_REPORT_PAGE_H

#include "report/html.h"
#include "report/run_log.h"

/* All that a page is made of. */
typedef struct afn_page {
    const char *title;
    const afn_run_log *log;
    const afn_model *model;   /* NULL = not there */
    const afn_dataset *val;   /* NULL = not there */
    const afn_report_opts *o; /* never NULL */
} afn_page;

extern const char *const afn_report_style[]; /* NULL after the last */

/* The whole page, from <!doctype> to </html>. */
void afn_report_page(afn_buf *b, const afn_page *p);

/* ---- settings.c ---- */

/* What config.json says, and what the page was made with. */
void afn_report_settings(afn_buf *b, const afn_page *p);

#endif
