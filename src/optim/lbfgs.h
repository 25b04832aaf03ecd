/* SPDX-License-Identifier: Apache-2.0 */
/* The minimum of a smooth function of many variables by limited-memory BFGS.  Hides the
 * line search. */
#ifndef AFN_OPTIM_LBFGS_H
#define AFN_OPTIM_LBFGS_H

#include "base/base.h"

/* What is minimised. */
typedef struct afn_smooth {
    int64_t n; /* variables */

    /* Value and gradient at a place; *f may be NaN or infinite where there is no value.
     *   x, g     (n) */
    afn_status (*at)(void *user, const float *x, double *f, float *g);
    void *user;
} afn_smooth;

typedef struct afn_lbfgs_rules {
    int history;      /* steps remembered, at least 1 */
    int iterations;   /* at most, from 0 */
    double tolerance; /* the end is where no component of the gradient is larger */
} afn_lbfgs_rules;

typedef struct afn_lbfgs_result {
    double f;        /* at x */
    double gradient; /* its largest component, without the sign */
    int iterations, evaluations;
    bool converged; /* by the tolerance, or no float is better */
} afn_lbfgs_result;

/*   x        (n) where to begin, and where the end is
 * Errors     AFN_ENOMEM; AFN_EINVAL where there is no value at the beginning; those of
 *            fn->at(), with x then the best place so far */
afn_status afn_lbfgs(afn_lbfgs_result *out, const afn_smooth *fn, float *x,
                     const afn_lbfgs_rules *rules);

#endif
