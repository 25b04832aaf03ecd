/* SPDX-License-Identifier: Apache-2.0 */
/* A plan for one batch size: kernels, buffers and their places in the arena.
 *
 * Time for the memory plan: forward of step i is at time i, backward of step i at time
 * 2S-1-i for S steps. */
#include "engine/plan.h"

static int backward_time(const afn_lowered *l, int step)
{
    return 2 * l->n_steps - 1 - step;
}

/* An error says at which layer it happened. */
static afn_status named(afn_status st, const afn_step *s)
{
    const char *name = *s->node->name ? s->node->name : afn_op_name(s->op);
    return afn_context(st, "%s", name);
}

/* ---- preparing kernels ---- */

static afn_status prepare_step(afn_program *p, afn_plan *plan, int i)
{
    afn_status st = AFN_OK;
    const afn_step *s = &plan->low.step[i];
    afn_bound *b = &p->bound[i];
    const size_t n_in = (size_t)s->n_inputs;
    afn_layout *in = afn_alloc_array(n_in, sizeof *in);
    b->in = afn_alloc_array(n_in, sizeof *b->in);
    b->din = afn_alloc_array(n_in, sizeof *b->din);
    b->accumulate = afn_alloc_array(n_in, sizeof *b->accumulate);
    AFN_REQUIRE(in && b->in && b->din && b->accumulate, AFN_ENOMEM, "out of memory");
    for (int k = 0; k < s->n_inputs; k++) in[k] = p->layout[s->input[k]];

    const afn_kernel_ops *ops = plan->backend->find(s->op);
    AFN_REQUIRE(ops, AFN_EUNSUPPORTED, "backend %s has no %s", plan->backend->name,
                afn_op_name(s->op));
    b->ops = ops;
    b->kernel.alias = -1;
    AFN_TRY(ops->prepare(&(afn_prepare){ .device = plan->device,
                                         .step = s,
                                         .n = p->n,
                                         .in = in,
                                         .graph = plan->graph,
                                         .blob = plan->blob },
                         &b->kernel));
    p->layout[s->output] = b->kernel.out;
done:
    afn_free(in);
    return named(st, s);
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

/* When each value is read for the last time. */
static void find_last_reads(const afn_program *p, const afn_lowered *l, int *last)
{
    for (int i = 0; i < l->n_steps; i++) {
        const afn_step *s = &l->step[i];
        const afn_kernel *k = &p->bound[i].kernel;
        const int back = backward_time(l, i);
        live_until(&last[s->output], i);
        for (int j = 0; j < s->n_inputs; j++) live_until(&last[s->input[j]], i);
        if (s->train && k->keep_input) live_until(&last[s->input[0]], back);
        if (s->train && k->keep_output) live_until(&last[s->output], back);
    }
    live_until(&last[l->output], l->n_steps); /* logits are read after the last step */
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
static int buffer_to_share(const afn_program *p, const afn_lowered *l, int i,
                           const int *last)
{
    const afn_kernel *k = &p->bound[i].kernel;
    if (k->alias < 0) return -1;
    const afn_value v = l->step[i].input[k->alias];
    const bool fits = p->layout[v].bytes == k->out.bytes;
    const bool dead = last[v] == i && reads_once(&l->step[i], v);
    return fits && dead ? p->value_buffer[v] : -1;
}

static afn_status add_value_buffers(afn_program *p, const afn_plan *plan)
{
    const afn_lowered *l = &plan->low;
    int *last = afn_alloc_array((size_t)l->n_nodes, sizeof *last);
    if (!last) return afn_fail(AFN_ENOMEM, "out of memory");
    find_last_reads(p, l, last);
    for (int i = 0; i < l->n_steps; i++) {
        const afn_value v = l->step[i].output;
        int b = buffer_to_share(p, l, i, last);
        if (b < 0) b = add_buffer(p, p->bound[i].kernel.out.bytes, i, last[v]);
        live_until(&p->buffer[b].last, last[v]);
        p->value_buffer[v] = b;
    }
    afn_free(last);
    return AFN_OK;
}

static void add_kernel_buffers(afn_program *p, const afn_plan *plan)
{
    const afn_lowered *l = &plan->low;
    for (int i = 0; i < l->n_steps; i++) {
        const bool train = l->step[i].train;
        afn_bound *b = &p->bound[i];
        const afn_kernel *k = &b->kernel;
        const int back = backward_time(l, i);
        b->keep = train ? add_buffer(p, k->keep_bytes, i, back) : -1;
        b->scratch[0] = add_buffer(p, k->scratch_bytes, i, i);
        b->scratch[1] = train ? add_buffer(p, k->scratch_bytes, back, back) : -1;
    }
}

/* A gradient lives from the first reader's backward to its maker's. */
static void add_gradient_buffers(afn_program *p, const afn_plan *plan)
{
    const afn_lowered *l = &plan->low;
    const int end = 2 * l->n_steps;
    if (l->needs_grad[l->output])
        p->grad_buffer[l->output] =
            add_buffer(p, p->layout[l->output].bytes, l->n_steps,
                       backward_time(l, l->step_of[l->output]));
    for (int i = l->n_steps - 1; i >= 0; i--) {
        const afn_step *s = &l->step[i];
        for (int j = 0; s->train && j < s->n_inputs; j++) {
            const afn_value v = s->input[j];
            if (!s->grad_input[j]) continue;
            p->bound[i].accumulate[j] = p->grad_buffer[v] >= 0;
            if (p->grad_buffer[v] >= 0) continue;
            const int maker = l->step_of[v];
            const bool input = l->step[maker].op == AFN_OP_INPUT;
            p->grad_buffer[v] = add_buffer(p, p->layout[v].bytes, backward_time(l, i),
                                           input ? end : backward_time(l, maker));
        }
    }
}

static afn_status allocate(afn_program *p, const afn_plan *plan)
{
    const afn_lowered *l = &plan->low;
    const size_t nodes = (size_t)l->n_nodes, steps = (size_t)l->n_steps;
    p->cap_buffers = (int)(2 * nodes + 3 * steps);
    p->bound = afn_alloc_array(steps, sizeof *p->bound);
    p->layout = afn_alloc_array(nodes, sizeof *p->layout);
    p->buffer = afn_alloc_array((size_t)p->cap_buffers, sizeof *p->buffer);
    p->value_buffer = afn_alloc_array(nodes, sizeof *p->value_buffer);
    p->grad_buffer = afn_alloc_array(nodes, sizeof *p->grad_buffer);
    if (!p->bound || !p->layout || !p->buffer || !p->value_buffer || !p->grad_buffer)
        return afn_fail(AFN_ENOMEM, "out of memory");
    for (size_t i = 0; i < nodes; i++) p->value_buffer[i] = p->grad_buffer[i] = -1;
    return AFN_OK;
}

static afn_status load_kernels(afn_program *p, const afn_plan *plan)
{
    for (int i = 0; i < plan->low.n_steps; i++) {
        const afn_bound *b = &p->bound[i];
        if (!b->ops->load) continue;
        const afn_status st = b->ops->load(b->kernel.state, plan->params);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

afn_status afn_program_new(afn_program **out, afn_plan *plan, int64_t n)
{
    afn_status st = AFN_OK;
    *out = NULL;
    afn_program *p = afn_alloc(sizeof *p);
    AFN_REQUIRE(p, AFN_ENOMEM, "out of memory");
    p->n = n;
    AFN_TRY(allocate(p, plan));
    for (int i = 0; i < plan->low.n_steps; i++) AFN_TRY(prepare_step(p, plan, i));
    AFN_TRY(load_kernels(p, plan));
    AFN_TRY(add_value_buffers(p, plan));
    add_kernel_buffers(p, plan);
    add_gradient_buffers(p, plan);
    AFN_TRY(afn_memory_place(p->buffer, p->n_buffers, &p->arena_bytes));
    *out = p;
    p = NULL;
done:
    afn_program_free(p, plan);
    return st;
}

void afn_program_free(afn_program *p, const afn_plan *plan)
{
    if (!p) return;
    for (int i = 0; p->bound && i < plan->low.n_steps; i++) {
        afn_bound *b = &p->bound[i];
        if (b->ops && b->ops->free) b->ops->free(b->kernel.state);
        afn_free(b->in);
        afn_free(b->din);
        afn_free(b->accumulate);
    }
    afn_free(p->bound);
    afn_free(p->layout);
    afn_free(p->buffer);
    afn_free(p->value_buffer);
    afn_free(p->grad_buffer);
    afn_free(p);
}

/* ---- running ---- */

static void *at(const afn_program *p, int buffer)
{
    return buffer < 0 ? NULL : p->base + p->buffer[buffer].offset;
}

void afn_program_bind(afn_program *p, const afn_plan *plan, char *arena)
{
    if (p->base == arena) return;
    p->base = arena;
    for (int i = 0; i < plan->low.n_steps; i++) {
        const afn_step *s = &plan->low.step[i];
        for (int k = 0; k < s->n_inputs; k++) {
            const afn_value v = s->input[k];
            p->bound[i].in[k] = at(p, p->value_buffer[v]);
            p->bound[i].din[k] = s->grad_input[k] ? at(p, p->grad_buffer[v]) : NULL;
        }
    }
}

static afn_args arguments(const afn_program *p, const afn_plan *plan, int i)
{
    const afn_bound *b = &p->bound[i];
    const afn_value out = plan->low.step[i].output;
    return (afn_args){
        .n = p->n,
        .in = b->in,
        .out = at(p, p->value_buffer[out]),
        .dout = at(p, p->grad_buffer[out]),
        .din = b->din,
        .accumulate = b->accumulate,
        .keep = at(p, b->keep),
        .scratch = at(p, b->scratch[0]),
        .blob = plan->blob,
        .seed = plan->opts.seed,
        .call = plan->calls,
        .pixel_table = plan->pixel_table,
    };
}

afn_status afn_program_forward(afn_program *p, const afn_plan *plan,
                               const uint8_t *pixels, const float *values)
{
    for (int i = 0; i < plan->low.n_steps; i++) {
        afn_args a = arguments(p, plan, i);
        a.pixels = pixels;
        a.values = values;
        const afn_status st = p->bound[i].ops->forward(p->bound[i].kernel.state, &a);
        if (st != AFN_OK) return named(st, &plan->low.step[i]);
    }
    return AFN_OK;
}

afn_status afn_program_backward(afn_program *p, const afn_plan *plan)
{
    for (int i = plan->low.n_steps - 1; i >= 0; i--) {
        const afn_bound *b = &p->bound[i];
        if (!plan->low.step[i].train || !b->ops->backward) continue;
        afn_args a = arguments(p, plan, i);
        a.scratch = at(p, b->scratch[1]);
        const afn_status st = b->ops->backward(b->kernel.state, &a);
        if (st != AFN_OK) return named(st, &plan->low.step[i]);
    }
    return AFN_OK;
}
