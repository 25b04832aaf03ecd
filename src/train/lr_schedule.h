/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules of the learning rate: one file each, src/train/schedule_<name>.c, listed in
 * lr_schedule.c.  A schedule is a function of time; what plateau remembers is in
 * afn_plateau, for a checkpoint to keep. */
#ifndef AFN_TRAIN_LR_SCHEDULE_H
#define AFN_TRAIN_LR_SCHEDULE_H

#include "train/optim.h"

/* A moment of a phase. */
typedef struct afn_moment {
    double t;    /* epochs or steps since warm-up ended */
    double span; /* of the whole, without warm-up */
    double lr;   /* the rate that the schedule begins with */
} afn_moment;

typedef struct afn_schedule {
    const char *name;
    afn_status (*check)(const afn_schedule_opts *o); /* NULL = nothing to check */
    double (*lr)(const afn_schedule_opts *o, const afn_moment *m);
} afn_schedule;

/* Find by name.
 * Errors     AFN_ENOTFOUND, naming those there are */
afn_status afn_schedule_find(const afn_schedule **out, const char *name);

extern const afn_schedule afn_schedule_constant;

#endif
