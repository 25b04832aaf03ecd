/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring: how fast a model trains or predicts on this machine, in how much memory,
 * and where the time goes. */
#ifndef AFINA_BENCH_H
#define AFINA_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "afina/model.h"
#include "afina/profile.h"
#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a step does. */
typedef enum afn_bench_mode {
    AFN_BENCH_TUNE, /* trains everything */
    AFN_BENCH_HEAD, /* trains the last layer; the frozen rest runs forward every time */
    AFN_BENCH_INFER /* predicts */
} afn_bench_mode;

typedef struct afn_bench_opts {
    afn_bench_mode mode;     /* default AFN_BENCH_TUNE */
    afn_precision precision; /* default AFN_PRECISION_FP32 */
    int64_t batch;           /* images of a step, default 32 */
    int steps;               /* timed ones, at least 1, default 5 */
    int threads;             /* 0 (default) = every processor */
    const char *backend;     /* "cpu" (default) or "ref" */
    bool convolutions; /* also time the step's convolutions alone; default false */
} afn_bench_opts;
AFN_API afn_bench_opts afn_bench_defaults(void);

/* What was measured.  Rates are of the median step. */
typedef struct afn_bench {
    double images_per_second;
    double peak_rss_mb;          /* of the process so far, millions of bytes */
    double first_step_seconds;   /* compiling for the batch, and the first step */
    double gflops;               /* 1e9 operations a second that the products of a step
                                  * need by their definition: forward, and in training
                                  * the gradients this mode wants */
    double step_seconds;         /* the median */
    double timed_seconds;        /* all timed steps */
    afn_profile profile;         /* of the timed steps */
    double convolutions_seconds; /* of one step's convolutions alone; 0 = not asked */
    int threads;                 /* that ran */
    afn_precision precision;     /* that ran */
    char cpu[64];                /* "AMD EPYC 9R14" */
    char onednn[16];             /* "2.6.3" */
} afn_bench;

/* Measure on pixels of noise: one step to warm up, then opts->steps timed ones.
 *
 *   out      zeroed on failure; free with afn_bench_free()
 *   m        keeps its values; what is trainable is as the mode needs it afterwards
 *   opts     NULL means defaults
 *
 * Errors     AFN_EINVAL out of range; AFN_EUNSUPPORTED for a precision that the backend
 *            has not; AFN_ENOMEM, AFN_EBACKEND */
AFN_API afn_status afn_bench_run(afn_bench *out, afn_model *m,
                                 const afn_bench_opts *opts);
AFN_API void afn_bench_free(afn_bench *b); /* a zeroed one is a no-op */

#ifdef __cplusplus
}
#endif
#endif
