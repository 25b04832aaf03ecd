/* SPDX-License-Identifier: Apache-2.0 */
/* What an evaluation found, as a table, as JSON, and as lines for a spreadsheet. */
#ifndef AFN_CLI_EVAL_OUT_H
#define AFN_CLI_EVAL_OUT_H

#include <stdio.h>

#include <afina/afina.h>

/* A part of the data, and the first of its images in the scores. */
typedef struct cli_scored_part {
    const afn_dataset *data;
    int64_t first;
} cli_scored_part;

typedef struct cli_evaluation {
    afn_model *m;
    afn_data_parts parts;
    cli_scored_part part[3]; /* [n_parts] that were scored */
    int n_parts;
    afn_scores scores;
    afn_metrics metrics;         /* of the logits as they are */
    afn_calibration calibration; /* the model's, images 0 = none */
    afn_metrics calibrated;      /* with it, where there is one */
} cli_evaluation;

void cli_eval_text(const cli_evaluation *s);

/* These two return an exit code, after a message where they failed. */
int cli_eval_json(const cli_evaluation *s);
int cli_eval_csv(const cli_evaluation *s, const char *path); /* "-" = stdout */

#endif
