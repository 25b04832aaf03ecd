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

static afn_status prepare_step(afn_program *p, afn_plan *plan, int i, int64_t usual_n)
{
    afn_status st = AFN_OK;
    const afn_step *s = &plan->low.step[i];
    afn_bound *b = &p->bound[i];
    const size_t n_in = (size_t)s->n_inputs;
    afn_layout *in = afn_alloc_array(n_in, sizeof *in);
    b->in = afn_alloc_array(n_in, sizeof *b->in);
    b->din = afn_alloc_array(n_in, sizeof *b->din);
    b->din_buffer = afn_alloc_array(n_in, sizeof *b->din_buffer);
    b->accumulate = afn_alloc_array(n_in, sizeof *b->accumulate);
    AFN_REQUIRE(in && b->in && b->din && b->din_buffer && b->accumulate, AFN_ENOMEM,
                "out of memory");
    for (int k = 0; k < s->n_inputs; k++) in[k] = p->layout[s->input[k]];

    const afn_kernel_ops *ops = plan->backend->find(s->op);
    AFN_REQUIRE(ops, AFN_EUNSUPPORTED, "backend %s has no %s", plan->backend->name,
                afn_op_name(s->op));
    b->ops = ops;
    b->kernel.alias = -1;
    AFN_TRY(ops->prepare(&(afn_prepare){ .device = plan->device,
                                         .step = s,
                                         .n = b->n,
                                         .batch = p->n,
                                         .usual_n = usual_n,
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

static afn_status prepare_steps(afn_program *p, afn_plan *plan)
{
    afn_status st = AFN_OK;
    const size_t steps = (size_t)plan->low.n_steps;
    int64_t *n = afn_alloc_array(steps, sizeof *n);
    int64_t *usual_n = afn_alloc_array(steps, sizeof *usual_n);
    AFN_REQUIRE(n && usual_n, AFN_ENOMEM, "out of memory");
    afn_slices(n, plan, p->n);
    afn_slices(usual_n, plan, plan->opts.batch);
    for (int i = 0; i < plan->low.n_steps; i++) {
        p->bound[i].n = n[i];
        AFN_TRY(prepare_step(p, plan, i, usual_n[i]));
    }
done:
    afn_free(n);
    afn_free(usual_n);
    return st;
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
    AFN_TRY(prepare_steps(p, plan));
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
        afn_free(b->din);
        afn_free(b->din_buffer);
        afn_free(b->accumulate);
    }
    afn_free(p->bound);
    afn_free(p->layout);
    afn_free(p->task);
    afn_free(p->band);
    afn_free(p->buffer);
    afn_free(p->spread);
    afn_free(p->value_buffer);
    afn_free(p->later_buffer);
    afn_free(p->grad_buffer);
    afn_free(p->grad2_buffer);
    afn_free(p);
}

/* ---- one call ---- */

/* Some samples of the batch, in the slice of a band that begins at `start`. */
typedef struct samples {
    int64_t start, first, n;
} samples;

static void *at(const afn_program *p, int buffer, samples w)
{
    if (buffer < 0) return NULL;
    const afn_buffer *b = &p->spread[buffer];
    const int64_t sample = b->local ? w.first - w.start : w.first;
    return p->base + p->buffer[buffer].offset + (size_t)sample * b->stride;
}

static void *kept(const afn_program *p, const afn_bound *b, samples w)
{
    char *all = afn_program_at(p, b->keep);
    if (!all || b->kernel.keep_whole) return all;
    return all + (size_t)(w.first / b->n) * b->kernel.keep_bytes;
}

static afn_args arguments(const afn_program *p, const afn_plan *plan, afn_task t,
                          samples w)
{
    const afn_step *s = &plan->low.step[t.step];
    const afn_bound *b = &p->bound[t.step];
    const bool forward = t.kind == AFN_TASK_FORWARD || t.kind == AFN_TASK_FORWARD_SUMS;
    const int *value = forward ? p->value_buffer : p->later_buffer;
    for (int k = 0; k < s->n_inputs; k++) {
        b->in[k] = at(p, value[s->input[k]], w);
        b->din[k] = at(p, b->din_buffer[k], w);
    }
    return (afn_args){
        .n = w.n,
        .first = w.first,
        .batch = p->n,
        .in = b->in,
        .out = at(p, value[s->output], w),
        .dout = at(p, p->grad_buffer[s->output], w),
        .dout2 = at(p, p->grad2_buffer[s->output], w),
        .din = b->din,
        .accumulate = b->accumulate,
        .keep = kept(p, b, w),
        .scratch = afn_program_at(p, b->scratch[t.kind]),
        .held = afn_program_at(p, b->held[t.kind]),
        .blob = plan->blob,
        .seed = plan->opts.seed,
        .call = plan->calls,
        .pixel_table = plan->pixel_table,
    };
}

static afn_status call(const afn_kernel_ops *ops, void *state, afn_task_kind kind,
                       const afn_args *a)
{
    switch (kind) {
    case AFN_TASK_FORWARD_SUMS:
        return ops->forward_sums(state, a);
    case AFN_TASK_FORWARD:
        return ops->forward(state, a);
    case AFN_TASK_RECOMPUTE:
        return (ops->recompute ? ops->recompute : ops->forward)(state, a);
    case AFN_TASK_BACKWARD_SUMS:
        return ops->backward_sums(state, a);
    case AFN_TASK_BACKWARD:
        return ops->backward(state, a);
    case AFN_N_TASK_KINDS:
        break;
    }
    return AFN_OK;
}

/* The pass that a task is part of, in a profile. */
static afn_pass pass_of(afn_task_kind kind)
{
    static const afn_pass pass[] = {
        [AFN_TASK_FORWARD_SUMS] = AFN_PASS_FORWARD,
        [AFN_TASK_FORWARD] = AFN_PASS_FORWARD,
        [AFN_TASK_RECOMPUTE] = AFN_PASS_RECOMPUTE,
        [AFN_TASK_BACKWARD_SUMS] = AFN_PASS_BACKWARD,
        [AFN_TASK_BACKWARD] = AFN_PASS_BACKWARD,
    };
    static_assert(AFN_COUNT(pass) == AFN_N_TASK_KINDS, "one pass per kind");
    return pass[kind];
}

static bool is_sums(afn_task_kind kind)
{
    return kind == AFN_TASK_FORWARD_SUMS || kind == AFN_TASK_BACKWARD_SUMS;
}

static bool is_backward(afn_task_kind kind)
{
    return kind == AFN_TASK_BACKWARD || kind == AFN_TASK_BACKWARD_SUMS;
}

/* ---- running ---- */

/* What a run of bands works on. */
typedef struct run {
    afn_program *p;
    const afn_plan *plan;
    const uint8_t *pixels; /* (n, H, W, C), or NULL */
    const float *values;   /* (n, C, H, W), or NULL */
    const afn_update *u;   /* NULL = parameters are not updated at once */
} run;

/* Gradients of a step's parameters exist from its first task to its update. */
static void before_backward(const run *r, afn_task t, const afn_args *a)
{
    const afn_step *s = &r->plan->low.step[t.step];
    const afn_bound *b = &r->p->bound[t.step];
    if (!r->u || !is_backward(t.kind)) return;
    afn_blobs_place_grads(r->plan, s, afn_program_at(r->p, b->grads));
    if (a->first == 0 && (is_sums(t.kind) || !b->kernel.backward_sums))
        afn_blobs_clear_grads(r->plan, s);
}

static void after_backward(const run *r, afn_task t, const afn_args *a)
{
    const afn_step *s = &r->plan->low.step[t.step];
    if (!r->u || !is_backward(t.kind)) return;
    if (t.kind == AFN_TASK_BACKWARD && afn_is_last(a)) {
        const double start = afn_profile_start(r->plan);
        afn_blobs_update_step(r->plan, s, r->u);
        afn_profile_add(r->plan, t.step, start, AFN_PASS_UPDATE, a->n, true);
    }
    afn_blobs_place_grads(r->plan, s, NULL);
}

static afn_status run_samples(const run *r, afn_task t, samples w)
{
    const afn_bound *b = &r->p->bound[t.step];
    afn_args a = arguments(r->p, r->plan, t, w);
    const int64_t sample = afn_shape_count(&afn_graph_node(r->plan->graph, 0)->shape);
    if (r->pixels) a.pixels = r->pixels + w.first * sample;
    if (r->values) a.values = r->values + w.first * sample;
    before_backward(r, t, &a);
    const double start = afn_profile_start(r->plan);
    const afn_status st = call(b->ops, b->kernel.state, t.kind, &a);
    afn_profile_add(r->plan, t.step, start, pass_of(t.kind), is_sums(t.kind) ? 0 : a.n,
                    !is_sums(t.kind) && afn_is_last(&a));
    if (st == AFN_OK) after_backward(r, t, &a);
    return named(st, &r->plan->low.step[t.step]);
}

/* A task on one slice: as many calls as its kernel was prepared for. */
static afn_status run_task(const run *r, afn_task t, samples slice)
{
    const afn_bound *b = &r->p->bound[t.step];
    const int64_t n = b->kernel.any_n ? slice.n : b->n;
    for (int64_t at_sample = 0; at_sample < slice.n; at_sample += n) {
        const samples w = { slice.start, slice.start + at_sample, n };
        const afn_status st = run_samples(r, t, w);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

static afn_status run_band(const run *r, const afn_band *b)
{
    for (int64_t start = 0; start < r->p->n; start += b->slice)
        for (int t = b->from; t < b->to; t++) {
            const samples slice = { start, start, b->slice };
            const afn_status st = run_task(r, r->p->task[t], slice);
            if (st != AFN_OK) return st;
        }
    return AFN_OK;
}

afn_status afn_program_forward(afn_program *p, const afn_plan *plan, int from, int to,
                               const uint8_t *pixels, const float *values)
{
    const run r = { .p = p, .plan = plan, .pixels = pixels, .values = values };
    for (int i = 0; i < p->n_bands && p->band[i].from < p->n_forward; i++) {
        const int step = p->task[p->band[i].from].step;
        if (step < from || step >= to) continue;
        const afn_status st = run_band(&r, &p->band[i]);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

afn_status afn_program_backward(afn_program *p, const afn_plan *plan,
                                const afn_update *u)
{
    const run r = { .p = p, .plan = plan, .u = u };
    for (int i = 0; i < p->n_bands; i++) {
        if (p->band[i].from < p->n_forward) continue;
        const afn_status st = run_band(&r, &p->band[i]);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}
