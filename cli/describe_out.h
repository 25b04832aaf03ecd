/* SPDX-License-Identifier: Apache-2.0 */
/* A description of a model as a table, as JSON and as a Graphviz drawing. */
#ifndef AFN_CLI_DESCRIBE_OUT_H
#define AFN_CLI_DESCRIBE_OUT_H

#include <afina/afina.h>

/* What is described, and for which batch. */
typedef struct cli_described {
    const afn_model *model;
    const afn_description *d;
    int64_t batch;
} cli_described;

void cli_describe_text(const cli_described *what);
void cli_describe_dot(const cli_described *what);

/* CLI_OK or CLI_FAILED. */
int cli_describe_json(const cli_described *what);

#endif
