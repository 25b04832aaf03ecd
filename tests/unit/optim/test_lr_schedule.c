/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules at moments whose values follow from their formulas by hand; the plateau's
 * memory; what the options may be. */
#include <math.h>

#include "afn_test.h"
#include "optim/lr_schedule.h"

static const afn_schedule *find(const char *name)
{
    const afn_schedule *s;
    assert_ok(afn_schedule_find(&s, name));
    assert_string_equal(s->name, name);
    return s;
}

/* At t of 10, from 1. */
static double at(const afn_schedule_opts *o, double t)
{
    return find(o->schedule)->lr(o, &(afn_moment){ .t = t, .span = 10, .lr = 1 });
}

static afn_schedule_opts opts(const char *name)
{
    afn_schedule_opts o = afn_schedule_defaults();
    o.schedule = name;
    return o;
}

static void constant_stays(void **state)
{
    (void)state;
    const afn_schedule_opts o = opts("constant");
    assert_true(at(&o, 0) == 1 && at(&o, 7) == 1 && at(&o, 1000) == 1);
}

static void step_falls_after_every_so_many(void **state)
{
    (void)state;
    afn_schedule_opts o = opts("step");
    o.step_size = 3;
    assert_true(at(&o, 0) == 1 && at(&o, 2) == 1);
    assert_float_equal(at(&o, 3), 0.1, 1e-8);
    assert_float_equal(at(&o, 8), 0.01, 1e-8);
}

static void multistep_falls_at_each_milestone(void **state)
{
    (void)state;
    afn_schedule_opts o = opts("multistep");
    o.gamma = 0.5f;
    o.milestone[0] = 2;
    o.milestone[1] = 5;
    o.n_milestones = 2;
    assert_ok(afn_schedule_check(&o));
    assert_true(at(&o, 1) == 1 && at(&o, 2) == 0.5 && at(&o, 4) == 0.5);
    assert_true(at(&o, 5) == 0.25 && at(&o, 9) == 0.25);
}

static void exponential_falls_each_time(void **state)
{
    (void)state;
    afn_schedule_opts o = opts("exponential");
    o.gamma = 0.5f;
    assert_true(at(&o, 0) == 1 && at(&o, 1) == 0.5 && at(&o, 4) == 0.0625);
}

static void cosine_falls_to_eta_min(void **state)
{
    (void)state;
    afn_schedule_opts o = opts("cosine");
    o.eta_min = 0.5f;
    assert_true(at(&o, 0) == 1);
    assert_float_equal(at(&o, 5), 0.75, 1e-12);
    assert_float_equal(at(&o, 10), 0.5, 1e-12);
    assert_float_equal(at(&o, 10.0 / 3), 0.5 + 0.5 * 0.75, 1e-12);
}

/* Top at 0.3 * 10 - 1 = 2, end at 9. */
static void onecycle_rises_and_falls(void **state)
{
    (void)state;
    const afn_schedule_opts o = opts("onecycle");
    assert_float_equal(at(&o, 0), 1.0 / 25, 1e-8);
    assert_float_equal(at(&o, 1), (1 + 1.0 / 25) / 2, 1e-8);
    assert_float_equal(at(&o, 2), 1, 1e-6);
    assert_float_equal(at(&o, 5.5), (1 + 4e-6) / 2, 1e-6);
    assert_float_equal(at(&o, 9), 4e-6, 1e-10);
    assert_float_equal(at(&o, 10), 4e-6, 1e-10);
    const afn_schedule *s = find("onecycle");
    const double momentum[] = { 0.95, 0.9, 0.85 };
    for (int t = 0; t < 3; t++) {
        const afn_moment m = { .t = t, .span = 10, .lr = 1 };
        assert_float_equal(s->momentum(&o, &m), momentum[t], 1e-6);
    }
}

static void a_short_onecycle_only_falls(void **state)
{
    (void)state;
    afn_schedule_opts o = opts("onecycle");
    const afn_schedule *s = find("onecycle");
    const afn_moment only = { .t = 0, .span = 1, .lr = 1 };
    const afn_moment top = { .t = 0, .span = 4, .lr = 1 };
    assert_float_equal(s->lr(&o, &only), 4e-6, 1e-9);
    o.pct_start = 0.25f; /* the top is the first step */
    assert_true(s->lr(&o, &top) == 1);
}

static void plateau_waits_and_then_falls(void **state)
{
    (void)state;
    afn_schedule_opts o = opts("plateau");
    afn_plateau p;
    o.patience = 1;
    o.cooldown = 1;
    o.min_lr = 0.05f;
    afn_plateau_begin(&p, 1);
    const struct {
        double loss, lr;
    } epoch[] = {
        { 1.0, 1 },    { 0.9, 1 },    { 0.89999, 1 }, /* better by too little */
        { NAN, 0.1 },  { 0.95, 0.1 },                 /* cooling down */
        { 0.95, 0.1 }, { 0.9, 0.05 },                 /* not below min_lr */
        { 0.8, 0.05 },
    };
    for (size_t i = 0; i < AFN_COUNT(epoch); i++) {
        afn_plateau_report(&p, &o, epoch[i].loss);
        assert_float_equal(p.lr, epoch[i].lr, 1e-8);
        const afn_moment m = { .plateau = &p };
        assert_true(find("plateau")->lr(&o, &m) == p.lr);
    }
    assert_true(p.best == 0.8);
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    afn_schedule_opts o = opts("linear");
    assert_fails(AFN_ENOTFOUND,
                 "linear: no such schedule, there is constant, step, multistep, "
                 "exponential, cosine, onecycle, plateau",
                 afn_schedule_check(&o));
    o = opts("multistep");
    assert_fails(AFN_EINVAL, "0 milestones, multistep needs 1 to 16",
                 afn_schedule_check(&o));
    o.n_milestones = 2;
    o.milestone[0] = o.milestone[1] = 3;
    assert_fails(AFN_EINVAL, "milestone 2 is 3, need one after 3",
                 afn_schedule_check(&o));
    o = opts("onecycle");
    o.warmup_epochs = 1;
    assert_fails(AFN_EINVAL, "onecycle has a warm-up of its own",
                 afn_schedule_check(&o));
    o = opts("step");
    o.step_size = 0;
    assert_fails(AFN_EINVAL, "step size is 0, need at least 1", afn_schedule_check(&o));
    o = opts("cosine");
    o.warmup_factor = 0;
    assert_fails(AFN_EINVAL, "warm-up factor is 0", afn_schedule_check(&o));
    o = opts("plateau");
    o.factor = 1;
    assert_fails(AFN_EINVAL, "factor is 1, need above 0 to below 1",
                 afn_schedule_check(&o));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_stays),
        cmocka_unit_test(step_falls_after_every_so_many),
        cmocka_unit_test(multistep_falls_at_each_milestone),
        cmocka_unit_test(exponential_falls_each_time),
        cmocka_unit_test(cosine_falls_to_eta_min),
        cmocka_unit_test(onecycle_rises_and_falls),
        cmocka_unit_test(a_short_onecycle_only_falls),
        cmocka_unit_test(plateau_waits_and_then_falls),
        cmocka_unit_test(options_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
