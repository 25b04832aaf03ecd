/* SPDX-License-Identifier: Apache-2.0 */
/* What a run will take, in time and memory, from a few batches of each of its phases.
 */
#ifndef AFINA_FORECAST_H
#define AFINA_FORECAST_H

#include <stdint.h>

#include "afina/data.h"
#include "afina/model.h"
#include "afina/status.h"
#include "afina/train.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct afn_phase_forecast {
    const char *name;        /* borrowed from the options */
    int64_t trained, frozen; /* parameters */
    double first_epoch_s;    /* in which features are made that later ones find kept */
    double epoch_s;          /* a later one, with validation */
    double seconds;          /* all of its epochs */
    int64_t memory_bytes;    /* most that is resident */
} afn_phase_forecast;

typedef struct afn_forecast {
    afn_phase_forecast *phase; /* [n_phases], owned */
    int n_phases;
    int64_t batch;           /* images of a step */
    double seconds;          /* of all phases, if none ends early, and calibration */
    int64_t memory_bytes;    /* most that is resident in any */
    int64_t available_bytes; /* memory that this process may have in all */
} afn_forecast;

/* Set up each phase of a run as afn_fit() would, and time two steps, a second look at
 * images and a batch of validation.  Nothing is written, m keeps its weights; which of
 * its parameters are trainable is left as the last phase has it.
 *
 *   out      zeroed on failure; free with afn_forecast_free()
 *   val      may be NULL
 *   opts     those for afn_fit(); callbacks are not called.  NULL means defaults
 *
 * Threads    where something else computes at the same time, the run seems slower
 * Errors     those of afn_fit(); AFN_ENOMEM where a phase needs more memory than is
 *            available: the message says how much, before any of it is used */
AFN_API afn_status afn_fit_forecast(afn_forecast *out, afn_model *m,
                                    const afn_dataset *train, const afn_dataset *val,
                                    const afn_fit_opts *opts);
AFN_API void afn_forecast_free(afn_forecast *f); /* a zeroed one is a no-op */

#ifdef __cplusplus
}
#endif
#endif
