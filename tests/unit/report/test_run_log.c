/* SPDX-License-Identifier: Apache-2.0 */
#include "run_files.h"

#include <math.h>

#include "report/run_log.h"

static void columns_are_found_by_name_in_any_order(void **state)
{
    (void)state;
    afn_run_log log;
    const char *run = new_run("log-order", "new,epoch,val_acc,phase,lr\n"
                                           "x,1,0.5,head,0.1\nx,2,,head,\n"
                                           "x,1,0.75,tune,0.01\n");
    assert_ok(afn_run_log_read(&log, run));
    assert_int_equal(3, log.n);
    assert_int_equal(2, log.n_phases);
    assert_string_equal("tune", log.phase[1]);
    assert_int_equal(1, log.epoch[2].phase);
    assert_int_equal(2, log.best);
    assert_true(log.epoch[0].lr == 0.1 && isnan(log.epoch[1].val_acc));
    assert_true(isnan(log.epoch[0].train_loss));
    assert_null(log.config);
    afn_run_log_free(&log);
}

static void the_best_epoch_is_the_one_a_run_keeps(void **state)
{
    (void)state;
    afn_run_log log;
    /* Accuracy first, then the loss, then the earlier one. */
    const char *run = new_run("log-best", METRICS_HEADER "head,1,1,0,0.9,0.5,1,1,1\n"
                                                         "head,2,1,0,0.8,0.7,1,1,1\n"
                                                         "head,3,1,0,0.7,0.7,1,1,1\n"
                                                         "head,4,1,0,0.7,0.7,1,1,1\n");
    assert_ok(afn_run_log_read(&log, run));
    assert_int_equal(2, log.best);
    afn_run_log_free(&log);
    run = new_run("log-no-val", METRICS_HEADER "head,1,1,0,,,1,1,1\n"
                                               "head,2,2,0,,,1,1,1\n");
    assert_ok(afn_run_log_read(&log, run));
    assert_int_equal(1, log.best);
    afn_run_log_free(&log);
}

static void damaged_files_are_named_with_the_line(void **state)
{
    (void)state;
    afn_run_log log;
    assert_fails(AFN_ENOTFOUND, "metrics.csv",
                 afn_run_log_read(&log, test_dir("log-none")));
    assert_fails(AFN_EFORMAT, "the first line has no column phase",
                 afn_run_log_read(&log, new_run("log-empty", "")));
    assert_fails(
        AFN_EFORMAT, "line 2: epoch is '0'",
        afn_run_log_read(&log, new_run("log-epoch", METRICS_HEADER "head,0\n")));
    assert_fails(AFN_EFORMAT, "metrics.csv: line 2: val_acc is '0.5x', no number",
                 afn_run_log_read(&log, new_run("log-number",
                                                METRICS_HEADER "head,1,,,,0.5x,,,\n")));
    const char *run = new_run("log-config", METRICS_HEADER);
    put_file(run, "config.json", "{\"a\":1");
    assert_fails(AFN_EFORMAT, "config.json: json damaged", afn_run_log_read(&log, run));
    assert_null(log.epoch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name_in_any_order),
        cmocka_unit_test(the_best_epoch_is_the_one_a_run_keeps),
        cmocka_unit_test(damaged_files_are_named_with_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
