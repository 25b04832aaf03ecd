/* SPDX-License-Identifier: Apache-2.0 */
/* Minima that are known. */
#include <math.h>

#include "afn_test.h"
#include "optim/lbfgs.h"

enum { N = 40 };
static const afn_lbfgs_rules usual = { .history = 10,
                                       .iterations = 500,
                                       .tolerance = 1e-4 };

/* Rosenbrock's valley in many dimensions, least at (1, ..., 1). */
static afn_status valley(void *user, const float *x, double *f, float *g)
{
    int *calls = user;
    ++*calls;
    *f = 0;
    memset(g, 0, N * sizeof *g);
    for (int i = 0; i + 1 < N; i++) {
        const double a = 1 - (double)x[i], b = (double)x[i + 1] - (double)x[i] * x[i];
        *f += a * a + 100 * b * b;
        g[i] += (float)(-2 * a - 400 * b * x[i]);
        g[i + 1] += (float)(200 * b);
    }
    return AFN_OK;
}

static void it_gets_through_a_curved_valley(void **state)
{
    (void)state;
    float x[N];
    int calls = 0;
    afn_lbfgs_result r;
    for (int i = 0; i < N; i++) x[i] = i % 2 ? 1.0f : -1.2f;
    assert_ok(afn_lbfgs(&r, &(afn_smooth){ N, valley, &calls }, x, &usual));
    assert_true(r.converged);
    assert_int_equal(r.evaluations, calls);
    assert_true(r.iterations < 300);
    assert_true(r.evaluations < 2 * r.iterations);
    for (int i = 0; i < N; i++) assert_float_equal(x[i], 1, 1e-3);
    assert_float_equal(r.f, 0, 1e-6);
}

/* Sum of i^2 (x_i - 1)^2 / 2: curvatures from 1 to 1600. */
static afn_status bowl(void *user, const float *x, double *f, float *g)
{
    int *left = user;
    if (left && --*left < 0) return afn_fail(AFN_ECANCELLED, "stopped");
    *f = 7;
    for (int i = 0; i < N; i++) {
        const double h = (i + 1) * (i + 1), d = (double)x[i] - 1;
        *f += h * d * d / 2;
        g[i] = (float)(h * d);
    }
    return AFN_OK;
}

static void a_bowl_of_uneven_curvature_is_no_trouble(void **state)
{
    (void)state;
    float x[N] = { 0 };
    afn_lbfgs_result r;
    assert_ok(afn_lbfgs(&r, &(afn_smooth){ N, bowl, NULL }, x, &usual));
    assert_true(r.converged && r.iterations < 250);
    assert_float_equal(r.f, 7, 1e-6);
    for (int i = 0; i < N; i++) assert_float_equal(x[i], 1, 1e-4);
}

/* Floats end before a tolerance of 0 is reached; that is the end too. */
static void it_stops_where_floats_end(void **state)
{
    (void)state;
    float x[N] = { 0 };
    afn_lbfgs_result r;
    const afn_lbfgs_rules never = { .history = 5, .iterations = 100000 };
    assert_ok(afn_lbfgs(&r, &(afn_smooth){ N, bowl, NULL }, x, &never));
    assert_true(r.converged && r.iterations < 2500);
    assert_float_equal(r.f, 7, 1e-9);
}

static void iterations_are_limited(void **state)
{
    (void)state;
    float x[N] = { 0 };
    afn_lbfgs_result r;
    const afn_lbfgs_rules few = { .history = 5, .iterations = 3, .tolerance = 1e-4 };
    assert_ok(afn_lbfgs(&r, &(afn_smooth){ N, bowl, NULL }, x, &few));
    assert_false(r.converged);
    assert_int_equal(r.iterations, 3);
    assert_true(r.gradient > 1e-4);
}

static void a_minimum_at_hand_is_left_alone(void **state)
{
    (void)state;
    float x[N];
    afn_lbfgs_result r;
    for (int i = 0; i < N; i++) x[i] = 1;
    assert_ok(afn_lbfgs(&r, &(afn_smooth){ N, bowl, NULL }, x, &usual));
    assert_true(r.converged);
    assert_int_equal(r.iterations, 0);
    assert_int_equal(r.evaluations, 1);
}

static void a_failing_function_ends_it_at_the_best_place(void **state)
{
    (void)state;
    float x[N] = { 0 };
    double before, now;
    float g[N];
    int left = 6;
    afn_lbfgs_result r;
    assert_ok(bowl(NULL, x, &before, g));
    assert_fails(AFN_ECANCELLED, "stopped",
                 afn_lbfgs(&r, &(afn_smooth){ N, bowl, &left }, x, &usual));
    assert_ok(bowl(NULL, x, &now, g));
    assert_true(now < before);
}

/* log x + 1/x has no value where x is not above 0, and is least at 1. */
static afn_status half_line(void *user, const float *x, double *f, float *g)
{
    (void)user;
    const double v = (double)x[0];
    *f = v > 0 ? log(v) + 1 / v : NAN;
    g[0] = v > 0 ? (float)(1 / v - 1 / (v * v)) : NAN;
    return AFN_OK;
}

static void places_without_a_value_are_avoided(void **state)
{
    (void)state;
    const afn_smooth fn = { 1, half_line, NULL };
    afn_lbfgs_result r;
    float x = 1.5f, none = -1;
    assert_ok(afn_lbfgs(&r, &fn, &x, &usual));
    assert_float_equal(x, 1, 1e-2);
    assert_fails(AFN_EINVAL, "not a number", afn_lbfgs(&r, &fn, &none, &usual));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gets_through_a_curved_valley),
        cmocka_unit_test(a_bowl_of_uneven_curvature_is_no_trouble),
        cmocka_unit_test(it_stops_where_floats_end),
        cmocka_unit_test(iterations_are_limited),
        cmocka_unit_test(a_minimum_at_hand_is_left_alone),
        cmocka_unit_test(a_failing_function_ends_it_at_the_best_place),
        cmocka_unit_test(places_without_a_value_are_avoided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
