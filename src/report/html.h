/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/report: pieces of a page.  Text that comes from files or names goes
 * through afn_html_text() and nothing else. */
#ifndef AFN_REPORT_HTML_H
#define AFN_REPORT_HTML_H

#include "report/report.h"

/* Append text for use between tags and in quoted attributes: what HTML would read as
 * markup is escaped; bytes that are not UTF-8, and control characters, become U+FFFD.
 */
void afn_html_text(afn_buf *b, const char *text);

/* Append a text in the user's language, escaped like any other; its arguments are
 * numbers, or texts already translated. */
void afn_html_say(afn_buf *b, const char *fmt, ...) AFN_PRINTF(2, 3);

/* The same as an element, such as "h2". */
void afn_html_heading(afn_buf *b, const char *element, const char *text);

/* The head of a table whose first column is of names.
 *   column   [n] texts, translated */
void afn_html_columns(afn_buf *b, const char *const *column, int n);

/* Append "98.67 %", or a dash where v is no number. */
void afn_html_percent(afn_buf *b, double v);

/* Append a number with so many decimals, or a dash. */
void afn_html_number(afn_buf *b, double v, int decimals);

/* Append "<figure>" text, "<svg ...>" and its title and description, for readers who do
 * not see it.
 *   id       of the drawing, unique in the page
 *   width, height of its coordinates */
typedef struct afn_svg {
    const char *id, *title, *description;
    int width, height;
} afn_svg;
void afn_svg_begin(afn_buf *b, const afn_svg *s);
void afn_svg_end(afn_buf *b);

#endif
