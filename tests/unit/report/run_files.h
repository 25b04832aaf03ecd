/* SPDX-License-Identifier: Apache-2.0 */
/* Run folders for tests. */
#ifndef AFN_RUN_FILES_H
#define AFN_RUN_FILES_H

#include "afn_test.h"

#define METRICS_HEADER                                                                 \
    "phase,epoch,train_loss,train_acc,val_loss,val_acc,lr,images_per_second,seconds\n"

static inline void put_file(const char *run, const char *name, const char *text)
{
    char *path = afn_path_join(run, name);
    assert_non_null(path);
    assert_ok(afn_file_write(path, text, strlen(text)));
    afn_free(path);
}

/* A new run folder with this metrics.csv. */
static inline const char *new_run(const char *name, const char *metrics)
{
    const char *run = test_dir(name);
    put_file(run, "metrics.csv", metrics);
    return run;
}

/* The page as text, to be freed with afn_free(). */
static inline char *read_page(const char *run)
{
    uint8_t *data;
    size_t size;
    char *path = afn_path_join(run, "report.html");
    assert_ok(afn_file_read(&data, &size, path));
    char *text = afn_format("%.*s", (int)size, (const char *)data);
    assert_int_equal(size, strlen(text));
    afn_free(data);
    afn_free(path);
    return text;
}

#endif
