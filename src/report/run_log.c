/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.csv is read by the names in its first line, so that columns may come in any
 * order and new ones do not matter. */
#include "report/run_log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PHASE, EPOCH, FIRST_NUMBER, N_COLUMNS = FIRST_NUMBER + 7, MAX_ROWS = 1 << 20 };

static const char *const column[N_COLUMNS] = {
    "phase",   "epoch", "train_loss",        "train_acc", "val_loss",
    "val_acc", "lr",    "images_per_second", "seconds"
};

/* Places of the columns in a line, -1 = not there. */
typedef struct header {
    int at[N_COLUMNS];
} header;

static afn_status read_header(header *h, afn_csv *csv)
{
    bool more = false;
    const afn_status st = afn_csv_next(csv, &more);
    if (st != AFN_OK) return st;
    for (int c = 0; c < N_COLUMNS; c++) {
        h->at[c] = -1;
        for (int i = 0; more && i < csv->n; i++)
            if (strcmp(csv->field[i], column[c]) == 0) h->at[c] = i;
    }
    for (int c = 0; c < FIRST_NUMBER; c++)
        if (h->at[c] < 0)
            return afn_fail(AFN_EFORMAT, "the first line has no column %s", column[c]);
    return AFN_OK;
}

static const char *field(const header *h, const afn_csv *csv, int c)
{
    return h->at[c] >= 0 && h->at[c] < csv->n ? csv->field[h->at[c]] : "";
}

/* An empty field is no number. */
static afn_status read_number(double *out, const header *h, const afn_csv *csv, int c)
{
    const char *text = field(h, csv, c);
    char *end = NULL;
    *out = NAN;
    if (!*text) return AFN_OK;
    *out = strtod(text, &end);
    if (end != text && !*end) return AFN_OK;
    return afn_fail(AFN_EFORMAT, "line %lld: %s is '%.40s', no number",
                    (long long)csv->line, column[c], text);
}

static afn_status find_phase(int *out, afn_run_log *log, const char *name)
{
    /* A phase that comes again is another one. */
    if (log->n_phases && strcmp(log->phase[log->n_phases - 1], name) == 0) {
        *out = log->n_phases - 1;
        return AFN_OK;
    }
    if (log->n_phases == AFN_LOG_PHASES)
        return afn_fail(AFN_EFORMAT, "over %d phases", (int)AFN_LOG_PHASES);
    log->phase[log->n_phases] = afn_strdup(name);
    if (!log->phase[log->n_phases]) return afn_fail(AFN_ENOMEM, "out of memory");
    *out = log->n_phases++;
    return AFN_OK;
}

static afn_status read_row(afn_logged *row, afn_run_log *log, const header *h,
                           const afn_csv *csv)
{
    afn_status st = AFN_OK;
    double epoch = NAN;
    double *const number[] = { &row->train_loss, &row->train_acc,
                               &row->val_loss,   &row->val_acc,
                               &row->lr,         &row->images_per_second,
                               &row->seconds };
    AFN_TRY(find_phase(&row->phase, log, field(h, csv, PHASE)));
    AFN_TRY(read_number(&epoch, h, csv, EPOCH));
    AFN_REQUIRE(epoch >= 1 && epoch < MAX_ROWS, AFN_EFORMAT,
                "line %lld: epoch is '%.40s'", (long long)csv->line,
                field(h, csv, EPOCH));
    row->epoch = (int)epoch;
    for (int c = FIRST_NUMBER; c < N_COLUMNS; c++)
        AFN_TRY(read_number(number[c - FIRST_NUMBER], h, csv, c));
done:
    return st;
}

static afn_status read_rows(afn_run_log *log, afn_csv *csv)
{
    afn_status st = AFN_OK;
    header h;
    afn_buf rows = { 0 };
    bool more = false;
    AFN_TRY(read_header(&h, csv));
    for (;;) {
        afn_logged row = { 0 };
        AFN_TRY(afn_csv_next(csv, &more));
        if (!more) break;
        AFN_TRY(read_row(&row, log, &h, csv));
        AFN_REQUIRE(++log->n < MAX_ROWS, AFN_EFORMAT, "over %d epochs", (int)MAX_ROWS);
        afn_buf_add(&rows, &row, sizeof row);
    }
    AFN_TRY(afn_buf_finish(&rows));
    log->epoch = (afn_logged *)(void *)rows.data;
    rows = (afn_buf){ 0 };
done:
    afn_buf_free(&rows);
    return st;
}

static bool is_better(const afn_logged *a, const afn_logged *b)
{
    if (isnan(b->val_acc)) return true;
    if (isnan(a->val_acc)) return false;
    if (a->val_acc != b->val_acc) return a->val_acc > b->val_acc;
    return a->val_loss < b->val_loss;
}

static void find_best(afn_run_log *log)
{
    log->best = log->n ? 0 : -1;
    for (int i = 1; i < log->n; i++)
        if (is_better(&log->epoch[i], &log->epoch[log->best])) log->best = i;
}

static afn_status read_metrics(afn_run_log *log, const char *path)
{
    afn_status st = AFN_OK;
    uint8_t *text = NULL;
    size_t bytes = 0;
    afn_csv csv = { 0 };
    AFN_TRY(afn_file_read(&text, &bytes, path));
    afn_csv_open(&csv, text, bytes);
    AFN_TRY(read_rows(log, &csv));
    find_best(log);
done:
    afn_csv_close(&csv);
    afn_free(text);
    return afn_context(st, "%s", path);
}

/* A folder without settings is no error: older runs have none. */
static afn_status read_config(afn_run_log *log, const char *path)
{
    uint8_t *text = NULL;
    size_t bytes = 0;
    if (!afn_is_file(path)) return AFN_OK;
    afn_status st = afn_file_read(&text, &bytes, path);
    if (st == AFN_OK) st = afn_json_parse(&log->config, text, bytes);
    afn_free(text);
    return afn_context(st, "%s", path);
}

afn_status afn_run_log_read(afn_run_log *out, const char *run)
{
    afn_status st = AFN_OK;
    afn_run_log log = { .best = -1 };
    char *metrics = afn_path_join(run, "metrics.csv");
    char *config = afn_path_join(run, "config.json");
    *out = (afn_run_log){ .best = -1 };
    AFN_REQUIRE(metrics && config, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(afn_is_file(metrics), AFN_ENOTFOUND,
                "%s: no metrics.csv, so no run to report on", run);
    AFN_TRY(read_metrics(&log, metrics));
    AFN_TRY(read_config(&log, config));
    *out = log;
    log = (afn_run_log){ 0 };
done:
    afn_run_log_free(&log);
    afn_free(metrics);
    afn_free(config);
    return st;
}

void afn_run_log_free(afn_run_log *log)
{
    afn_free(log->epoch);
    for (int i = 0; i < log->n_phases; i++) afn_free(log->phase[i]);
    json_decref(log->config);
    *log = (afn_run_log){ .best = -1 };
}
