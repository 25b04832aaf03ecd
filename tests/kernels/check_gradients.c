/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients of the naive backend against central differences, in double precision.
 *
 * For a graph y(w), fixed numbers r and a random direction d of one parameter (or the
 * input), with f(w) = sum of r * y(w),
 *     (f(w + h d) - f(w - h d)) / 2h   must be   sum of d * df/dw.
 * Where a step of h happens to cross a corner of a ReLU or change a maximum, a smaller
 * one does not: a direction passes when one of three steps agrees.
 *
 *   check_gradients [--seed S] [--random COUNT] [--case TEXT] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/backend.h"
#include "kernels.h"

/* The only backend here; the list in backends.c is not linked. */
afn_status afn_backend_find(const afn_backend **out, const char *name)
{
    (void)name;
    *out = &afn_backend_ref;
    return AFN_OK;
}

void must(afn_status st, const char *what)
{
    if (st == AFN_OK) return;
    fprintf(stderr, "%s: %s\n", what, afn_error_message());
    exit(2);
}

enum { SAMPLES = 3 };

/* A graph, its point, and the gradient there. */
typedef struct point {
    const afn_graph *g;
    afn_params *params;
    bool *trainable;
    afn_bn_mode bn;
    uint64_t seed;
    int64_t in_count, out_count; /* of all samples */
    float *x, *r, *y;
} point;

static float *normal(int64_t count, uint64_t seed, uint32_t what)
{
    float *v = calloc((size_t)count, sizeof *v);
    afn_rng r = afn_rng_new(seed, afn_rng_stream(AFN_RNG_TEST, 6, what));
    if (!v) exit(2);
    for (int64_t i = 0; i < count; i++) v[i] = (float)afn_rng_normal(&r);
    return v;
}

/* A new plan for every evaluation: the dropout mask is then always that of its first
 * call, and running statistics start anew. */
static afn_plan *new_plan(const point *p)
{
    afn_plan *plan;
    const afn_plan_opts o = { .batch = SAMPLES,
                              .train = true,
                              .trainable = p->trainable,
                              .bn = p->bn,
                              .input_gradient = true,
                              .seed = p->seed,
                              .threads = 1,
                              .backend = "ref" };
    must(afn_plan_new(&plan, p->g, p->params, &o), "plan");
    must(afn_plan_forward_f32(plan, p->x, SAMPLES, p->y), "forward");
    return plan;
}

static double evaluate(const point *p)
{
    afn_plan_free(new_plan(p));
    double f = 0;
    for (int64_t i = 0; i < p->out_count; i++) f += p->r[i] * p->y[i];
    return f;
}

/* Derivative along d of f, by v += h d and v -= h d. */
static double slope(const point *p, float *v, const float *d, int64_t count, double h)
{
    float *const saved = malloc((size_t)count * sizeof *v);
    if (!saved) exit(2);
    memcpy(saved, v, (size_t)count * sizeof *v);
    double f[2];
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < count; i++) v[i] = saved[i] + (side ? -h : h) * d[i];
        f[side] = evaluate(p);
    }
    memcpy(v, saved, (size_t)count * sizeof *v);
    free(saved);
    return (f[0] - f[1]) / (2 * h);
}

/* Does the gradient g of the numbers v agree with differences? */
static bool agrees(const point *p, const char *name, float *v, const float *g,
                   int64_t count, uint32_t what)
{
    static const double steps[] = { 1e-5, 1e-6, 1e-7 };
    float *d = normal(count, p->seed, 1000 + what);
    double expected = 0, size = 0, got = 0;
    bool ok = false;
    for (int64_t i = 0; i < count; i++) {
        expected += d[i] * g[i];
        size += fabs(d[i] * g[i]);
    }
    for (int k = 0; k < (int)AFN_COUNT(steps) && !ok; k++) {
        got = slope(p, v, d, count, steps[k]);
        ok = fabs(got - expected) <= 1e-6 * (size + 1);
    }
    if (!ok)
        printf("FAIL  %s: gradient %.10g, differences say %.10g\n", name, expected,
               got);
    free(d);
    return ok;
}

static bool check_params(const point *p, const afn_plan *plan)
{
    bool ok = true;
    for (int i = 0; i < afn_graph_n_params(p->g); i++) {
        const afn_param *d = afn_graph_param(p->g, i);
        const int64_t count = afn_params_size(p->params, i);
        float *g = calloc((size_t)count, sizeof *g);
        if (!g) exit(2);
        /* A parameter of a dead branch has none. */
        if (p->trainable[i] && afn_plan_gradient(plan, i, g) == AFN_OK)
            ok &=
                agrees(p, d->name, afn_params_f32(p->params, i), g, count, (uint32_t)i);
        free(g);
    }
    return ok;
}

static bool check_input(const point *p, const afn_plan *plan)
{
    float *g = calloc((size_t)p->in_count, sizeof *g);
    if (!g) exit(2);
    must(afn_plan_input_gradient(plan, g), "input gradient");
    const bool ok = agrees(p, "input", p->x, g, p->in_count, 999);
    free(g);
    return ok;
}

static int64_t value_count(const afn_graph *g, afn_value v)
{
    return SAMPLES * afn_shape_count(&afn_graph_node(g, v)->shape);
}

static bool check_graph(const afn_graph *g, const char *name, afn_bn_mode bn,
                        uint64_t seed)
{
    point p = { .g = g, .bn = bn, .seed = seed };
    const int n = afn_graph_n_params(g);
    p.in_count = value_count(g, 0);
    p.out_count = value_count(g, afn_graph_output(g));
    p.params = random_params(g, seed);
    p.trainable = calloc((size_t)n + 1, 1);
    p.x = normal(p.in_count, seed, 1);
    p.r = normal(p.out_count, seed, 2);
    p.y = normal(p.out_count, seed, 3);
    if (!p.trainable) exit(2);
    for (int i = 0; i < n; i++) p.trainable[i] = !afn_graph_param(g, i)->buffer;

    afn_plan *plan = new_plan(&p);
    must(afn_plan_backward(plan, p.r), "backward");
    const bool params_ok = check_params(&p, plan), input_ok = check_input(&p, plan);
    if (!params_ok || !input_ok) printf("      in %s\n", name);
    afn_plan_free(plan);
    afn_params_free(p.params);
    free(p.trainable);
    free(p.x);
    free(p.r);
    free(p.y);
    return params_ok && input_ok;
}

static int check_both(const afn_graph *g, const char *name, uint64_t seed)
{
    return !check_graph(g, name, AFN_BN_BATCH, seed) +
           !check_graph(g, name, AFN_BN_FROZEN, seed + 1);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    int count = 60, failures = 0, graphs = 0;
    const char *only = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 0);
        if (strcmp(argv[i], "--random") == 0) count = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--case") == 0) only = argv[i + 1];
    }
    for (int i = 0; i < n_kernel_cases; i++) {
        const kernel_case *k = &kernel_cases[i];
        if (only && !strstr(k->name, only)) continue;
        afn_graph *g = case_graph(k);
        if (!g) must(AFN_EINVAL, k->name);
        failures += check_both(g, k->name, seed);
        graphs++;
        afn_graph_free(g);
    }
    for (int i = 0; i < count && !only; i++) {
        char name[32];
        snprintf(name, sizeof name, "random %d", i);
        afn_graph *g = random_graph(seed + (uint64_t)i, 2 + i % 9);
        failures += check_both(g, name, seed + (uint64_t)i);
        graphs++;
        afn_graph_free(g);
    }
    printf("%d graphs, %d failed\n", graphs, failures);
    return failures > 0 || graphs == 0;
}
