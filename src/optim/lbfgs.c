/* SPDX-License-Identifier: Apache-2.0 */
/* L-BFGS after Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5: a
 * step goes along -H g, where H, the inverse of the matrix of second derivatives, is
 * guessed from how the gradient changed over the last steps.
 *
 * Places and gradients are floats, as weights are; sums over them are doubles. */
#include "optim/lbfgs.h"

#include <math.h>
#include <string.h>

#include "optim/line_search.h"

/* One step: how far, and how the gradient changed. */
typedef struct pair {
    float *s, *y; /* (n) */
    double sy;    /* s y, above 0 */
} pair;

typedef struct search {
    const afn_smooth *fn;
    const afn_lbfgs_rules *rules;
    int64_t n;
    float *x; /* (n) the caller's */
    float *g; /* (n) gradient there */
    float *d; /* (n) the direction at hand */
    float *trial, *trial_g;
    double f;
    pair *history; /* [rules->history], a ring */
    int kept, next;
    double *alpha; /* [rules->history] */
    afn_lbfgs_result *out;
} search;

/* ---- vectors ---- */

enum { LANES = 8 };

static double dot(int64_t n, const float *a, const float *b)
{
    double sum[LANES] = { 0 }, all = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) sum[k] += (double)a[i + k] * (double)b[i + k];
    for (; i < n; i++) all += (double)a[i] * (double)b[i];
    for (int k = 0; k < LANES; k++) all += sum[k];
    return all;
}

static void add(int64_t n, float *to, double factor, const float *v)
{
    for (int64_t i = 0; i < n; i++) to[i] = (float)((double)to[i] + factor * v[i]);
}

static void scale(int64_t n, float *v, double factor)
{
    for (int64_t i = 0; i < n; i++) v[i] = (float)(factor * v[i]);
}

static double largest(int64_t n, const float *v)
{
    float most = 0;
    for (int64_t i = 0; i < n; i++) most = fabsf(v[i]) > most ? fabsf(v[i]) : most;
    return (double)most;
}

/* ---- memory ---- */

static float *new_vector(int64_t n)
{
    return afn_alloc_array((size_t)n, sizeof(float));
}

static afn_status open_search(search *s)
{
    const int m = s->rules->history;
    s->g = new_vector(s->n);
    s->d = new_vector(s->n);
    s->trial = new_vector(s->n);
    s->trial_g = new_vector(s->n);
    s->history = afn_alloc_array((size_t)m, sizeof *s->history);
    s->alpha = afn_alloc_array((size_t)m, sizeof *s->alpha);
    bool good = s->g && s->d && s->trial && s->trial_g && s->history && s->alpha;
    for (int i = 0; good && i < m; i++) {
        s->history[i].s = new_vector(s->n);
        s->history[i].y = new_vector(s->n);
        good = s->history[i].s && s->history[i].y;
    }
    return good ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

static void close_search(search *s)
{
    for (int i = 0; s->history && i < s->rules->history; i++) {
        afn_free(s->history[i].s);
        afn_free(s->history[i].y);
    }
    afn_free(s->history);
    afn_free(s->alpha);
    afn_free(s->g);
    afn_free(s->d);
    afn_free(s->trial);
    afn_free(s->trial_g);
}

/* ---- one iteration ---- */

/* The k-th youngest pair, from 0. */
static const pair *younger(const search *s, int k)
{
    const int m = s->rules->history;
    return &s->history[(s->next - 1 - k + 2 * m) % m];
}

/* d = -H g, by two passes over the history. */
static void find_direction(search *s)
{
    memcpy(s->d, s->g, (size_t)s->n * sizeof *s->d);
    scale(s->n, s->d, -1);
    for (int k = 0; k < s->kept; k++) {
        const pair *p = younger(s, k);
        s->alpha[k] = dot(s->n, p->s, s->d) / p->sy;
        add(s->n, s->d, -s->alpha[k], p->y);
    }
    if (s->kept) {
        const pair *p = younger(s, 0);
        scale(s->n, s->d, p->sy / dot(s->n, p->y, p->y));
    }
    for (int k = s->kept - 1; k >= 0; k--) {
        const pair *p = younger(s, k);
        add(s->n, s->d, s->alpha[k] - dot(s->n, p->y, s->d) / p->sy, p->s);
    }
}

static afn_status try_place(void *user, afn_on_line *p)
{
    search *s = user;
    memcpy(s->trial, s->x, (size_t)s->n * sizeof *s->x);
    add(s->n, s->trial, p->a, s->d);
    s->out->evaluations++;
    const afn_status st = s->fn->at(s->fn->user, s->trial, &p->f, s->trial_g);
    p->slope = st == AFN_OK ? dot(s->n, s->trial_g, s->d) : NAN;
    return st;
}

/* Remember the step to the place tried last, and go there. */
static void take_step(search *s, double f)
{
    pair *p = &s->history[s->next];
    for (int64_t i = 0; i < s->n; i++) {
        p->s[i] = s->trial[i] - s->x[i];
        p->y[i] = s->trial_g[i] - s->g[i];
    }
    p->sy = dot(s->n, p->s, p->y);
    if (p->sy > 0) { /* else the floats of both places are the same */
        s->next = (s->next + 1) % s->rules->history;
        if (s->kept < s->rules->history) s->kept++;
    }
    memcpy(s->x, s->trial, (size_t)s->n * sizeof *s->x);
    memcpy(s->g, s->trial_g, (size_t)s->n * sizeof *s->g);
    s->f = f;
}

/* One step.  moved: false where none is better, in any direction known. */
static afn_status iterate(search *s, bool *moved)
{
    const afn_line line = { try_place, s };
    for (*moved = false; !*moved;) {
        find_direction(s);
        const afn_on_line start = { 0, s->f, dot(s->n, s->g, s->d) };
        afn_on_line p = { .a = 1 };
        if (!s->kept) p.a = fmin(1, 1 / sqrt(-start.slope)); /* -slope is |g| squared */
        if (start.slope < 0) {
            const afn_status st = afn_line_search(&p, &line, start, moved);
            if (st != AFN_OK) return st;
        }
        if (*moved) take_step(s, p.f);
        if (*moved || !s->kept) break;
        s->kept = 0; /* once more, along the gradient itself */
    }
    return AFN_OK;
}

static afn_status run(search *s)
{
    afn_lbfgs_result *r = s->out;
    r->evaluations = 1;
    const afn_status st = s->fn->at(s->fn->user, s->x, &s->f, s->g);
    if (st != AFN_OK) return st;
    if (!isfinite(s->f)) return afn_fail(AFN_EINVAL, "the loss is not a number");
    for (;;) {
        bool moved = false;
        r->f = s->f;
        r->gradient = largest(s->n, s->g);
        r->converged = r->gradient <= s->rules->tolerance;
        if (r->converged || r->iterations >= s->rules->iterations) return AFN_OK;
        const afn_status done = iterate(s, &moved);
        if (done != AFN_OK) return done;
        r->converged = !moved;
        if (!moved) return AFN_OK;
        r->iterations++;
    }
}

afn_status afn_lbfgs(afn_lbfgs_result *out, const afn_smooth *fn, float *x,
                     const afn_lbfgs_rules *rules)
{
    search s = { .fn = fn, .rules = rules, .n = fn->n, .x = x, .out = out };
    *out = (afn_lbfgs_result){ 0 };
    afn_status st = open_search(&s);
    if (st == AFN_OK) st = run(&s);
    close_search(&s);
    return st;
}
