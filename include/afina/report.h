/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a run: one HTML page that needs nothing beside it. */
#ifndef AFINA_REPORT_H
#define AFINA_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "afina/data.h"
#include "afina/model.h"
#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct afn_report_opts {
    const char *title;        /* NULL (default) = the name of the run folder */
    const afn_dataset *train; /* for pictures as the network sees them in training; NULL
                               * (default) = none are shown */
    const char *augment;      /* what training does to them, see afn_augment_new() */
    uint64_t seed;            /* of the run, default 0 */
    int pictures;             /* most in each gallery, default 12; 0 = no pictures */
    bool heat_maps;           /* default true: where the network looks, for some */
    afn_predict_opts predict; /* how the model is run; default a batch of 32 */
} afn_report_opts;
AFN_API afn_report_opts afn_report_defaults(void);

/* Write report.html into a run folder: curves from metrics.csv, settings from
 * config.json where it is there, and what the model says about validation images.
 *
 *   run      the folder; the page is replaced whole
 *   m, val   NULL = the page does without what needs them, and says so
 *   opts     NULL means defaults
 *
 * Errors     AFN_ENOTFOUND  no metrics.csv in run; AFN_EFORMAT for one that is damaged
 *            AFN_EINVAL     classes of val that the model lacks
 *            AFN_EIO, AFN_ENOMEM, AFN_EBACKEND */
AFN_API afn_status afn_report_write(const char *run, const afn_model *m,
                                    const afn_dataset *val,
                                    const afn_report_opts *opts);

#ifdef __cplusplus
}
#endif
#endif
