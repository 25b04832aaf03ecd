/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/report.  What others need is public: see afina/report.h.  Hides
 * HTML and SVG.
 *
 *   run_log.c    metrics.csv and config.json, read
 *   html.c       text that is safe in a page
 *   curves.c     loss, accuracy and learning rate by epoch
 *   evaluation.c confusion matrix, classes, reliability
 *   gallery.c    pictures, heat maps
 *   page.c       the sections in order
 *   style.c      how they look
 *   report.c     the public call */
#ifndef AFN_REPORT_H
#define AFN_REPORT_H

#include "afina/report.h"
#include "base/base.h"

#endif
