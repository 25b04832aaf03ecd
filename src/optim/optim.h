/* SPDX-License-Identifier: Apache-2.0 */
/* Optimisers: one file each, src/optim/optim_<name>.c, listed in optim.c. */
#ifndef AFN_OPTIM_OPTIM_H
#define AFN_OPTIM_OPTIM_H

#include <math.h>

#include "afina/optim.h"
#include "engine/engine.h"

/* Find by name.
 * Errors     AFN_ENOTFOUND, naming those there are */
afn_status afn_optimizer_find(const afn_optimizer **out, const char *name);

extern const afn_optimizer afn_optim_sgd, afn_optim_adam, afn_optim_adamw,
    afn_optim_rmsprop;

/* ---- names and ranges, of schedules too ---- */

/* Place of a name among the n that are known.
 *   kind     "optimizer", for the message
 * Errors     AFN_ENOTFOUND, naming those there are */
afn_status afn_optim__find(size_t *out, const char *kind, const char *name,
                           const char *const *known, size_t n);

/* Numbers that an option may have. */
typedef struct afn_range {
    double low, high;
    bool open_low, open_high; /* the end itself is excluded */
} afn_range;
#define AFN_FROM_0       ((afn_range){ .high = INFINITY })
#define AFN_ABOVE_0      ((afn_range){ .high = INFINITY, .open_low = true })
#define AFN_FROM_1       ((afn_range){ .low = 1, .high = INFINITY })
#define AFN_BELOW_1      ((afn_range){ .high = 1, .open_high = true })
#define AFN_ABOVE_0_TO_1 ((afn_range){ .high = 1, .open_low = true })
#define AFN_INSIDE_0_1   ((afn_range){ .high = 1, .open_low = true, .open_high = true })

/* AFN_EINVAL unless value is a number of the range. */
afn_status afn_check_range(const char *name, double value, afn_range r);

#endif
