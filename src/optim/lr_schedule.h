/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules of the learning rate: one file each, src/optim/schedule_<name>.c, listed in
 * lr_schedule.c.  A schedule is a function of time; what plateau remembers is in
 * afn_plateau, for a checkpoint to keep. */
#ifndef AFN_OPTIM_LR_SCHEDULE_H
#define AFN_OPTIM_LR_SCHEDULE_H

#include "optim/optim.h"

/* What the plateau schedule remembers of the losses it was told. */
typedef struct afn_plateau {
    double lr, best;
    int64_t bad;      /* reports in a row that were not better */
    int64_t cooldown; /* reports to come that do not count */
} afn_plateau;

/* A moment of a phase. */
typedef struct afn_moment {
    double t;    /* epochs or steps since warm-up ended, at most span */
    double span; /* of the whole, without warm-up; read where needs_span */
    double lr;   /* the rate that the schedule begins with */
    const afn_plateau *plateau;
} afn_moment;

typedef struct afn_schedule {
    const char *name;
    bool each_step;  /* time counts steps of the optimiser, whatever the options say */
    bool needs_span; /* it must know when the phase ends */
    afn_status (*check)(const afn_schedule_opts *o); /* NULL = nothing to check */
    double (*lr)(const afn_schedule_opts *o, const afn_moment *m);
    double (*momentum)(const afn_schedule_opts *o,
                       const afn_moment *m); /* may be NULL */
} afn_schedule;

/* Find by name.
 * Errors     AFN_ENOTFOUND, naming those there are */
afn_status afn_schedule_find(const afn_schedule **out, const char *name);

extern const afn_schedule afn_schedule_constant, afn_schedule_step,
    afn_schedule_multistep, afn_schedule_exponential, afn_schedule_cosine,
    afn_schedule_onecycle, afn_schedule_plateau;

/* Before the first report; after a validation. */
void afn_plateau_begin(afn_plateau *p, double lr);
void afn_plateau_report(afn_plateau *p, const afn_schedule_opts *o, double loss);

#endif
