/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: what follows a loss, up to changed weights: gradients gathered
 * and limited, a step of the optimiser, the average of the weights. */
#ifndef AFN_TRAIN_UPDATE_H
#define AFN_TRAIN_UPDATE_H

#include "train/param_groups.h"
#include "train/rate.h"

typedef struct afn_updater {
    afn_optim_opts o;
    const afn_optimizer *optimizer;
    afn_param_groups groups;
    afn_step_args *args; /* [groups.n] of the step at hand */
    int64_t batches;     /* whose gradients wait for their step */
    double weight;       /* of these together, see afn_update_backward() */
} afn_updater;

/* Errors     AFN_ENOTFOUND for the optimiser's name, AFN_ENOMEM */
afn_status afn_updater_new(afn_updater *u, const afn_model *m, const afn_optim_opts *o);
void afn_updater_free(afn_updater *u); /* a zeroed one is a no-op */

/* Backward from dlogits, and the optimiser's step at the rate r where one is due.
 *   weight   where several batches make a step: of this batch in their mean, by which
 *            dlogits has been multiplied; else 1
 * Errors     AFN_EINVAL  gradients that are no numbers: the weights are as before */
afn_status afn_update_backward(afn_updater *u, afn_plan *p, afn_rate *r,
                               const float *dlogits, double weight);

/* The step for batches that wait, if any do. */
afn_status afn_update_rest(afn_updater *u, afn_plan *p, afn_rate *r);

/* Floats that all of this keeps beside each trained weight. */
int afn_update_states(const afn_optim_opts *o);

void afn_update_fields(afn_updater *u, afn_fields *f);

#endif
