/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of a step goes.  A profiler is one cell for each step and pass; a plan
 * without one takes no times. */
#include <stdlib.h>
#include <string.h>

#include "engine/plan.h"

typedef struct cell {
    double seconds, flops;
    int64_t calls;
} cell;

struct afn_profiler {
    cell update;
    cell step[]; /* [n_steps][AFN_N_PASSES] */
};

/* ---- taking times ---- */

double afn_step_flops(const struct afn_plan *plan, const afn_step *s, afn_pass pass)
{
    const double product = 2 * afn_node_macs(plan->graph, s->node);
    if (product == 0)
        return 0; /* the only ones whose inputs and weights are asked for */
    if (pass == AFN_PASS_FORWARD) return product;
    if (pass != AFN_PASS_BACKWARD || !s->train) return 0;
    return product * (s->grad_input[0] + s->grad_param[AFN_WEIGHT]);
}

static void add(cell *c, double start, double flops, bool last)
{
    c->seconds += afn_now_s() - start;
    c->flops += flops;
    c->calls += last;
}

/* Has the step anything for an optimiser to update? */
static bool updates(const afn_step *s)
{
    for (int slot = 0; slot < AFN_MAX_PARAMS; slot++)
        if (s->grad_param[slot]) return true;
    return false;
}

void afn_profile_add(const struct afn_plan *plan, int step, double start, afn_pass pass,
                     int64_t n, bool last)
{
    const afn_step *s = &plan->low.step[step];
    if (!plan->profiler || (pass == AFN_PASS_UPDATE && !updates(s))) return;
    add(&plan->profiler->step[step * AFN_N_PASSES + (int)pass], start,
        (double)n * afn_step_flops(plan, s, pass), last);
}

void afn_profile_add_update(const struct afn_plan *plan, double start)
{
    if (plan->profiler) add(&plan->profiler->update, start, 0, true);
}

afn_status afn_plan_profile(afn_plan *p, bool on)
{
    const size_t cells = (size_t)p->low.n_steps * AFN_N_PASSES;
    afn_free(p->profiler);
    p->profiler = NULL;
    if (!on) return AFN_OK;
    p->profiler = afn_alloc(sizeof *p->profiler + cells * sizeof(cell));
    return p->profiler ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

double afn_plan_flops(const afn_plan *p)
{
    double sum = 0;
    for (int i = 0; i < p->low.n_steps; i++)
        for (int pass = 0; pass < AFN_N_PASSES; pass++)
            sum += afn_step_flops(p, &p->low.step[i], (afn_pass)pass);
    return sum * (double)p->opts.batch;
}

/* ---- reading out ---- */

static afn_status with_room_for(afn_profile *out, int rows)
{
    *out = (afn_profile){ .row = afn_alloc_array((size_t)rows, sizeof *out->row) };
    return out->row ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

static void append(afn_profile *out, const cell *c, afn_profile_row row)
{
    if (!c->calls) return;
    row.seconds = c->seconds;
    row.calls = c->calls;
    row.flops = c->flops;
    out->row[out->n++] = row;
}

static afn_profile_row describe(const afn_step *s, afn_pass pass)
{
    const char *kind = afn_op_name(s->op);
    return (afn_profile_row){ .name = *s->node->name ? s->node->name : kind,
                              .kind = pass == AFN_PASS_UPDATE ? "optimizer" : kind,
                              .pass = pass };
}

afn_status afn_plan_read_profile(afn_profile *out, const afn_plan *p)
{
    const afn_profiler *times = p->profiler;
    const int steps = p->low.n_steps;
    *out = (afn_profile){ 0 };
    if (!times) return AFN_OK;
    const afn_status st = with_room_for(out, steps * AFN_N_PASSES + 1);
    if (st != AFN_OK) return st;
    for (int i = 0; i < steps; i++)
        append(out, &times->step[i * AFN_N_PASSES + AFN_PASS_FORWARD],
               describe(&p->low.step[i], AFN_PASS_FORWARD));
    for (int i = steps - 1; i >= 0; i--)
        for (int pass = AFN_PASS_RECOMPUTE; pass < AFN_N_PASSES; pass++)
            append(out, &times->step[i * AFN_N_PASSES + pass],
                   describe(&p->low.step[i], (afn_pass)pass));
    append(out, &times->update,
           (afn_profile_row){
               .name = "parameters", .kind = "optimizer", .pass = AFN_PASS_UPDATE });
    return AFN_OK;
}

/* ---- the public calls ---- */

const char *afn_pass_name(afn_pass pass)
{
    static const char *const name[] = { "forward", "recompute", "backward", "update" };
    static_assert(AFN_COUNT(name) == AFN_N_PASSES, "one name per pass");
    return name[pass];
}

void afn_profile_free(afn_profile *p)
{
    if (!p) return;
    afn_free(p->row);
    *p = (afn_profile){ 0 };
}

afn_status afn_profile_copy(afn_profile *out, const afn_profile *p)
{
    const afn_status st = with_room_for(out, p->n);
    if (st != AFN_OK || !p->n) return st;
    memcpy(out->row, p->row, (size_t)p->n * sizeof *out->row);
    out->n = p->n;
    return AFN_OK;
}

double afn_profile_seconds(const afn_profile *p)
{
    double sum = 0;
    for (int i = 0; i < p->n; i++) sum += p->row[i].seconds;
    return sum;
}

static int longest_first(const void *a, const void *b)
{
    const afn_profile_row *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

void afn_profile_sort(afn_profile *p)
{
    if (p->n) qsort(p->row, (size_t)p->n, sizeof *p->row, longest_first);
}

/* The row that sums up this one's kind and pass, appended where there is none. */
static afn_profile_row *sum_of(afn_profile *sums, const afn_profile_row *r)
{
    for (int i = 0; i < sums->n; i++) {
        afn_profile_row *s = &sums->row[i];
        if (s->pass == r->pass && !strcmp(s->kind, r->kind)) return s;
    }
    sums->row[sums->n] =
        (afn_profile_row){ .name = "", .kind = r->kind, .pass = r->pass };
    return &sums->row[sums->n++];
}

afn_status afn_profile_by_kind(afn_profile *out, const afn_profile *p)
{
    const afn_status st = with_room_for(out, p->n);
    if (st != AFN_OK) return st;
    for (int i = 0; i < p->n; i++) {
        afn_profile_row *sum = sum_of(out, &p->row[i]);
        sum->seconds += p->row[i].seconds;
        sum->calls += p->row[i].calls;
        sum->flops += p->row[i].flops;
    }
    afn_profile_sort(out);
    return AFN_OK;
}
