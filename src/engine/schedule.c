/* SPDX-License-Identifier: Apache-2.0 */
/* When each kernel runs and how long each buffer lives, for one batch size.
 *
 * Time is the index of a task, one more from the loss on: every step's forward, then
 * (at time n_steps) the loss, then backward from the last step to the first.
 *
 * What backward reads is either kept from forward or made again just before it is
 * read.  A value is made again where its kernel is cheap (batch norm: one pass over
 * memory) and everything that this takes is kept anyway or can be made again itself.
 * So a convolution keeps one tensor, its result: the normalised one is made again, and
 * so is the sum at the end of a residual block.  Sums depend on sums before them; after
 * MAX_SUMS one is kept, so that few of them exist at a time. */
#include "engine/plan.h"

enum { MAX_SUMS = 5, NEVER = -1 };

/* From when to when; first is NEVER for what is not used. */
typedef struct span {
    int first, last;
} span;

typedef struct schedule {
    afn_program *p;
    const afn_plan *plan;
    const afn_lowered *l;
    bool *needed;                  /* [n_nodes] backward reads this value */
    bool *cheap;                   /* [n_nodes] this value can be made again */
    int *sums;                     /* [n_nodes] longest row of sums that this takes */
    bool *made_again;              /* [n_nodes] a task for it is in the list */
    span *life;                    /* [n_nodes] of the value made by forward */
    span *second;                  /* [n_nodes] of the value made again */
    int *forward_at, *backward_at; /* [n_steps] */
} schedule;

/* ---- what is kept ---- */

static bool trains(const schedule *c, int i)
{
    return c->l->step[i].train && c->p->bound[i].ops->backward;
}

static void find_needed(schedule *c)
{
    for (int i = 0; i < c->l->n_steps; i++) {
        const afn_step *s = &c->l->step[i];
        const afn_kernel *k = &c->p->bound[i].kernel;
        if (!trains(c, i)) continue;
        if (k->keep_input) c->needed[s->input[0]] = true;
        if (k->keep_output) c->needed[s->output] = true;
    }
}

/* Is v in memory from forward on until backward has read it? */
static bool is_kept(const schedule *c, afn_value v)
{
    return c->needed[v] && !c->cheap[v];
}

/* Can the output of step i be made again?  Earlier steps are decided. */
static bool can_recompute(schedule *c, int i)
{
    const afn_step *s = &c->l->step[i];
    int sums = 0;
    if (!trains(c, i) || !c->p->bound[i].kernel.cheap || s->output == c->l->output)
        return false;
    for (int j = 0; j < s->n_inputs; j++) {
        const afn_value v = s->input[j];
        if (is_kept(c, v)) continue;
        if (!c->cheap[v]) return false;
        if (c->sums[v] > sums) sums = c->sums[v];
    }
    c->sums[s->output] = sums + s->add;
    return sums + s->add <= MAX_SUMS;
}

/* ---- tasks ---- */

static void add_task(schedule *c, afn_pass pass, int step)
{
    afn_program *p = c->p;
    assert(p->n_tasks < p->cap_tasks);
    p->task[p->n_tasks++] = (afn_task){ pass, step };
}

/* Time of the next task to be added. */
static int now(const schedule *c)
{
    const int n = c->p->n_tasks;
    return n < c->l->n_steps ? n : n + 1;
}

static void make_again(schedule *c, afn_value v)
{
    const int i = c->l->step_of[v];
    if (is_kept(c, v) || !c->cheap[v] || c->made_again[v]) return;
    for (int j = 0; j < c->l->step[i].n_inputs; j++)
        make_again(c, c->l->step[i].input[j]);
    c->made_again[v] = true;
    add_task(c, AFN_PASS_RECOMPUTE, i);
}

static void add_tasks(schedule *c)
{
    for (int i = 0; i < c->l->n_steps; i++) {
        c->forward_at[i] = now(c);
        add_task(c, AFN_PASS_FORWARD, i);
    }
    for (int i = c->l->n_steps - 1; i >= 0; i--) {
        const afn_step *s = &c->l->step[i];
        const afn_kernel *k = &c->p->bound[i].kernel;
        c->backward_at[i] = NEVER;
        if (!trains(c, i)) continue;
        if (k->keep_output) make_again(c, s->output);
        if (k->keep_input) make_again(c, s->input[0]);
        c->backward_at[i] = now(c);
        add_task(c, AFN_PASS_BACKWARD, i);
    }
}

/* ---- lives of values ---- */

static void use(span *s, int time)
{
    if (s->first == NEVER) s->first = time;
    if (s->last < time) s->last = time;
}

/* Backward or a task that makes something again reads v. */
static void use_later(schedule *c, afn_value v, int time)
{
    use(c->made_again[v] ? &c->second[v] : &c->life[v], time);
}

static void find_lives(schedule *c)
{
    const afn_program *p = c->p;
    for (int t = 0; t < p->n_tasks; t++) {
        const int i = p->task[t].step, time = t < c->l->n_steps ? t : t + 1;
        const afn_step *s = &c->l->step[i];
        const afn_kernel *k = &p->bound[i].kernel;
        switch (p->task[t].pass) {
        case AFN_PASS_FORWARD:
            use(&c->life[s->output], time);
            for (int j = 0; j < s->n_inputs; j++) use(&c->life[s->input[j]], time);
            break;
        case AFN_PASS_RECOMPUTE:
            use(&c->second[s->output], time);
            for (int j = 0; j < s->n_inputs; j++) use_later(c, s->input[j], time);
            break;
        case AFN_PASS_BACKWARD:
            if (k->keep_input) use_later(c, s->input[0], time);
            if (k->keep_output) use_later(c, s->output, time);
            break;
        case AFN_PASS_UPDATE:
        case AFN_N_PASSES:
            break;
        }
    }
    use(&c->life[c->l->output], c->l->n_steps); /* the loss reads the logits */
}

/* ---- buffers ---- */

static int add_buffer(afn_program *p, size_t bytes, int first, int last)
{
    if (!bytes) return -1;
    assert(p->n_buffers < p->cap_buffers);
    p->buffer[p->n_buffers] = (afn_interval){ bytes, first, last, 0 };
    return p->n_buffers++;
}

static void live_until(int *last, int time)
{
    if (*last < time) *last = time;
}

/* Does a step read v once only?  A convolution whose residual is its own input must
 * not write over it. */
static bool reads_once(const afn_step *s, afn_value v)
{
    int reads = 0;
    for (int j = 0; j < s->n_inputs; j++) reads += s->input[j] == v;
    return reads == 1;
}

/* The buffer that the output of step i may take over, -1 if none. */
static int buffer_to_share(const schedule *c, int i)
{
    const afn_program *p = c->p;
    const afn_kernel *k = &p->bound[i].kernel;
    if (k->alias < 0) return -1;
    const afn_value v = c->l->step[i].input[k->alias];
    const bool fits = p->layout[v].bytes == k->out.bytes;
    const bool dead =
        c->life[v].last == c->forward_at[i] && reads_once(&c->l->step[i], v);
    return fits && dead ? p->value_buffer[v] : -1;
}

static void add_value_buffers(schedule *c)
{
    afn_program *p = c->p;
    for (int i = 0; i < c->l->n_steps; i++) {
        const afn_value v = c->l->step[i].output;
        const size_t bytes = p->bound[i].kernel.out.bytes;
        int b = buffer_to_share(c, i);
        if (b < 0) b = add_buffer(p, bytes, c->life[v].first, c->life[v].last);
        live_until(&p->buffer[b].last, c->life[v].last);
        p->value_buffer[v] = b;
        p->later_buffer[v] = c->made_again[v] ? add_buffer(p, bytes, c->second[v].first,
                                                           c->second[v].last)
                                              : b;
    }
}

/* ---- gradients ---- */

/* The input whose gradient may lie where that of the output of step i did, -1 if none:
 * the last one that asks for it, and that nobody has given a gradient yet. */
static int heir_of(const schedule *c, int i)
{
    const afn_program *p = c->p;
    const afn_step *s = &c->l->step[i];
    if (!p->bound[i].kernel.hands_on_gradient) return -1;
    for (int j = s->n_inputs - 1; j >= 0; j--) {
        const afn_value v = s->input[j];
        if (s->grad_input[j] && p->grad_buffer[v] < 0 && reads_once(s, v) &&
            p->layout[v].bytes == p->layout[s->output].bytes)
            return j;
    }
    return -1;
}

/* A gradient lives from the first reader's backward to its maker's; that of the input
 * stays to the end. */
static int gradient_read_at(const schedule *c, afn_value v)
{
    const int at = c->backward_at[c->l->step_of[v]];
    return at == NEVER ? c->p->n_tasks + 1 : at;
}

static int add_gradient(schedule *c, afn_value v, int first)
{
    return add_buffer(c->p, c->p->layout[v].bytes, first, gradient_read_at(c, v));
}

/* Where step i puts the gradient of input j. */
static void add_input_gradient(schedule *c, int i, int j, int heir)
{
    afn_program *p = c->p;
    const afn_step *s = &c->l->step[i];
    const afn_value v = s->input[j];
    const afn_bound *maker = &p->bound[c->l->step_of[v]];
    afn_bound *b = &p->bound[i];
    int *place = &p->grad_buffer[v];
    if (*place >= 0 && maker->kernel.two_gradients) place = &p->grad2_buffer[v];
    b->accumulate[j] = *place >= 0;
    if (j == heir) {
        *place = p->grad_buffer[s->output];
        live_until(&p->buffer[*place].last, gradient_read_at(c, v));
    } else if (*place < 0) {
        *place = add_gradient(c, v, c->backward_at[i]);
    }
    b->din_buffer[j] = *place;
}

static void add_gradient_buffers(schedule *c)
{
    afn_program *p = c->p;
    const afn_lowered *l = c->l;
    if (l->needs_grad[l->output])
        p->grad_buffer[l->output] = add_gradient(c, l->output, l->n_steps);
    for (int i = l->n_steps - 1; i >= 0; i--) {
        const afn_step *s = &l->step[i];
        for (int j = 0; j < s->n_inputs; j++) p->bound[i].din_buffer[j] = -1;
        if (!trains(c, i)) continue;
        const int heir = heir_of(c, i);
        for (int j = 0; j < s->n_inputs; j++)
            if (s->grad_input[j]) add_input_gradient(c, i, j, heir);
    }
}

/* ---- what kernels keep and need ---- */

static size_t scratch_bytes(const schedule *c, afn_task t)
{
    const afn_bound *b = &c->p->bound[t.step];
    bool adds = false;
    for (int j = 0; j < c->l->step[t.step].n_inputs; j++) adds |= b->accumulate[j];
    return b->kernel.scratch_bytes +
           (t.pass == AFN_PASS_BACKWARD && adds ? b->kernel.add_bytes : 0);
}

static void add_kernel_buffers(schedule *c)
{
    afn_program *p = c->p;
    for (int t = 0; t < p->n_tasks; t++) {
        const int time = t < c->l->n_steps ? t : t + 1, i = p->task[t].step;
        afn_bound *b = &p->bound[i];
        const afn_kernel *k = &b->kernel;
        if (p->task[t].pass == AFN_PASS_FORWARD) {
            const size_t keep = trains(c, i) ? k->keep_bytes : 0;
            b->keep = add_buffer(p, keep, time, c->backward_at[i]);
            b->grads = -1;
        }
        b->scratch[p->task[t].pass] =
            add_buffer(p, scratch_bytes(c, p->task[t]), time, time);
        if (p->task[t].pass == AFN_PASS_BACKWARD && c->plan->opts.update_at_once)
            b->grads = add_buffer(p, afn_blobs_grad_bytes(c->plan, &c->l->step[i]),
                                  time, time);
    }
}

/* ---- all of it ---- */

static afn_status allocate(schedule *c)
{
    const size_t nodes = (size_t)c->l->n_nodes, steps = (size_t)c->l->n_steps;
    afn_program *p = c->p;
    p->cap_tasks = (int)(3 * steps);
    p->cap_buffers = (int)(4 * nodes + 5 * steps);
    p->task = afn_alloc_array((size_t)p->cap_tasks, sizeof *p->task);
    p->buffer = afn_alloc_array((size_t)p->cap_buffers, sizeof *p->buffer);
    p->value_buffer = afn_alloc_array(nodes, sizeof *p->value_buffer);
    p->later_buffer = afn_alloc_array(nodes, sizeof *p->later_buffer);
    p->grad_buffer = afn_alloc_array(nodes, sizeof *p->grad_buffer);
    p->grad2_buffer = afn_alloc_array(nodes, sizeof *p->grad2_buffer);
    c->needed = afn_alloc_array(nodes, sizeof *c->needed);
    c->cheap = afn_alloc_array(nodes, sizeof *c->cheap);
    c->sums = afn_alloc_array(nodes, sizeof *c->sums);
    c->made_again = afn_alloc_array(nodes, sizeof *c->made_again);
    c->life = afn_alloc_array(nodes, sizeof *c->life);
    c->second = afn_alloc_array(nodes, sizeof *c->second);
    c->forward_at = afn_alloc_array(steps, sizeof *c->forward_at);
    c->backward_at = afn_alloc_array(steps, sizeof *c->backward_at);
    if (!p->task || !p->buffer || !p->value_buffer || !p->later_buffer ||
        !p->grad_buffer || !p->grad2_buffer || !c->needed || !c->cheap || !c->sums ||
        !c->made_again || !c->life || !c->second || !c->forward_at || !c->backward_at)
        return afn_fail(AFN_ENOMEM, "out of memory");
    for (size_t i = 0; i < nodes; i++) {
        p->value_buffer[i] = p->later_buffer[i] = -1;
        p->grad_buffer[i] = p->grad2_buffer[i] = -1;
        c->life[i] = c->second[i] = (span){ NEVER, NEVER };
    }
    return AFN_OK;
}

static void release(schedule *c)
{
    afn_free(c->needed);
    afn_free(c->cheap);
    afn_free(c->sums);
    afn_free(c->made_again);
    afn_free(c->life);
    afn_free(c->second);
    afn_free(c->forward_at);
    afn_free(c->backward_at);
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
    find_lives(&c);
    add_value_buffers(&c);
    add_gradient_buffers(&c);
    add_kernel_buffers(&c);
    AFN_TRY(afn_memory_place(p->buffer, p->n_buffers, &p->arena_bytes));
done:
    release(&c);
    return st;
}
