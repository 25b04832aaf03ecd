/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: the learning rate, and the momentum, of a trainer's next step.
 */
#ifndef AFN_TRAIN_RATE_H
#define AFN_TRAIN_RATE_H

#include "optim/lr_schedule.h"
#include "train/run/fields.h"

typedef struct afn_rate {
    afn_schedule_opts o;
    const afn_schedule *schedule;
    double lr;            /* what the schedule begins with */
    double by_hand;       /* the schedule's rate is multiplied by this */
    int64_t epochs;       /* of all, 0 = not known */
    int64_t epoch_steps;  /* of the optimiser in an epoch, 0 = not known */
    int64_t epoch, steps; /* that are over */
    afn_plateau plateau;
} afn_rate;

/* Errors     AFN_EINVAL where the schedule must know how long training lasts and does
 *            not; AFN_ENOTFOUND for its name */
afn_status afn_rate_begin(afn_rate *r, const afn_trainer_opts *o);

/* Of the next step of the optimiser. */
double afn_rate_now(const afn_rate *r);

/* The momentum that goes with it; `own` where the schedule leaves that alone. */
double afn_rate_momentum(const afn_rate *r, double own);

/* Be lr now, and go on from there. */
void afn_rate_set(afn_rate *r, double lr);

/* A validation gave this loss. */
void afn_rate_report(afn_rate *r, double loss);

void afn_rate_fields(afn_rate *r, afn_fields *f);

#endif
