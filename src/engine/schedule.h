/* SPDX-License-Identifier: Apache-2.0 */
/* What schedule.c, bands.c and buffers.c share while a program is scheduled.
 *
 * Time is the index of a task, one more from the loss on: forward, then (at time
 * n_forward) the loss, then backward. */
#ifndef AFN_ENGINE_SCHEDULE_H
#define AFN_ENGINE_SCHEDULE_H

#include "engine/plan.h"

enum { AFN_NEVER = -1 };

/* From when to when; first is AFN_NEVER for what is not used. */
typedef struct afn_span {
    int first, last;
} afn_span;

typedef struct afn_schedule_state {
    afn_program *p;
    const afn_plan *plan;
    const afn_lowered *l;
    bool *needed;     /* [n_nodes] backward reads this value */
    bool *cheap;      /* [n_nodes] this value can be made again */
    int *sums;        /* [n_nodes] longest row of sums that this takes */
    int *convs;       /* [n_nodes] convolutions that this takes, since the last sum */
    bool *made_again; /* [n_nodes] a task for it is in the list */
    int *done_at[AFN_N_TASK_KINDS]; /* [n_steps] time of each task */
    int *band_of;                   /* [n_tasks] */
} afn_schedule_state;

/* Time of a task that was added, and the task of a time that is not the loss's. */
static inline int afn_time_of(const afn_program *p, int task)
{
    return task < p->n_forward ? task : task + 1;
}
static inline int afn_task_at(const afn_program *p, int time)
{
    return time < p->n_forward ? time : time - 1;
}

/* Does step i run backward? */
static inline bool afn_trains(const afn_schedule_state *c, int i)
{
    return c->l->step[i].train && c->p->bound[i].ops->backward;
}

/* Does this task of backward read the step's output? */
static inline bool afn_reads_output(const afn_kernel *k, afn_task_kind kind)
{
    return k->keep_output && (kind == AFN_TASK_BACKWARD_SUMS || !k->backward_sums);
}

/* bands.c: p->band and c->band_of, for the tasks in the list. */
afn_status afn_find_bands(afn_schedule_state *c);

/* buffers.c: what the tasks need in memory, not yet where. */
afn_status afn_find_buffers(afn_schedule_state *c);

#endif
