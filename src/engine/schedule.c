/* SPDX-License-Identifier: Apache-2.0 */
/* When each kernel runs, for one batch size: the list of tasks.
 *
 * What backward reads is either kept from forward or made again just before it is
 * read.  A value is made again where its kernel is cheap (batch norm: one pass over
 * memory) and everything that this takes is kept anyway or can be made again itself.
 * So a convolution keeps one tensor, its result: the normalised one is made again, and
 * so is the sum at the end of a residual block.  Sums depend on sums before them; after
 * MAX_SUMS one is kept, so that few of them exist at a time, and so is one for which
 * more than one convolution would run again.
 *
 * Sums over the batch (statistics, and those of gradients) run as soon as what they
 * read is there, so that they find it in the cache. */
#include "engine/schedule.h"

enum { MAX_SUMS = 5, MAX_CONVS = 1 };

typedef afn_schedule_state schedule;

/* ---- what is kept ---- */

static void find_needed(schedule *c)
{
    for (int i = 0; i < c->l->n_steps; i++) {
        const afn_step *s = &c->l->step[i];
        const afn_kernel *k = &c->p->bound[i].kernel;
        if (!afn_trains(c, i)) continue;
        if (k->keep_input) c->needed[s->input[0]] = true;
        if (k->keep_second) c->needed[s->input[1]] = true;
        if (k->keep_output) c->needed[s->output] = true;
    }
}

/* Is v in memory from forward on until backward has read it? */
static bool is_kept(const schedule *c, afn_value v)
{
    return c->needed[v] && !c->cheap[v];
}

static bool is_sum(const afn_step *s)
{
    return s->add || s->op == AFN_OP_ADD;
}

/* Can the output of step i be made again?  Earlier steps are decided. */
static bool can_recompute(schedule *c, int i)
{
    const afn_step *s = &c->l->step[i];
    int sums = 0, convs = s->op == AFN_OP_CONV2D;
    if (!afn_trains(c, i) || !c->p->bound[i].kernel.cheap || s->output == c->l->output)
        return false;
    for (int j = 0; j < s->n_inputs; j++) {
        const afn_value v = s->input[j];
        if (is_kept(c, v)) continue;
        if (!c->cheap[v]) return false;
        if (c->sums[v] > sums) sums = c->sums[v];
        convs += c->convs[v];
    }
    c->sums[s->output] = sums + is_sum(s);
    c->convs[s->output] = is_sum(s) ? 0 : convs;
    return c->sums[s->output] <= MAX_SUMS && (!is_sum(s) || convs <= MAX_CONVS);
}

/* ---- tasks ---- */

static void add_task(schedule *c, afn_task_kind kind, int step)
{
    afn_program *p = c->p;
    if (kind == AFN_TASK_FORWARD_SUMS || kind == AFN_TASK_FORWARD) p->n_forward++;
    c->done_at[kind][step] = afn_time_of(p, p->n_tasks);
    p->task[p->n_tasks++] = (afn_task){ kind, step };
}

/* Statistics of v, for those that read it; steps of the rest do not run in the prefix.
 */
static void add_forward_sums(schedule *c, afn_value v)
{
    const int maker = c->l->step_of[v];
    for (int i = maker + 1; maker >= c->plan->split && i < c->l->n_steps; i++)
        if (c->l->step[i].input[0] == v && c->p->bound[i].kernel.forward_sums)
            add_task(c, AFN_TASK_FORWARD_SUMS, i);
}

static void add_forward(schedule *c, int i)
{
    if (c->p->bound[i].kernel.forward_sums &&
        c->done_at[AFN_TASK_FORWARD_SUMS][i] == AFN_NEVER)
        add_task(c, AFN_TASK_FORWARD_SUMS, i);
    add_task(c, AFN_TASK_FORWARD, i);
    add_forward_sums(c, c->l->step[i].output);
}

static void make_again(schedule *c, afn_value v)
{
    const int i = c->l->step_of[v];
    if (is_kept(c, v) || !c->cheap[v] || c->made_again[v]) return;
    for (int j = 0; j < c->l->step[i].n_inputs; j++)
        make_again(c, c->l->step[i].input[j]);
    c->made_again[v] = true;
    add_task(c, AFN_TASK_RECOMPUTE, i);
}

/* A task of backward, after what it reads. */
static void add_backward_task(schedule *c, afn_task_kind kind, int i)
{
    const afn_step *s = &c->l->step[i];
    const afn_kernel *k = &c->p->bound[i].kernel;
    if (c->done_at[kind][i] != AFN_NEVER) return;
    if (afn_reads_output(k, kind)) make_again(c, s->output);
    if (k->keep_input) make_again(c, s->input[0]);
    if (k->keep_second) make_again(c, s->input[1]);
    add_task(c, kind, i);
}

/* Does a step before `before` still give v a part of its gradient? */
static bool gets_more(const schedule *c, afn_value v, int before)
{
    for (int i = 0; i < before; i++) {
        const afn_step *s = &c->l->step[i];
        for (int j = 0; afn_trains(c, i) && j < s->n_inputs; j++)
            if (s->input[j] == v && s->grad_input[j]) return true;
    }
    return false;
}

static void add_backward(schedule *c, int i)
{
    const afn_step *s = &c->l->step[i];
    if (c->p->bound[i].kernel.backward_sums)
        add_backward_task(c, AFN_TASK_BACKWARD_SUMS, i);
    add_backward_task(c, AFN_TASK_BACKWARD, i);
    for (int j = 0; j < s->n_inputs; j++) {
        const int maker = c->l->step_of[s->input[j]];
        if (s->grad_input[j] && afn_trains(c, maker) &&
            c->p->bound[maker].kernel.backward_sums && !gets_more(c, s->input[j], i))
            add_backward_task(c, AFN_TASK_BACKWARD_SUMS, maker);
    }
}

static void add_tasks(schedule *c)
{
    c->p->n_tasks = c->p->n_forward = 0;
    for (int i = 0; i < c->l->n_steps; i++) add_forward(c, i);
    for (int i = c->l->n_steps - 1; i >= 0; i--)
        if (afn_trains(c, i)) add_backward(c, i);
}

/* ---- all of it ---- */

static afn_status allocate(schedule *c)
{
    const size_t nodes = (size_t)c->l->n_nodes, steps = (size_t)c->l->n_steps;
    const size_t tasks = AFN_N_TASK_KINDS * steps;
    bool enough = true;
    afn_free(c->p->task);
    c->p->task = afn_alloc_array(tasks, sizeof *c->p->task);
    c->needed = afn_alloc_array(nodes, sizeof *c->needed);
    c->cheap = afn_alloc_array(nodes, sizeof *c->cheap);
    c->sums = afn_alloc_array(nodes, sizeof *c->sums);
    c->convs = afn_alloc_array(nodes, sizeof *c->convs);
    c->made_again = afn_alloc_array(nodes, sizeof *c->made_again);
    c->band_of = afn_alloc_array(tasks, sizeof *c->band_of);
    for (int k = 0; k < AFN_N_TASK_KINDS; k++) {
        c->done_at[k] = afn_alloc_array(steps, sizeof *c->done_at[k]);
        enough = enough && c->done_at[k];
        for (size_t i = 0; c->done_at[k] && i < steps; i++)
            c->done_at[k][i] = AFN_NEVER;
    }
    if (!enough || !c->p->task || !c->needed || !c->cheap || !c->sums || !c->convs ||
        !c->made_again || !c->band_of)
        return afn_fail(AFN_ENOMEM, "out of memory");
    return AFN_OK;
}

static void release(schedule *c)
{
    afn_free(c->needed);
    afn_free(c->cheap);
    afn_free(c->sums);
    afn_free(c->convs);
    afn_free(c->made_again);
    afn_free(c->band_of);
    for (int k = 0; k < AFN_N_TASK_KINDS; k++) afn_free(c->done_at[k]);
}

afn_status afn_schedule(afn_program *p, const afn_plan *plan)
{
    afn_status st = AFN_OK;
    const afn_lowered *l = &plan->low;
    schedule c = { .p = p, .plan = plan, .l = l };
    AFN_TRY(allocate(&c));
    find_needed(&c);
    for (int i = 0; i < l->n_steps; i++)
        c.cheap[l->step[i].output] = can_recompute(&c, i);
    add_tasks(&c);
    AFN_TRY(afn_find_bands(&c));
    AFN_TRY(afn_find_buffers(&c));
    AFN_TRY(afn_memory_place(p->buffer, p->n_buffers, &p->arena_bytes));
done:
    release(&c);
    return st;
}
