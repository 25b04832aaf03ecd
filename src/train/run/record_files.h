/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: the two files of a run that grow while it goes, and who listens
 * to the lines of the first:
 *
 *   run.jsonl                     one JSON object a line, see docs/run-folder.md
 *   events.out.tfevents.0.afina   scalars for TensorBoard
 *
 * Both are cut back to where a checkpoint was when a run goes on from it, so nothing is
 * told twice. */
#ifndef AFN_TRAIN_RECORD_FILES_H
#define AFN_TRAIN_RECORD_FILES_H

#include "train/train.h"

#define AFN_LINES_FILE  "run.jsonl"
#define AFN_EVENTS_FILE "events.out.tfevents.0.afina" /* has to contain "tfevents" */

typedef struct afn_record_files {
    afn_append lines, events;        /* size 0 and no path where there is none */
    int64_t lines_then, events_then; /* their sizes in the checkpoint gone on from */
    void (*on_line)(const char *, void *); /* each, without its end; may be NULL */
    void *user;
} afn_record_files;

/* Open the files in a folder, as they were at the sizes *_then, or anew where those are
 * 0.  Lines behind that size which tell of a stop stay.
 *   dir      NULL = no files
 *   events   false: none for TensorBoard
 * Errors     AFN_EIO, AFN_ENOMEM */
afn_status afn_record_files_open(afn_record_files *r, const char *dir, bool events);
void afn_record_files_close(afn_record_files *r); /* a zeroed one is a no-op */

/* ---- lines ---- */

/* A line under way: {"event":"step","time":1700000000.123,... */
void afn_line_begin(afn_buf *line, const char *event);
void afn_line_int(afn_buf *line, const char *name, int64_t v);
void afn_line_real(afn_buf *line, const char *name, double v); /* not finite: null */
void afn_line_text(afn_buf *line, const char *name, const char *v); /* NULL: null */
void afn_line_bool(afn_buf *line, const char *name, bool v);

/* Finish the line, tell it and write it; frees it. */
afn_status afn_line_end(afn_record_files *r, afn_buf *line);

/* ---- scalars ---- */

typedef struct afn_scalar {
    const char *tag; /* "train/loss" */
    double value;    /* one that is not finite is left out */
} afn_scalar;

/* Write scalars of one step. */
afn_status afn_scalars_add(afn_record_files *r, int64_t step, const afn_scalar *s,
                           size_t n);

#endif
