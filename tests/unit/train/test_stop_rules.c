/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* usleep */
#include <math.h>

#include "afn_test.h"
#include "train/stop_rules.h"

/* Epochs until the phase has waited long enough, 0 = never. */
static int ends_after(const double *acc, const double *loss, int n,
                      const afn_fit_opts *o, const afn_phase *p)
{
    afn_stop_rules r = { 0 };
    afn_stop_begin_phase(&r);
    for (int i = 0; i < n; i++) {
        const afn_epoch e = { .val_acc = acc[i], .val_loss = loss[i] };
        afn_stop_note(&r, o, p, &e);
        if (afn_stop_has_waited(&r, p)) return i + 1;
    }
    return 0;
}

static void patience_counts_epochs_in_a_row_without_a_better_one(void **state)
{
    (void)state;
    static const double acc[] = { 0.5, 0.6, 0.6, 0.7, 0.7, 0.69, 0.7, 0.8 };
    static const double loss[] = { 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3 };
    afn_fit_opts o = afn_fit_defaults();
    afn_phase p = afn_phase_defaults();
    assert_int_equal(0, ends_after(acc, loss, 8, &o, &p));
    p.patience = 1;
    assert_int_equal(3, ends_after(acc, loss, 8, &o, &p));
    p.patience = 3;
    assert_int_equal(7, ends_after(acc, loss, 8, &o, &p));
    p.patience = 2;
    p.min_delta = 0.15; /* 0.7 is better than 0.5, 0.6 is not */
    assert_int_equal(3, ends_after(acc, loss, 8, &o, &p));
    p.min_delta = 0;
    o.monitor = AFN_MONITOR_LOSS;
    assert_int_equal(0, ends_after(acc, loss, 8, &o, &p));
    p.min_delta = 0.5; /* from 1 only the 7th falls by more */
    assert_int_equal(3, ends_after(acc, loss, 8, &o, &p));
}

static void a_loss_that_is_no_number_is_not_better(void **state)
{
    (void)state;
    const double acc[] = { 0.5, 0.5, 0.5 }, loss[] = { 1, (double)NAN, (double)NAN };
    afn_fit_opts o = afn_fit_defaults();
    afn_phase p = afn_phase_defaults();
    o.monitor = AFN_MONITOR_LOSS;
    p.patience = 2;
    assert_int_equal(3, ends_after(acc, loss, 3, &o, &p));
}

static void rules_out_of_range_are_refused(void **state)
{
    (void)state;
    afn_fit_opts o = afn_fit_defaults();
    afn_phase p = afn_phase_defaults();
    o.phase = &p;
    o.n_phases = 1;
    assert_ok(afn_stop_check(&o, false));
    p.patience = -1;
    assert_fails(AFN_EINVAL, "phase head: patience is -1", afn_stop_check(&o, true));
    p.patience = 1;
    assert_fails(AFN_EINVAL, "needs validation images", afn_stop_check(&o, false));
    assert_ok(afn_stop_check(&o, true));
    p.min_delta = (double)NAN;
    assert_fails(AFN_EINVAL, "min_delta", afn_stop_check(&o, true));
    p.min_delta = 0;
    o.time_limit_s = -1;
    assert_fails(AFN_EINVAL, "time limit", afn_stop_check(&o, true));
    o.time_limit_s = 0;
    o.target_accuracy = 1.5;
    assert_fails(AFN_EINVAL, "target accuracy", afn_stop_check(&o, true));
    o.target_accuracy = 0.5;
    assert_fails(AFN_EINVAL, "needs validation", afn_stop_check(&o, false));
    assert_ok(afn_stop_check(&o, true));
}

static void time_and_target_end_a_run(void **state)
{
    (void)state;
    afn_fit_opts o = afn_fit_defaults();
    afn_stop_rules r = { 0 };
    const afn_epoch e = { .val_acc = 0.9 };
    afn_stop_begin_run(&r);
    assert_false(afn_stop_is_late(&r, &o));
    assert_false(afn_stop_is_reached(&o, &e));
    o.time_limit_s = 1e-9;
    o.target_accuracy = 0.9;
    usleep(10);
    assert_true(afn_stop_is_late(&r, &o));
    assert_true(afn_stop_is_reached(&o, &e));
    o.time_limit_s = 1000;
    o.target_accuracy = 0.91;
    assert_false(afn_stop_is_late(&r, &o));
    assert_false(afn_stop_is_reached(&o, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience_counts_epochs_in_a_row_without_a_better_one),
        cmocka_unit_test(a_loss_that_is_no_number_is_not_better),
        cmocka_unit_test(rules_out_of_range_are_refused),
        cmocka_unit_test(time_and_target_end_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
