/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/data: a list of picture files with their labels, which ds_csv.c and
 * ds_jsonl.c fill row by row. */
#ifndef AFN_DATA_MANIFEST_H
#define AFN_DATA_MANIFEST_H

#include "data/dataset.h"

typedef struct afn_manifest afn_manifest;

/* What a row is made of, by any of the names that a column or key may have. */
typedef enum afn_column {
    AFN_COLUMN_PATH,
    AFN_COLUMN_LABEL,
    AFN_COLUMN_PART,
    AFN_N_COLUMNS
} afn_column;

typedef struct afn_manifest_row {
    int64_t line;
    const char *text[AFN_N_COLUMNS]; /* NULL or empty where there is none */
} afn_manifest_row;

/* The column that a name is for, AFN_N_COLUMNS for none; case is ignored. */
afn_column afn_manifest_column(const char *name);

/* Names that a column may have, for messages: "path, file, ...". */
const char *afn_manifest_names(afn_column c);

/* The whole manifest: give its text to `parse`, which adds the rows. */
typedef afn_status (*afn_manifest_parse)(afn_manifest *m, const void *text,
                                         size_t bytes);
afn_status afn_manifest_open(afn_dataset **out, const afn_dataset_ops *ops,
                             const char *file, afn_class_order order,
                             afn_manifest_parse parse);

/* Errors     AFN_EFORMAT with the line: no path, no label, an unknown part; AFN_ENOMEM
 */
afn_status afn_manifest_add(afn_manifest *m, const afn_manifest_row *row);

/* Members of both kinds' tables. */
afn_status afn_manifest_load(const afn_dataset *d, int64_t i, afn_stored *out);
void afn_manifest_read_ahead(const afn_dataset *d, int64_t i);
void afn_manifest_sample_name(const afn_dataset *d, int64_t i, char *buf, size_t bytes);
void afn_manifest_close(afn_dataset *d);

#endif
