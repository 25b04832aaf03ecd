/* SPDX-License-Identifier: Apache-2.0 */
/* The rate of a trainer's steps: what time counts, warm-up, a rate set by hand. */
#include "afn_test.h"
#include "train/rate.h"

enum { EPOCHS = 6, BATCHES = 5 };

static afn_trainer_opts opts(const char *schedule)
{
    afn_trainer_opts o = afn_trainer_defaults();
    o.optim.lr = 1;
    o.schedule.schedule = schedule;
    o.epochs = EPOCHS;
    o.epoch_steps = BATCHES;
    return o;
}

static double rate_at(const afn_trainer_opts *o, int64_t epoch, int64_t steps)
{
    afn_rate r;
    assert_ok(afn_rate_begin(&r, o));
    r.epoch = epoch;
    r.steps = steps;
    return afn_rate_now(&r);
}

static void time_counts_epochs_or_steps(void **state)
{
    (void)state;
    afn_trainer_opts o = opts("cosine");
    assert_float_equal(rate_at(&o, 3, 15), 0.5, 1e-12);
    assert_float_equal(rate_at(&o, 3, 19), 0.5, 1e-12);
    o.schedule.on_updates = true;
    assert_float_equal(rate_at(&o, 0, 15), 0.5, 1e-12);
    o.optim.accumulate = 2; /* 3 steps an epoch, the last of 1 batch */
    assert_float_equal(rate_at(&o, 0, 9), 0.5, 1e-12);
    o = opts("onecycle"); /* its top is at 0.3 * 30 - 1 */
    assert_float_equal(rate_at(&o, 0, 8), 1, 1e-6);
}

static void the_schedule_begins_after_epochs_of_warm_up(void **state)
{
    (void)state;
    afn_trainer_opts o = opts("cosine");
    o.schedule.warmup_epochs = 2;
    o.schedule.warmup_factor = 0.5f;
    assert_float_equal(rate_at(&o, 0, 4), 0.5, 1e-12);
    assert_float_equal(rate_at(&o, 1, 5), 0.75, 1e-12);
    assert_float_equal(rate_at(&o, 2, 10), 1, 1e-12);
    assert_float_equal(rate_at(&o, 4, 20), 0.5, 1e-12);
    o.schedule.on_updates = true;
    assert_float_equal(rate_at(&o, 0, 5), 0.75, 1e-12);
    assert_float_equal(rate_at(&o, 0, 20), 0.5, 1e-12);
}

static void steps_of_warm_up_lie_over_the_schedule(void **state)
{
    (void)state;
    afn_trainer_opts o = opts("step");
    o.schedule.gamma = 0.5f;
    o.schedule.warmup_steps = 8;
    o.schedule.warmup_factor = 0.5f;
    assert_float_equal(rate_at(&o, 0, 0), 0.5, 1e-12);
    assert_float_equal(rate_at(&o, 0, 4), 0.75, 1e-12);
    assert_float_equal(rate_at(&o, 1, 6), 0.5 * 0.875, 1e-12);
    assert_float_equal(rate_at(&o, 2, 10), 0.25, 1e-12);
}

static void a_plateau_counts_no_loss_of_warm_up(void **state)
{
    (void)state;
    afn_trainer_opts o = opts("plateau");
    afn_rate r;
    o.schedule.patience = 0;
    o.schedule.warmup_epochs = 2;
    assert_ok(afn_rate_begin(&r, &o));
    const double expected[] = { 1, 1, 1, 0.1, 0.01 };
    for (r.epoch = 1; r.epoch <= 5; r.epoch++) {
        afn_rate_report(&r, 1);
        if (r.epoch >= 2)
            assert_float_equal(afn_rate_now(&r), expected[r.epoch - 1], 1e-8);
    }
}

static void a_rate_set_by_hand_is_changed_on(void **state)
{
    (void)state;
    afn_trainer_opts o = opts("exponential");
    afn_rate r;
    o.schedule.gamma = 0.5f;
    assert_ok(afn_rate_begin(&r, &o));
    r.epoch = 2;
    afn_rate_set(&r, 0.8);
    assert_float_equal(afn_rate_now(&r), 0.8, 1e-12);
    r.epoch = 3;
    assert_float_equal(afn_rate_now(&r), 0.4, 1e-12);
    afn_rate_set(&r, 0);
    assert_true(afn_rate_now(&r) == 0);
    o.optim.lr = 0;
    assert_ok(afn_rate_begin(&r, &o));
    afn_rate_set(&r, 0.5);
    assert_float_equal(afn_rate_now(&r), 0.5, 1e-12);
}

static void momentum_is_the_optimisers_own_or_the_cycles(void **state)
{
    (void)state;
    afn_trainer_opts o = opts("cosine");
    afn_rate r;
    assert_ok(afn_rate_begin(&r, &o));
    assert_true(afn_rate_momentum(&r, 0.7) == 0.7);
    o = opts("onecycle");
    assert_ok(afn_rate_begin(&r, &o));
    assert_float_equal(afn_rate_momentum(&r, 0.7), 0.95, 1e-6);
    o.schedule.cycle_momentum = false;
    assert_ok(afn_rate_begin(&r, &o));
    assert_true(afn_rate_momentum(&r, 0.7) == 0.7);
}

static void who_needs_the_end_must_be_told(void **state)
{
    (void)state;
    afn_trainer_opts o = opts("cosine");
    afn_rate r;
    o.epoch_steps = 0;
    assert_ok(afn_rate_begin(&r, &o));
    o.schedule.on_updates = true;
    assert_fails(AFN_EINVAL, "schedule cosine needs the number of steps in an epoch",
                 afn_rate_begin(&r, &o));
    o.epochs = 0;
    assert_fails(AFN_EINVAL, "schedule cosine needs the number of epochs",
                 afn_rate_begin(&r, &o));
    o = opts("constant");
    o.epochs = 0;
    o.epoch_steps = 0;
    assert_ok(afn_rate_begin(&r, &o));
    o.schedule.warmup_epochs = 1;
    assert_ok(afn_rate_begin(&r, &o));
    o.schedule.on_updates = true;
    assert_fails(AFN_EINVAL, "schedule constant needs the number of steps in an epoch",
                 afn_rate_begin(&r, &o));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_counts_epochs_or_steps),
        cmocka_unit_test(the_schedule_begins_after_epochs_of_warm_up),
        cmocka_unit_test(steps_of_warm_up_lie_over_the_schedule),
        cmocka_unit_test(a_plateau_counts_no_loss_of_warm_up),
        cmocka_unit_test(a_rate_set_by_hand_is_changed_on),
        cmocka_unit_test(momentum_is_the_optimisers_own_or_the_cycles),
        cmocka_unit_test(who_needs_the_end_must_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
