/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/report: the page and its sections. */
#ifndef AFN_REPORT_PAGE_H
#define AFN_REPORT_PAGE_H

#include "afina/metrics.h"
#include "report/html.h"
#include "report/run_log.h"

/* All that a page is made of. */
typedef struct afn_page {
    const char *title;
    const afn_run_log *log;
    const afn_model *model;   /* NULL = not there */
    const afn_dataset *val;   /* NULL = not there */
    const afn_report_opts *o; /* never NULL */

    /* Of val; NULL without it. */
    const afn_scores *scores;
    const afn_metrics *metrics;    /* of the logits as they are */
    const afn_metrics *calibrated; /* at the model's temperature */
} afn_page;

extern const char *const afn_report_style[]; /* NULL after the last */

/* The whole page, from <!doctype> to </html>. */
afn_status afn_report_page(afn_buf *b, const afn_page *p);

/* ---- evaluation.c: of pages with scores ---- */

/* The name of a class, else its number. */
void afn_report_class(afn_buf *b, const afn_page *p, int c);

void afn_report_matrix(afn_buf *b, const afn_page *p);
void afn_report_classes(afn_buf *b, const afn_page *p);
void afn_report_sureness(afn_buf *b, const afn_page *p);

/* ---- gallery.c ---- */

/* Pictures worth a look, with heat maps, and some as training sees them. */
afn_status afn_report_pictures(afn_buf *b, const afn_page *p);

/* ---- settings.c ---- */

/* What config.json says, and what the page was made with. */
void afn_report_settings(afn_buf *b, const afn_page *p);

#endif
