/* SPDX-License-Identifier: Apache-2.0 */
/* Answers about pictures, one after the other, in each of the formats. */
#ifndef AFN_CLI_PREDICT_OUT_H
#define AFN_CLI_PREDICT_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include <afina/afina.h>

typedef enum cli_answer_format {
    CLI_ANSWER_TEXT,
    CLI_ANSWER_TABLE,
    CLI_ANSWER_CSV,
    CLI_ANSWER_JSON, /* one array */
    CLI_ANSWER_JSONL /* one object a line */
} cli_answer_format;

/* Names of the formats, NULL after the last. */
extern const char *const cli_answer_formats[];

/* Where answers go to. */
typedef struct cli_answers {
    cli_answer_format format;
    const afn_model *m;
    int top;        /* classes of each answer, at most the model's */
    bool logits;    /* print them too */
    int file_width; /* columns of the longest name, for a table */

    int class_width; /* set by cli_answers_begin() */
    int64_t n;       /* answers so far */
} cli_answers;

/* About one picture. */
typedef struct cli_answer {
    const char *file;
    bool unknown;
    const int *order;    /* (top) classes, the likeliest first */
    const double *p;     /* (classes) */
    const float *logits; /* (classes) */
} cli_answer;

/* Before the first one and after the last. */
void cli_answers_begin(cli_answers *a);
void cli_answers_end(cli_answers *a);

/* Returns an exit code, after a message where it failed. */
int cli_answers_put(cli_answers *a, const cli_answer *one);

#endif
