/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/engine: what a plan is made of.
 *
 *   lower.c    graph -> steps: what is frozen, what is fused, what is folded
 *   program.c  steps -> kernels for one batch size, and running them
 *   schedule.c what runs when, what is kept, what is made again
 *   bands.c    tasks that run one slice of the batch after another
 *   buffers.c  what lies in memory, from when to when
 *   memory.c   offsets of buffers from their first and last use
 *   blobs.c    packed parameters: in, out, update
 *   gather.c   gradients of several batches, and the average of weights
 *   carry.c    what a run that goes on later needs of a plan
 *   prefix.c   the frozen prefix and the rest, run one without the other
 *   profile.c  where the time of a step goes
 *   alone.c    what its convolutions take with nothing between them
 *   plan.c     the public calls */
#ifndef AFN_ENGINE_PLAN_H
#define AFN_ENGINE_PLAN_H

#include "engine/backend.h"

/* ---- lower.c ---- */

/* The graph as steps, the same for every batch size. */
typedef struct afn_lowered {
    afn_step *step; /* [n_steps], in execution order */
    int n_steps;
    afn_value output; /* value that carries the logits */
    afn_value cut;    /* first node that needs a gradient; n_nodes if none does */
    int n_nodes;
    afn_value *value_of; /* [n_nodes] node -> value that stands for it (dropout that
                          * does nothing stands for its input) */
    bool *needs_grad;    /* [n_nodes] */
    int *step_of;        /* [n_nodes] step that makes this value, -1 where fused away */
} afn_lowered;

afn_status afn_lower(afn_lowered *out, const afn_graph *g, const afn_plan_opts *opts,
                     const afn_backend *backend);
void afn_lowered_free(afn_lowered *l);
void afn_lowered_dump(const afn_lowered *l, afn_buf *out);

/* ---- memory.c ---- */

/* A buffer that is needed from time `first` to time `last`, both included. */
typedef struct afn_interval {
    size_t bytes;
    int first, last;
    size_t offset; /* found by afn_memory_place() */
} afn_interval;

/* Give every interval an offset such that no two that overlap in time overlap in
 * memory.  Returns the bytes that all need together. */
afn_status afn_memory_place(afn_interval *v, int n, size_t *total);

/* ---- program.c: what it makes ---- */

/* A kernel's turn over the batch. */
typedef struct afn_task {
    afn_task_kind kind;
    int step;
} afn_task;

/* Tasks [from, to), run one slice of the batch after another. */
typedef struct afn_band {
    int from, to;
    int64_t slice; /* samples; the whole batch is a multiple of it */
} afn_band;

/* A buffer of the arena. */
typedef struct afn_buffer {
    size_t stride; /* bytes from one sample to the next, 0 = the same for all */
    bool local;    /* of one slice only, used again by the next */
} afn_buffer;

/* A step bound to one batch size.  Buffers are indices, -1 = none. */
typedef struct afn_bound {
    const afn_kernel_ops *ops;
    afn_kernel kernel;
    int64_t n; /* samples that the kernel was prepared for */
    int keep, scratch[AFN_N_TASK_KINDS], held[AFN_N_TASK_KINDS];
    int grads;        /* gradients of its parameters, where they are used at once */
    int *din_buffer;  /* [n_inputs] */
    bool *accumulate; /* [n_inputs] */
    const void **in;  /* [n_inputs] pointers of the current call */
    void **din;       /* [n_inputs] */
} afn_bound;

/* The plan for one batch size. */
typedef struct afn_program {
    int64_t n;
    afn_bound *bound;   /* [n_steps] */
    afn_layout *layout; /* [n_nodes] of each value */
    afn_task *task;     /* forward first, of steps in order */
    int n_tasks, n_forward;
    afn_band *band;
    int n_bands;
    afn_interval *buffer;
    afn_buffer *spread; /* [n_buffers] how each is divided among samples */
    int n_buffers;
    int *value_buffer; /* [n_nodes] -1 = none, as below */
    int *later_buffer; /* [n_nodes] where backward finds the value */
    int *grad_buffer;  /* [n_nodes] */
    int *grad2_buffer; /* [n_nodes] second part of the gradient */
    size_t arena_bytes;
    char *base; /* the arena */
} afn_program;

/* Address of a buffer that is not of one slice only; NULL of -1. */
static inline void *afn_program_at(const afn_program *p, int buffer)
{
    return buffer < 0 ? NULL : p->base + p->buffer[buffer].offset;
}

enum { AFN_MAX_PROGRAMS = 4 };

/* Times so far: profile.c. */
typedef struct afn_profiler afn_profiler;

struct afn_plan {
    const afn_graph *graph;
    afn_params *params;
    afn_plan_opts opts;
    bool *trainable; /* [params] */
    const afn_backend *backend;
    void *device;
    afn_lowered low;
    afn_blob *blob; /* [params] */
    int n_params;
    float *pixel_table;                     /* (C, 256), NULL for many channels */
    afn_program *program[AFN_MAX_PROGRAMS]; /* most recently used first */
    char *arena;
    size_t arena_bytes;
    afn_program *last;      /* of the last forward call, for backward */
    uint64_t calls;         /* forward calls so far: a new dropout mask for each */
    int64_t new_batches;    /* not yet added to num_batches_tracked */
    int split;              /* first step of the rest, 0 = not split */
    afn_value carried;      /* the one value that the rest reads of the prefix */
    bool *changes;          /* [params] those that the prefix does not read */
    uint8_t *padded;        /* (batch, H, W, C) pixels of a smaller batch */
    afn_profiler *profiler; /* NULL = nothing is timed */
};

/* An optimiser's step, as afn_plan_update() takes it. */
typedef struct afn_update {
    const afn_optimizer *opt;
    const afn_step_args *args;
    const int *group;
} afn_update;

/* ---- plan.c ---- */

/* The program for n samples, compiled when first met, bound to the arena. */
afn_status afn_plan_program(struct afn_plan *plan, int64_t n, afn_program **out);

/* Run from step `from` to the end, and hand out the logits. */
afn_status afn_plan_finish(struct afn_plan *plan, afn_program *p, int from,
                           const uint8_t *pixels, const float *values, float *logits);

/* Take the values of these params anew (NULL = all), in kernels from this step on. */
afn_status afn_plan_reload(struct afn_plan *plan, const bool *only, int from);

/* Run backward for the last forward call; u as for afn_program_backward(). */
afn_status afn_plan_run_backward(struct afn_plan *plan, const float *dlogits,
                                 const afn_update *u);

/* ---- program.c ---- */

/* Compile for n samples.  Kernels are prepared against plan->blob. */
afn_status afn_program_new(afn_program **out, struct afn_plan *plan, int64_t n);
void afn_program_free(afn_program *p, const struct afn_plan *plan);

/* Run steps from ... to-1: from is 0 or plan->split, to is that or the end. */
afn_status afn_program_forward(afn_program *p, const struct afn_plan *plan, int from,
                               int to, const uint8_t *pixels, const float *values);

/* Run backward; u is for a plan that updates at once, else NULL. */
afn_status afn_program_backward(afn_program *p, const struct afn_plan *plan,
                                const afn_update *u);

/* ---- schedule.c ---- */

/* Decide tasks, bands, buffers and their places, for kernels that are prepared; anew
 * after plan->split changed. */
afn_status afn_schedule(afn_program *p, const struct afn_plan *plan);

/* ---- bands.c ---- */

/* Samples of each call of each step's kernel, for a batch of n.
 *   out      [n_steps] */
void afn_slices(int64_t *out, const struct afn_plan *plan, int64_t n);

/* ---- profile.c ---- */

/* Time before a kernel, and after it: nothing happens where the profile is off. */
static inline double afn_profile_start(const struct afn_plan *plan)
{
    return plan->profiler ? afn_now_s() : 0;
}
void afn_profile_add(const struct afn_plan *plan, int step, double start, afn_pass pass,
                     int64_t n, bool last);
void afn_profile_add_update(const struct afn_plan *plan, double start);

/* Operations of a step's products for one sample in this pass. */
double afn_step_flops(const struct afn_plan *plan, const afn_step *s, afn_pass pass);

/* ---- blobs.c ---- */

/* Memory for blobs that kernels marked as used and that have none yet, filled from
 * params. */
afn_status afn_blobs_allocate(struct afn_plan *plan);
afn_status afn_blobs_load(struct afn_plan *plan, const bool *only); /* NULL = all */

/* Values, or averages where there are any, of those that training changes. */
afn_status afn_blobs_store(struct afn_plan *plan, bool average);
afn_status afn_blobs_update(struct afn_plan *plan, const afn_update *u);
afn_status afn_blobs_update_gathered(struct afn_plan *plan, const afn_update *u);

/* Memory for state k of those in `only` ([params], NULL = what trains), zeros where it
 * is new. */
afn_status afn_blobs_prepare_state(struct afn_plan *plan, int k, const bool *only);

/* For a plan that updates at once: state for the optimiser; bytes of the gradients of
 * one step's parameters; where they are (NULL = nowhere); 0 where kernels leave padding
 * alone; the step's own update. */
afn_status afn_blobs_prepare_update(struct afn_plan *plan, const afn_update *u);
size_t afn_blobs_grad_bytes(const struct afn_plan *plan, const afn_step *s);
void afn_blobs_place_grads(const struct afn_plan *plan, const afn_step *s, char *at);
void afn_blobs_clear_grads(const struct afn_plan *plan, const afn_step *s);
void afn_blobs_update_step(const struct afn_plan *plan, const afn_step *s,
                           const afn_update *u);
void afn_blobs_free(struct afn_plan *plan);

#endif
