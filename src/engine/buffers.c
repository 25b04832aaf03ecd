/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in memory from when to when: values, their gradients, and what kernels keep
 * and need.  Where the tasks of a band take turns on slices of the batch, what it alone
 * sees is of one slice, and dead when its last task has read it; all else lives for
 * whole such bands. */
#include "engine/schedule.h"

typedef afn_schedule_state schedule;
typedef afn_span span;

typedef struct layouter {
    const schedule *c;
    afn_program *p;
    span *life;         /* [n_nodes] of the value made by forward */
    span *second;       /* [n_nodes] of the value made again */
    span *grad, *grad2; /* [n_nodes] of its gradient */
    int cap_buffers;
} layouter;

/* ---- time ---- */

static const afn_band *band_at(const layouter *b, int time)
{
    return &b->p->band[b->c->band_of[afn_task_at(b->p, time)]];
}

/* The loss is between bands; so is what comes after the last. */
static bool in_a_band(const layouter *b, int time)
{
    return time != b->p->n_forward && time <= b->p->n_tasks;
}

/* Does this task take turns with the others of a band?  A slice that is the whole batch
 * goes through each of them once. */
static bool takes_turns(const layouter *b, int time)
{
    return in_a_band(b, time) && band_at(b, time)->slice < b->p->n;
}

static bool is_local(const layouter *b, const span *s)
{
    return takes_turns(b, s->first) && in_a_band(b, s->last) &&
           band_at(b, s->first) == band_at(b, s->last);
}

static int begin_of_band(const layouter *b, int time)
{
    return takes_turns(b, time) ? afn_time_of(b->p, band_at(b, time)->from) : time;
}

static int end_of_band(const layouter *b, int time)
{
    return takes_turns(b, time) ? afn_time_of(b->p, band_at(b, time)->to - 1) : time;
}

static void use(span *s, int time)
{
    if (s->first == AFN_NEVER) s->first = time;
    if (s->last < time) s->last = time;
}

/* ---- lives of values ---- */

/* Backward or a task that makes something again reads v. */
static void use_later(layouter *b, afn_value v, int time)
{
    use(b->c->made_again[v] ? &b->second[v] : &b->life[v], time);
}

static void use_inputs(layouter *b, const afn_step *s, int time, bool later)
{
    for (int j = 0; j < s->n_inputs; j++)
        if (later)
            use_later(b, s->input[j], time);
        else
            use(&b->life[s->input[j]], time);
}

static void find_life(layouter *b, afn_task t, int time)
{
    const afn_step *s = &b->c->l->step[t.step];
    const afn_kernel *k = &b->p->bound[t.step].kernel;
    switch (t.kind) {
    case AFN_TASK_FORWARD_SUMS:
        use(&b->life[s->input[0]], time);
        break;
    case AFN_TASK_FORWARD:
        use(&b->life[s->output], time);
        use_inputs(b, s, time, false);
        break;
    case AFN_TASK_RECOMPUTE:
        use(&b->second[s->output], time);
        use_inputs(b, s, time, true);
        break;
    case AFN_TASK_BACKWARD_SUMS:
    case AFN_TASK_BACKWARD:
        if (k->keep_input) use_later(b, s->input[0], time);
        if (k->keep_second) use_later(b, s->input[1], time);
        if (afn_reads_output(k, t.kind)) use_later(b, s->output, time);
        break;
    case AFN_N_TASK_KINDS:
        break;
    }
}

/* A gradient lives from the first reader's backward to its maker's; that of the input
 * stays to the end. */
static int gradient_read_at(const layouter *b, afn_value v)
{
    const int maker = b->c->l->step_of[v], at = b->c->done_at[AFN_TASK_BACKWARD][maker];
    return at == AFN_NEVER ? b->p->n_tasks + 1 : at;
}

static void find_gradient_lives(layouter *b)
{
    const afn_lowered *l = b->c->l;
    if (l->needs_grad[l->output]) use(&b->grad[l->output], b->p->n_forward);
    for (int i = l->n_steps - 1; i >= 0; i--) {
        const afn_step *s = &l->step[i];
        for (int j = 0; afn_trains(b->c, i) && j < s->n_inputs; j++) {
            const afn_value v = s->input[j];
            const int time = b->c->done_at[AFN_TASK_BACKWARD][i];
            const bool two = b->p->bound[l->step_of[v]].kernel.two_gradients;
            if (!s->grad_input[j]) continue;
            use(two && b->grad[v].first != AFN_NEVER ? &b->grad2[v] : &b->grad[v],
                time);
        }
    }
    for (afn_value v = 0; v < l->n_nodes; v++) {
        if (b->grad[v].first != AFN_NEVER) use(&b->grad[v], gradient_read_at(b, v));
        if (b->grad2[v].first != AFN_NEVER) use(&b->grad2[v], gradient_read_at(b, v));
    }
}

static void find_lives(layouter *b)
{
    for (int t = 0; t < b->p->n_tasks; t++)
        find_life(b, b->p->task[t], afn_time_of(b->p, t));
    use(&b->life[b->c->l->output], b->p->n_forward); /* the loss reads the logits */
    if (b->c->plan->opts.watch > 0)                  /* is read after all */
        use(&b->life[b->c->plan->opts.watch], b->p->n_tasks + 1);
    find_gradient_lives(b);
}

/* ---- buffers ---- */

static int add_buffer(layouter *b, afn_interval i, afn_buffer spread)
{
    afn_program *p = b->p;
    if (!i.bytes) return -1;
    assert(p->n_buffers < b->cap_buffers);
    p->buffer[p->n_buffers] = i;
    p->spread[p->n_buffers] = spread;
    return p->n_buffers++;
}

/* Of something that a sample has `bytes` of. */
static int add_value(layouter *b, size_t bytes, const span *s)
{
    if (is_local(b, s)) {
        const size_t slice = (size_t)band_at(b, s->first)->slice;
        return add_buffer(b, (afn_interval){ slice * bytes, s->first, s->last, 0 },
                          (afn_buffer){ bytes, true });
    }
    return add_buffer(b,
                      (afn_interval){ (size_t)b->p->n * bytes,
                                      begin_of_band(b, s->first),
                                      end_of_band(b, s->last), 0 },
                      (afn_buffer){ bytes, false });
}

/* Buffer i is needed for this span, too. */
static void live_on(layouter *b, int i, const span *s)
{
    const int last = b->p->spread[i].local ? s->last : end_of_band(b, s->last);
    if (b->p->buffer[i].last < last) b->p->buffer[i].last = last;
}

/* Does a step read v once only?  A convolution whose residual is its own input must
 * not write over it. */
static bool reads_once(const afn_step *s, afn_value v)
{
    int reads = 0;
    for (int j = 0; j < s->n_inputs; j++) reads += s->input[j] == v;
    return reads == 1;
}

/* Can what lives for `next` lie in buffer i, where something as large lay? */
static bool can_follow(const layouter *b, int i, size_t bytes, const span *next)
{
    return i >= 0 && b->p->spread[i].stride == bytes &&
           b->p->spread[i].local == is_local(b, next);
}

/* The buffer that the output of step i may take over, -1 if none. */
static int buffer_to_share(const layouter *b, int i)
{
    const afn_program *p = b->p;
    const afn_kernel *k = &p->bound[i].kernel;
    const afn_step *s = &b->c->l->step[i];
    if (k->alias < 0) return -1;
    const afn_value v = s->input[k->alias];
    const bool dead =
        b->life[v].last == b->c->done_at[AFN_TASK_FORWARD][i] && reads_once(s, v);
    const bool fits =
        can_follow(b, p->value_buffer[v], k->out.bytes, &b->life[s->output]);
    return dead && fits ? p->value_buffer[v] : -1;
}

static void add_value_buffers(layouter *b)
{
    afn_program *p = b->p;
    for (int i = 0; i < b->c->l->n_steps; i++) {
        const afn_value v = b->c->l->step[i].output;
        const size_t bytes = p->bound[i].kernel.out.bytes;
        const int shared = buffer_to_share(b, i);
        p->value_buffer[v] = shared >= 0 ? shared : add_value(b, bytes, &b->life[v]);
        if (shared >= 0) live_on(b, shared, &b->life[v]);
        p->later_buffer[v] = b->c->made_again[v] ? add_value(b, bytes, &b->second[v])
                                                 : p->value_buffer[v];
    }
}

/* ---- gradients ---- */

/* The input whose gradient may lie where that of the output of step i did, -1 if none:
 * the last one that asks for it, and that nobody has given a gradient yet. */
static int heir_of(const layouter *b, int i)
{
    const afn_program *p = b->p;
    const afn_step *s = &b->c->l->step[i];
    if (!p->bound[i].kernel.hands_on_gradient) return -1;
    for (int j = s->n_inputs - 1; j >= 0; j--) {
        const afn_value v = s->input[j];
        if (s->grad_input[j] && p->grad_buffer[v] < 0 && reads_once(s, v) &&
            can_follow(b, p->grad_buffer[s->output], p->layout[v].bytes, &b->grad[v]))
            return j;
    }
    return -1;
}

/* Where step i puts the gradient of input j. */
static void add_input_gradient(layouter *b, int i, int j, int heir)
{
    afn_program *p = b->p;
    const afn_step *s = &b->c->l->step[i];
    const afn_value v = s->input[j];
    const afn_bound *maker = &p->bound[b->c->l->step_of[v]];
    const bool second = p->grad_buffer[v] >= 0 && maker->kernel.two_gradients;
    int *place = second ? &p->grad2_buffer[v] : &p->grad_buffer[v];
    p->bound[i].accumulate[j] = *place >= 0;
    if (j == heir) {
        *place = p->grad_buffer[s->output];
        live_on(b, *place, &b->grad[v]);
    } else if (*place < 0) {
        *place = add_value(b, p->layout[v].bytes, second ? &b->grad2[v] : &b->grad[v]);
    }
    p->bound[i].din_buffer[j] = *place;
}

static void add_gradient_buffers(layouter *b)
{
    afn_program *p = b->p;
    const afn_lowered *l = b->c->l;
    if (l->needs_grad[l->output])
        p->grad_buffer[l->output] =
            add_value(b, p->layout[l->output].bytes, &b->grad[l->output]);
    for (int i = l->n_steps - 1; i >= 0; i--) {
        const afn_step *s = &l->step[i];
        for (int j = 0; j < s->n_inputs; j++) p->bound[i].din_buffer[j] = -1;
        if (!afn_trains(b->c, i)) continue;
        const int heir = heir_of(b, i);
        for (int j = 0; j < s->n_inputs; j++)
            if (s->grad_input[j]) add_input_gradient(b, i, j, heir);
    }
}

/* ---- what kernels keep and need ---- */

static int add_for_all(layouter *b, size_t bytes, int first, int last)
{
    return add_buffer(
        b, (afn_interval){ bytes, begin_of_band(b, first), end_of_band(b, last), 0 },
        (afn_buffer){ 0, false });
}

static size_t scratch_bytes(const layouter *b, afn_task t)
{
    const afn_bound *k = &b->p->bound[t.step];
    bool adds = false;
    for (int j = 0; j < b->c->l->step[t.step].n_inputs; j++) adds |= k->accumulate[j];
    return k->kernel.scratch_bytes +
           (t.kind == AFN_TASK_BACKWARD && adds ? k->kernel.add_bytes : 0);
}

/* What the first task of a step leaves for those that follow. */
static void add_kept(layouter *b, int i)
{
    afn_bound *k = &b->p->bound[i];
    const int sums = b->c->done_at[AFN_TASK_FORWARD_SUMS][i];
    const int forward = b->c->done_at[AFN_TASK_FORWARD][i];
    const int last =
        afn_trains(b->c, i) ? b->c->done_at[AFN_TASK_BACKWARD][i] : forward;
    const size_t calls = k->kernel.keep_whole ? 1 : (size_t)(b->p->n / k->n);
    k->keep = -1;
    if (sums != AFN_NEVER)
        k->keep = add_for_all(b, calls * k->kernel.keep_bytes, sums, last);
    else if (last != forward)
        k->keep = add_for_all(b, calls * k->kernel.keep_bytes, forward, last);
}

static void add_kernel_buffers(layouter *b)
{
    afn_program *p = b->p;
    for (int i = 0; i < b->c->l->n_steps; i++) {
        add_kept(b, i);
        p->bound[i].grads = -1;
    }
    for (int t = 0; t < p->n_tasks; t++) {
        const afn_task task = p->task[t];
        const int time = afn_time_of(p, t);
        afn_bound *k = &p->bound[task.step];
        k->scratch[task.kind] =
            add_buffer(b, (afn_interval){ scratch_bytes(b, task), time, time, 0 },
                       (afn_buffer){ 0, false });
        k->held[task.kind] =
            add_for_all(b, k->kernel.held_bytes[task.kind], time, time);
        if (task.kind != AFN_TASK_BACKWARD && task.kind != AFN_TASK_BACKWARD_SUMS)
            continue;
        const size_t grads =
            afn_blobs_grad_bytes(b->c->plan, &b->c->l->step[task.step]);
        if (b->c->plan->opts.update_at_once && k->grads < 0)
            k->grads = add_for_all(b, grads, time,
                                   b->c->done_at[AFN_TASK_BACKWARD][task.step]);
    }
}

/* ---- all of it ---- */

static afn_status allocate(layouter *b)
{
    afn_program *p = b->p;
    const size_t nodes = (size_t)b->c->l->n_nodes, steps = (size_t)b->c->l->n_steps;
    const size_t buffers = 4 * nodes + (2 + 2 * AFN_N_TASK_KINDS) * steps;
    int **index[] = { &p->value_buffer, &p->later_buffer, &p->grad_buffer,
                      &p->grad2_buffer };
    span **spans[] = { &b->life, &b->second, &b->grad, &b->grad2 };
    bool enough = true;
    afn_free(p->buffer);
    afn_free(p->spread);
    p->n_buffers = 0;
    b->cap_buffers = (int)buffers;
    p->buffer = afn_alloc_array(buffers, sizeof *p->buffer);
    p->spread = afn_alloc_array(buffers, sizeof *p->spread);
    for (size_t k = 0; k < AFN_COUNT(index); k++) {
        afn_free(*index[k]);
        *index[k] = afn_alloc_array(nodes, sizeof **index[k]);
        *spans[k] = afn_alloc_array(nodes, sizeof **spans[k]);
        enough = enough && *index[k] && *spans[k];
        for (size_t i = 0; *index[k] && *spans[k] && i < nodes; i++) {
            (*index[k])[i] = -1;
            (*spans[k])[i] = (span){ AFN_NEVER, AFN_NEVER };
        }
    }
    return enough && p->buffer && p->spread ? AFN_OK
                                            : afn_fail(AFN_ENOMEM, "out of memory");
}

afn_status afn_find_buffers(afn_schedule_state *c)
{
    layouter b = { .c = c, .p = c->p };
    const afn_status st = allocate(&b);
    if (st == AFN_OK) {
        find_lives(&b);
        add_value_buffers(&b);
        add_gradient_buffers(&b);
        add_kernel_buffers(&b);
    }
    afn_free(b.life);
    afn_free(b.second);
    afn_free(b.grad);
    afn_free(b.grad2);
    return st;
}
