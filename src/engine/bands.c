/* SPDX-License-Identifier: Apache-2.0 */
/* Bands: tasks in a row that run one slice of the batch after another, so that a kernel
 * finds in the cache what the one before it made, and a value that only a band sees
 * takes the memory of a slice.  Batch norm ends a band: it needs sums over all samples.
 *
 * After Lym et al. 2019, "Mini-batch Serialization: CNN Training with Inter-layer Data
 * Reuse", https://arxiv.org/abs/1810.00307. */
#include "engine/schedule.h"

/* What a slice of the largest value of one resolution may take at most.  A constant,
 * not the size of this machine's cache: sums over slices must be the same bits
 * elsewhere. */
enum { SLICE_BYTES = 32 << 20 };

/* ---- slices ---- */

static bool is_plane(const afn_shape *s)
{
    return s->rank == 3;
}

static bool same_resolution(const afn_shape *a, const afn_shape *b)
{
    return is_plane(a) && is_plane(b) && a->dim[1] == b->dim[1] &&
           a->dim[2] == b->dim[2];
}

static int64_t largest_divisor(int64_t n, double most)
{
    int64_t best = 1;
    for (int64_t d = 2; d <= n && (double)d <= most; d++)
        if (n % d == 0) best = d;
    return best;
}

/* Values of the largest output at this step's resolution. */
static int64_t largest_like(const afn_lowered *l, const afn_step *s)
{
    int64_t largest = 1;
    for (int i = 0; i < l->n_steps; i++) {
        const afn_shape *shape = &l->step[i].out_shape;
        const int64_t count = afn_shape_count(shape);
        if (same_resolution(shape, &s->out_shape) && count > largest) largest = count;
    }
    return largest;
}

/* Does the step run in slices? */
static bool is_sliced(const afn_plan *plan, const afn_step *s)
{
    const afn_kernel_ops *ops = plan->backend->find(s->op);
    return plan->backend->slices && ops && !ops->whole && is_plane(&s->out_shape) &&
           (s->n_inputs == 0 || is_plane(&s->in_shape[0]));
}

/* Layers of one resolution have one slice, so that they can be in one band. */
void afn_slices(int64_t *out, const afn_plan *plan, int64_t n)
{
    const afn_lowered *l = &plan->low;
    const double one = plan->opts.precision == AFN_PRECISION_BF16 ? 2 : 4;
    const double most =
        plan->opts.slice_bytes > 0 ? plan->opts.slice_bytes : SLICE_BYTES;
    for (int i = 0; i < l->n_steps; i++) {
        const afn_step *s = &l->step[i];
        const double bytes = one * (double)largest_like(l, s);
        out[i] = is_sliced(plan, s) ? largest_divisor(n, most / bytes) : n;
    }
}

/* ---- bands ---- */

/* What a task waits for: all samples of another, AFN_NEVER if nothing. */
static int waits_for(const afn_schedule_state *c, afn_task t)
{
    switch (t.kind) {
    case AFN_TASK_FORWARD:
        return c->done_at[AFN_TASK_FORWARD_SUMS][t.step];
    case AFN_TASK_BACKWARD:
        return c->done_at[AFN_TASK_BACKWARD_SUMS][t.step];
    case AFN_TASK_FORWARD_SUMS:
    case AFN_TASK_RECOMPUTE:
    case AFN_TASK_BACKWARD_SUMS:
    case AFN_N_TASK_KINDS:
        break;
    }
    return AFN_NEVER;
}

/* May task t join the band, which may have no slice of its own yet (0)? */
static bool joins(const afn_schedule_state *c, const afn_band *b, int t, int64_t slice)
{
    const afn_program *p = c->p;
    const int split = c->plan->split, step = p->task[t].step;
    const int waits = waits_for(c, p->task[t]);
    if (t == p->n_forward) return false;
    if (waits != AFN_NEVER && afn_task_at(p, waits) >= b->from) return false;
    if (t < p->n_forward && (p->task[t - 1].step < split) != (step < split))
        return false;
    return !slice || !b->slice || slice == b->slice;
}

afn_status afn_find_bands(afn_schedule_state *c)
{
    afn_program *p = c->p;
    afn_free(p->band);
    p->n_bands = 0;
    p->band = afn_alloc_array((size_t)p->n_tasks, sizeof *p->band);
    if (!p->band) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int t = 0; t < p->n_tasks; t++) {
        const afn_bound *b = &p->bound[p->task[t].step];
        const int64_t slice = b->kernel.any_n ? 0 : b->n;
        afn_band *last = p->n_bands ? &p->band[p->n_bands - 1] : NULL;
        if (!last || !joins(c, last, t, slice)) {
            last = &p->band[p->n_bands++];
            *last = (afn_band){ .from = t };
        }
        last->to = t + 1;
        if (slice) last->slice = slice;
        c->band_of[t] = p->n_bands - 1;
    }
    for (int i = 0; i < p->n_bands; i++)
        if (!p->band[i].slice)
            p->band[i].slice = p->bound[p->task[p->band[i].from].step].n;
    return AFN_OK;
}
