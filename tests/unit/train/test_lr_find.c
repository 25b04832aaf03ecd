/* SPDX-License-Identifier: Apache-2.0 */
/* The learning-rate range test: rates that rise, a loss that falls and then diverges,
 * and a model that keeps its weights. */
#include "afina/lr_find.h"
#include "small_run.h"
#include "train/run/snapshot.h"

#include <math.h>
#include <string.h>

static void open_all(small_run *s, const char *arch)
{
    small_run_open(s, arch, 24, 3);
    s->o.batch = 8;
}

static void rates_rise_and_no_weight_changes(void **state)
{
    (void)state;
    small_run s;
    afn_lr_find f;
    afn_params *before = NULL;
    const afn_lr_find_opts how = { .from = 1e-5f, .to = 1e-1f, .steps = 21 };
    open_all(&s, "squeezenet1_1");
    assert_ok(afn_snapshot_take(&before, s.m, NULL));
    assert_ok(afn_fit_lr_find(&f, s.m, s.train, NULL, &s.o, &how));
    assert_int_equal(f.n_phases, 2);
    assert_string_equal(f.phase[1].phase, "tune");
    for (int k = 0; k < 2; k++) {
        const afn_lr_curve *c = &f.phase[k];
        assert_true(c->n > 1 && c->n <= how.steps);
        for (int i = 0; i < c->n; i++) {
            const double lr = 1e-5 * pow(1e4, i / 20.0);
            assert_float_equal((double)c->lr[i], lr, 1e-4 * lr);
            assert_true(isfinite(c->loss[i]));
        }
    }
    const afn_params *now = afn_model__params(s.m);
    for (int i = 0; i < afn_params_count(now); i++)
        if (afn_params_f32(now, i))
            assert_memory_equal(afn_params_f32(now, i), afn_params_f32(before, i),
                                (size_t)afn_params_size(now, i) * sizeof(float));
    afn_params_free(before);
    afn_lr_find_free(&f);
    small_run_close(&s);
}

/* The first loss is that of the untouched weights, and a rate out of all measure ends
 * the curve. */
static void the_curve_ends_where_it_diverges(void **state)
{
    (void)state;
    small_run s;
    afn_lr_find f;
    const afn_lr_find_opts how = { .from = 1e-4f, .to = 1e9f, .steps = 60 };
    open_all(&s, "resnet18");
    s.o.n_phases = 1;
    assert_ok(afn_fit_lr_find(&f, s.m, s.train, NULL, &s.o, &how));
    assert_true(f.phase[0].diverged);
    assert_true(f.phase[0].n < how.steps);
    assert_true(f.phase[0].loss[0] > 0.5 && f.phase[0].loss[0] < 3);
    if (f.phase[0].steepest > 0) {
        assert_true(f.phase[0].steepest >= how.from);
        assert_true(f.phase[0].steepest <= f.phase[0].lr[f.phase[0].n - 1]);
    }
    afn_lr_find_free(&f);
    small_run_close(&s);
}

static void a_phase_without_a_rate_has_no_curve(void **state)
{
    (void)state;
    small_run s;
    afn_lr_find f;
    open_all(&s, "squeezenet1_1");
    s.phase[0].epochs = 0;
    s.phase[1].trainable = "classifier.*";
    const afn_lr_find_opts how = { .from = 1e-5f, .to = 1e-2f, .steps = 3 };
    assert_ok(afn_fit_lr_find(&f, s.m, s.train, NULL, &s.o, &how));
    assert_int_equal(f.phase[0].n, 0);
    assert_int_equal(f.phase[1].n, 3);
    afn_lr_find_free(&f);
    small_run_close(&s);
}

static int stop_at_second(const afn_progress *p, void *user)
{
    (void)user;
    return p->step == 2;
}

static void it_can_be_stopped_and_refuses_nonsense(void **state)
{
    (void)state;
    small_run s;
    afn_lr_find f;
    open_all(&s, "squeezenet1_1");
    s.o.on_step = stop_at_second;
    assert_fails(AFN_ECANCELLED, "stopped",
                 afn_fit_lr_find(&f, s.m, s.train, NULL, &s.o, NULL));
    assert_null(f.phase);
    afn_lr_find_opts how = afn_lr_find_defaults();
    how.from = how.to;
    assert_fails(AFN_EINVAL, "do not rise",
                 afn_fit_lr_find(&f, s.m, s.train, NULL, &s.o, &how));
    how = afn_lr_find_defaults();
    how.steps = 1;
    assert_fails(AFN_EINVAL, "need at least 2",
                 afn_fit_lr_find(&f, s.m, s.train, NULL, &s.o, &how));
    small_run_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_rise_and_no_weight_changes),
        cmocka_unit_test(the_curve_ends_where_it_diverges),
        cmocka_unit_test(a_phase_without_a_rate_has_no_curve),
        cmocka_unit_test(it_can_be_stopped_and_refuses_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
