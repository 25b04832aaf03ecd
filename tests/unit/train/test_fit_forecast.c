/* SPDX-License-Identifier: Apache-2.0 */
/* What a run will take: of every phase, without a trace. */
#include "afina/forecast.h"
#include "small_run.h"

static void open_all(small_run *s)
{
    small_run_open(s, "squeezenet1_1", 24, 3);
    s->phase[0].epochs = 3;
    s->phase[1].epochs = 2;
    s->o.batch = 5;
}

static void every_phase_is_counted_and_timed(void **state)
{
    (void)state;
    small_run s;
    afn_forecast f;
    open_all(&s);
    assert_ok(afn_fit_forecast(&f, s.m, s.train, s.val, &s.o));
    assert_int_equal(f.n_phases, 2);
    assert_int_equal(f.batch, 5);
    assert_string_equal(f.phase[0].name, "head");
    assert_int_equal(f.phase[0].trained, 513 * 3);
    assert_int_equal(f.phase[1].frozen, 0);
    assert_int_equal(f.phase[0].trained + f.phase[0].frozen, f.phase[1].trained);
    for (int i = 0; i < 2; i++) {
        const afn_phase_forecast *p = &f.phase[i];
        const int later = s.phase[i].epochs - 1;
        assert_true(p->first_epoch_s > 0 && p->epoch_s > 0);
        assert_float_equal(p->seconds, p->first_epoch_s + later * p->epoch_s, 1e-9);
        assert_true(p->memory_bytes > 1000000 && p->memory_bytes < f.available_bytes);
    }
    const double phases = f.phase[0].seconds + f.phase[1].seconds;
    assert_true(f.seconds > phases);                            /* and calibration */
    assert_true(f.phase[0].epoch_s < f.phase[0].first_epoch_s); /* features are kept */
    afn_forecast_free(&f);
    small_run_close(&s);
}

/* A run after a forecast is bit for bit the run without one. */
static void it_changes_nothing(void **state)
{
    (void)state;
    uint8_t *data[2];
    size_t size[2];
    for (int k = 0; k < 2; k++) {
        char dir[1024], path[1100];
        small_run s;
        afn_forecast f;
        open_all(&s);
        snprintf(dir, sizeof dir, "%s", test_dir(k ? "forecast-b" : "forecast-a"));
        s.o.out = dir;
        if (k) assert_ok(afn_fit_forecast(&f, s.m, s.train, s.val, &s.o));
        if (k) afn_forecast_free(&f);
        assert_ok(afn_fit(s.m, s.train, s.val, &s.o, NULL));
        snprintf(path, sizeof path, "%s/last.pth", dir);
        assert_ok(afn_file_read(&data[k], &size[k], path));
        small_run_close(&s);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(data[0], data[1], size[0]);
    afn_free(data[0]);
    afn_free(data[1]);
}

static void nothing_is_written(void **state)
{
    (void)state;
    char dir[1100];
    small_run s;
    afn_forecast f;
    open_all(&s);
    snprintf(dir, sizeof dir, "%s/none", test_dir("forecast-none"));
    s.o.out = dir;
    assert_ok(afn_fit_forecast(&f, s.m, s.train, NULL, &s.o));
    assert_false(afn_is_dir(dir));
    afn_forecast_free(&f);
    s.phase[1].trainable = "layer9";
    assert_fails(AFN_ENOTFOUND, "layer9",
                 afn_fit_forecast(&f, s.m, s.train, NULL, &s.o));
    assert_null(f.phase);
    small_run_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase_is_counted_and_timed),
        cmocka_unit_test(it_changes_nothing),
        cmocka_unit_test(nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
