/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest as comma-separated values: path, label and, where wanted, part.  A first
 * line with names of columns puts them in any order among any others. */
#include "data/manifest.h"
#include "io/io.h"

/* Where a record has its columns, -1 = nowhere. */
typedef struct places {
    int at[AFN_N_COLUMNS];
} places;

/* Take the names of columns from the first record.
 *   is       it has such names: it is not a sample
 * Errors     AFN_EFORMAT for a path without a label, or a column named twice */
static afn_status read_header(bool *is, places *p, const afn_csv *c)
{
    places found = { { -1, -1, -1 } };
    for (int i = 0; i < c->n; i++) {
        const afn_column column = afn_manifest_column(c->field[i]);
        if (column == AFN_N_COLUMNS) continue;
        if (found.at[column] >= 0)
            return afn_fail(AFN_EFORMAT, "line %lld: columns '%s' and '%s' are one",
                            (long long)c->line, c->field[found.at[column]],
                            c->field[i]);
        found.at[column] = i;
    }
    *is = found.at[AFN_COLUMN_PATH] >= 0;
    if (!*is) return AFN_OK;
    if (found.at[AFN_COLUMN_LABEL] < 0)
        return afn_fail(AFN_EFORMAT, "line %lld: no column %s", (long long)c->line,
                        afn_manifest_names(AFN_COLUMN_LABEL));
    *p = found;
    return AFN_OK;
}

static afn_status add_record(afn_manifest *m, const places *p, const afn_csv *c)
{
    afn_manifest_row row = { .line = c->line };
    const int needed = p->at[AFN_COLUMN_PATH] > p->at[AFN_COLUMN_LABEL]
                           ? p->at[AFN_COLUMN_PATH]
                           : p->at[AFN_COLUMN_LABEL];
    if (c->n <= needed)
        return afn_fail(AFN_EFORMAT, "line %lld: %d field%s, need path and label",
                        (long long)c->line, c->n, c->n == 1 ? "" : "s");
    for (int k = 0; k < AFN_N_COLUMNS; k++)
        if (p->at[k] >= 0 && p->at[k] < c->n) row.text[k] = c->field[p->at[k]];
    return afn_manifest_add(m, &row);
}

static afn_status parse(afn_manifest *m, const void *text, size_t bytes)
{
    afn_status st = AFN_OK;
    afn_csv c;
    places p = { { 0, 1, 2 } };
    bool more, header = false, first = true;
    afn_csv_open(&c, text, bytes);
    for (;; first = false) {
        AFN_TRY(afn_csv_next(&c, &more));
        if (!more) break;
        if (first) AFN_TRY(read_header(&header, &p, &c));
        if (!first || !header) AFN_TRY(add_record(m, &p, &c));
    }
done:
    afn_csv_close(&c);
    return st;
}

extern const afn_dataset_ops afn_ds_csv;

static afn_status csv_open(afn_dataset **out, const char *rest, afn_class_order order)
{
    return afn_manifest_open(out, &afn_ds_csv, rest, order, parse);
}

static const char *const suffix[] = { ".csv", ".tsv", NULL };

const afn_dataset_ops afn_ds_csv = {
    .kind = "csv",
    .suffix = suffix,
    .open = csv_open,
    .load = afn_manifest_load,
    .read_ahead = afn_manifest_read_ahead,
    .sample_name = afn_manifest_sample_name,
    .close = afn_manifest_close,
};
