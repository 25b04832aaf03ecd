/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: the fields of a checkpoint.
 *
 * Who owns a state describes it once, field by field, in a function that is called for
 * writing and for reading, so that the two cannot part:
 *
 *   afn_field_int(f, "epoch", &t->epoch);
 *   afn_field_real(f, "best", &t->best);
 *
 * The first failure sticks, later calls do nothing, and afn_fields_status() reports it.
 * What is read comes from a file: its type and shape are checked here, its range by who
 * knows it. */
#ifndef AFN_TRAIN_FIELDS_H
#define AFN_TRAIN_FIELDS_H

#include "train/train.h"
#include "weights/weights.h"

struct json_t;

typedef struct afn_fields {
    afn_weights *set; /* tensors, and the rest as metadata */
    bool reading;
    struct json_t *plain; /* fields that are no tensors */
    afn_status st;
} afn_fields;

/* An empty set to write into; one from a file to read from.  Free with ..._close().
 * Errors     AFN_EFORMAT, AFN_ENOMEM, and those of afn_weights_open() */
afn_status afn_fields_new(afn_fields *f);
afn_status afn_fields_open(afn_fields *f, const char *path);
void afn_fields_close(afn_fields *f); /* a zeroed one is a no-op */

/* Write them to a file, which appears whole or not at all. */
afn_status afn_fields_save(afn_fields *f, const char *path);

afn_status afn_fields_status(const afn_fields *f);

/* For who finds a value out of range. */
void afn_fields_fail(afn_fields *f, const char *name);

void afn_field_int(afn_fields *f, const char *name, int64_t *v);
void afn_field_real(afn_fields *f, const char *name, double *v); /* NaN too */
void afn_field_bool(afn_fields *f, const char *name, bool *v);

/* Text; *v is replaced by a copy where it is read, to be freed with afn_free(). */
void afn_field_text(afn_fields *f, const char *name, char **v);

/* A tensor.  Written values are borrowed until ..._close(), or copied.
 *   shape    what it is, and must be when it is read */
void afn_field_f32(afn_fields *f, const char *name, const afn_shape *shape, float *v);
void afn_field_f32_copied(afn_fields *f, const char *name, const afn_shape *shape,
                          float *v);
void afn_field_i64(afn_fields *f, const char *name, const afn_shape *shape, int64_t *v);

/* Is there a tensor of this name? */
bool afn_fields_has(const afn_fields *f, const char *name);

#endif
