/* SPDX-License-Identifier: Apache-2.0 */
/* The strong Wolfe conditions hold where the search ends, from first places far too
 * near and far too far. */
#include <math.h>

#include "afn_test.h"
#include "optim/line_search.h"

typedef struct curve {
    void (*at)(afn_on_line *p);
    int calls;
} curve;

/* Least at a = 1. */
static void parabola(afn_on_line *p)
{
    p->f = (p->a - 1) * (p->a - 1) / 2;
    p->slope = p->a - 1;
}

/* More and Thuente's first function (doi:10.1145/192115.192132), least at sqrt 2. */
static void far_flat(afn_on_line *p)
{
    const double a = p->a, b = a * a + 2;
    p->f = -a / b;
    p->slope = (a * a - 2) / (b * b);
}

/* Many dents on the way down, and a wall at 10. */
static void dented(afn_on_line *p)
{
    if (p->a >= 10) {
        p->f = p->slope = INFINITY;
        return;
    }
    p->f = -p->a + 0.4 * sin(3 * p->a) + exp(2 * (p->a - 8));
    p->slope = -1 + 1.2 * cos(3 * p->a) + 2 * exp(2 * (p->a - 8)) - 0.5;
    p->f -= 0.5 * p->a;
}

static afn_status along(void *user, afn_on_line *p)
{
    curve *c = user;
    c->calls++;
    c->at(p);
    return AFN_OK;
}

static void the_conditions_hold_from_any_first_place(void **state)
{
    (void)state;
    void (*const all[])(afn_on_line *) = { parabola, far_flat, dented };
    const double first[] = { 1e-3, 0.1, 1, 7, 100, 1e4 };
    for (size_t i = 0; i < AFN_COUNT(all); i++)
        for (size_t k = 0; k < AFN_COUNT(first); k++) {
            curve c = { all[i], 0 };
            bool found;
            afn_on_line start = { 0 }, p = { .a = first[k] };
            all[i](&start);
            assert_true(start.slope < 0);
            assert_ok(afn_line_search(&p, &(afn_line){ along, &c }, start, &found));
            assert_true(found && c.calls <= 12);
            assert_true(p.f <= start.f + 1e-4 * p.a * start.slope);
            assert_true(fabs(p.slope) <= 0.9 * fabs(start.slope));
        }
}

/* A function that says it falls and never does. */
static void lies(afn_on_line *p)
{
    p->f = p->a;
    p->slope = -1;
}

static void what_does_not_fall_is_given_up(void **state)
{
    (void)state;
    curve c = { lies, 0 };
    bool found = true;
    afn_on_line p = { .a = 1 };
    assert_ok(afn_line_search(&p, &(afn_line){ along, &c }, (afn_on_line){ 0, 0, -1 },
                              &found));
    assert_false(found);
    assert_true(c.calls > 1 && c.calls < 30);
}

/* Rounded to 1e-7, it is the same everywhere: the slope alone leads on. */
static void flat_to_the_eye(afn_on_line *p)
{
    p->f = 1;
    p->slope = 1e-9 * (p->a - 2);
}

static void the_slope_leads_where_the_fall_is_lost_in_rounding(void **state)
{
    (void)state;
    curve c = { flat_to_the_eye, 0 };
    bool found;
    afn_on_line start = { 0 }, p = { .a = 1 };
    flat_to_the_eye(&start);
    assert_ok(afn_line_search(&p, &(afn_line){ along, &c }, start, &found));
    assert_true(found);
    assert_true(p.a > 0 && p.a < 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_conditions_hold_from_any_first_place),
        cmocka_unit_test(what_does_not_fall_is_given_up),
        cmocka_unit_test(the_slope_leads_where_the_fall_is_lost_in_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
