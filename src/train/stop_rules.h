/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: when a phase or a run ends before its last epoch. */
#ifndef AFN_TRAIN_STOP_RULES_H
#define AFN_TRAIN_STOP_RULES_H

#include "train/run/fields.h"

typedef struct afn_stop_rules {
    double best;      /* of the phase by its monitor, so far */
    int64_t waited;   /* epochs since */
    double started_s; /* clock when this process began */
} afn_stop_rules;

/* Errors     AFN_EINVAL for numbers out of range, and for rules that need validation
 *            images where there are none */
afn_status afn_stop_check(const afn_fit_opts *o, bool validates);

void afn_stop_begin_run(afn_stop_rules *r);
void afn_stop_begin_phase(afn_stop_rules *r);

/* Has the run taken its time? */
bool afn_stop_is_late(const afn_stop_rules *r, const afn_fit_opts *o);

/* Is the epoch good enough to end the run? */
bool afn_stop_is_reached(const afn_fit_opts *o, const afn_epoch *e);

/* Take note of an epoch. */
void afn_stop_note(afn_stop_rules *r, const afn_fit_opts *o, const afn_phase *phase,
                   const afn_epoch *e);

/* Has the phase waited long enough for a better one? */
bool afn_stop_has_waited(const afn_stop_rules *r, const afn_phase *phase);

void afn_stop_fields(afn_stop_rules *r, afn_fields *f);

#endif
