/* SPDX-License-Identifier: Apache-2.0 */
/* A plan for one batch size: prepares the kernels, and runs them as schedule.c says. */
#include "engine/plan.h"

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
    b->in_later = afn_alloc_array(n_in, sizeof *b->in_later);
    b->din = afn_alloc_array(n_in, sizeof *b->din);
    b->din_buffer = afn_alloc_array(n_in, sizeof *b->din_buffer);
    b->accumulate = afn_alloc_array(n_in, sizeof *b->accumulate);
    AFN_REQUIRE(in && b->in && b->in_later && b->din && b->din_buffer && b->accumulate,
                AFN_ENOMEM, "out of memory");
    for (int k = 0; k < s->n_inputs; k++) in[k] = p->layout[s->input[k]];

    const afn_kernel_ops *ops = plan->backend->find(s->op);
    AFN_REQUIRE(ops, AFN_EUNSUPPORTED, "backend %s has no %s", plan->backend->name,
                afn_op_name(s->op));
    b->ops = ops;
    b->kernel.alias = -1;
    AFN_TRY(ops->prepare(&(afn_prepare){ .device = plan->device,
                                         .step = s,
                                         .n = p->n,
                                         .usual_n = plan->opts.batch,
                                         .algorithms = plan->opts.algorithms,
                                         .in = in,
                                         .graph = plan->graph,
                                         .blob = plan->blob },
                         &b->kernel));
    p->layout[s->output] = b->kernel.out;
done:
    afn_free(in);
    return named(st, s);
}

static afn_status allocate(afn_program *p, const afn_plan *plan)
{
    p->bound = afn_alloc_array((size_t)plan->low.n_steps, sizeof *p->bound);
    p->layout = afn_alloc_array((size_t)plan->low.n_nodes, sizeof *p->layout);
    return p->bound && p->layout ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
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
    AFN_TRY(afn_schedule(p, plan));
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
        afn_free(b->in_later);
        afn_free(b->din);
        afn_free(b->din_buffer);
        afn_free(b->accumulate);
    }
    afn_free(p->bound);
    afn_free(p->layout);
    afn_free(p->task);
    afn_free(p->buffer);
    afn_free(p->value_buffer);
    afn_free(p->later_buffer);
    afn_free(p->grad_buffer);
    afn_free(p->grad2_buffer);
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
        afn_bound *b = &p->bound[i];
        for (int k = 0; k < s->n_inputs; k++) {
            b->in[k] = at(p, p->value_buffer[s->input[k]]);
            b->in_later[k] = at(p, p->later_buffer[s->input[k]]);
            b->din[k] = at(p, b->din_buffer[k]);
        }
    }
}

static afn_args arguments(const afn_program *p, const afn_plan *plan, afn_task t)
{
    const afn_bound *b = &p->bound[t.step];
    const afn_value out = plan->low.step[t.step].output;
    const bool forward = t.pass == AFN_PASS_FORWARD;
    return (afn_args){
        .n = p->n,
        .in = forward ? b->in : b->in_later,
        .out = at(p, forward ? p->value_buffer[out] : p->later_buffer[out]),
        .dout = at(p, p->grad_buffer[out]),
        .dout2 = at(p, p->grad2_buffer[out]),
        .din = b->din,
        .accumulate = b->accumulate,
        .keep = at(p, b->keep),
        .scratch = at(p, b->scratch[t.pass]),
        .blob = plan->blob,
        .seed = plan->opts.seed,
        .call = plan->calls,
        .pixel_table = plan->pixel_table,
    };
}

static afn_status run_task(const afn_program *p, const afn_plan *plan, afn_task t,
                           const afn_args *a)
{
    const afn_kernel_ops *ops = p->bound[t.step].ops;
    void *state = p->bound[t.step].kernel.state;
    const double start = afn_profile_start(plan);
    afn_status st = AFN_OK;
    switch (t.pass) {
    case AFN_PASS_FORWARD:
        st = ops->forward(state, a);
        break;
    case AFN_PASS_RECOMPUTE:
        st = (ops->recompute ? ops->recompute : ops->forward)(state, a);
        break;
    case AFN_PASS_BACKWARD:
        st = ops->backward(state, a);
        break;
    case AFN_PASS_UPDATE:
    case AFN_N_PASSES:
        break;
    }
    afn_profile_add(p, plan, t.step, start, t.pass);
    return named(st, &plan->low.step[t.step]);
}

afn_status afn_program_forward(afn_program *p, const afn_plan *plan, int from, int to,
                               const uint8_t *pixels, const float *values)
{
    for (int i = from; i < to; i++) {
        afn_args a = arguments(p, plan, p->task[i]);
        a.pixels = pixels;
        a.values = values;
        const afn_status st = run_task(p, plan, p->task[i], &a);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

/* Gradients of the step's parameters exist from its backward to its update. */
static afn_status run_and_update(const afn_program *p, const afn_plan *plan, afn_task t,
                                 const afn_update *u)
{
    const afn_step *s = &plan->low.step[t.step];
    const afn_args a = arguments(p, plan, t);
    afn_blobs_place_grads(plan, s, at(p, p->bound[t.step].grads));
    const afn_status st = run_task(p, plan, t, &a);
    const double start = afn_profile_start(plan);
    if (st == AFN_OK) afn_blobs_update_step(plan, s, u);
    afn_profile_add(p, plan, t.step, start, AFN_PASS_UPDATE);
    afn_blobs_place_grads(plan, s, NULL);
    return st;
}

afn_status afn_program_backward(afn_program *p, const afn_plan *plan,
                                const afn_update *u)
{
    for (int i = plan->low.n_steps; i < p->n_tasks; i++) {
        const afn_task t = p->task[i];
        const afn_args a = arguments(p, plan, t);
        const afn_status st = u && t.pass == AFN_PASS_BACKWARD
                                  ? run_and_update(p, plan, t, u)
                                  : run_task(p, plan, t, &a);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}
