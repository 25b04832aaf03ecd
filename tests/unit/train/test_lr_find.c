/* SPDX-License-Identifier: Apache-2.0 */
/* The learning-rate range test: rates that rise, a loss that falls and then diverges,
 * and a model that keeps its weights. */
#include "afina/lr_find.h"
#include "afn_test.h"
#include "train/snapshot.h"

#include <math.h>
#include <string.h>

enum { SIDE = 32 };

typedef struct setup {
    afn_model *m;
    afn_dataset *data;
    afn_phase phase[2];
    afn_fit_opts o;
} setup;

static void open_all(setup *s, const char *arch)
{
    afn_preprocess p = afn_preprocess_imagenet();
    *s = (setup){ .o = afn_fit_defaults() };
    assert_ok(afn_dataset_open(&s->data, "fake:size=24,classes=3,height=32,width=32"));
    assert_ok(afn_model_new(&s->m, arch, 3, 1));
    p.resize = p.crop = SIDE;
    assert_ok(afn_model_set_preprocess(s->m, &p));
    afn_default_phases(s->phase);
    s->o.phase = s->phase;
    s->o.n_phases = 2;
    s->o.batch = 8;
}

static void close_all(setup *s)
{
    afn_model_free(s->m);
    afn_dataset_free(s->data);
}

static void rates_rise_and_no_weight_changes(void **state)
{
    (void)state;
    setup s;
    afn_lr_find f;
    afn_params *before = NULL;
    const afn_lr_find_opts how = { .from = 1e-5f, .to = 1e-1f, .steps = 21 };
    open_all(&s, "squeezenet1_1");
    assert_ok(afn_snapshot_take(&before, s.m, NULL));
    assert_ok(afn_fit_lr_find(&f, s.m, s.data, NULL, &s.o, &how));
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
    close_all(&s);
}

/* The first loss is that of the untouched weights, and a rate out of all measure ends
 * the curve. */
static void the_curve_ends_where_it_diverges(void **state)
{
    (void)state;
    setup s;
    afn_lr_find f;
    const afn_lr_find_opts how = { .from = 1e-4f, .to = 1e9f, .steps = 60 };
    open_all(&s, "resnet18");
    s.o.n_phases = 1;
    assert_ok(afn_fit_lr_find(&f, s.m, s.data, NULL, &s.o, &how));
    assert_true(f.phase[0].diverged);
    assert_true(f.phase[0].n < how.steps);
    assert_true(f.phase[0].loss[0] > 0.5 && f.phase[0].loss[0] < 3);
    if (f.phase[0].steepest > 0) {
        assert_true(f.phase[0].steepest >= how.from);
        assert_true(f.phase[0].steepest <= f.phase[0].lr[f.phase[0].n - 1]);
    }
    afn_lr_find_free(&f);
    close_all(&s);
}

static void a_phase_without_a_rate_has_no_curve(void **state)
{
    (void)state;
    setup s;
    afn_lr_find f;
    open_all(&s, "squeezenet1_1");
    s.phase[0].epochs = 0;
    s.phase[1].trainable = "classifier.*";
    const afn_lr_find_opts how = { .from = 1e-5f, .to = 1e-2f, .steps = 3 };
    assert_ok(afn_fit_lr_find(&f, s.m, s.data, NULL, &s.o, &how));
    assert_int_equal(f.phase[0].n, 0);
    assert_int_equal(f.phase[1].n, 3);
    afn_lr_find_free(&f);
    close_all(&s);
}

static int stop_at_second(const afn_progress *p, void *user)
{
    (void)user;
    return p->step == 2;
}

static void it_can_be_stopped_and_refuses_nonsense(void **state)
{
    (void)state;
    setup s;
    afn_lr_find f;
    open_all(&s, "squeezenet1_1");
    s.o.on_step = stop_at_second;
    assert_fails(AFN_ECANCELLED, "stopped",
                 afn_fit_lr_find(&f, s.m, s.data, NULL, &s.o, NULL));
    assert_null(f.phase);
    afn_lr_find_opts how = afn_lr_find_defaults();
    how.from = how.to;
    assert_fails(AFN_EINVAL, "do not rise",
                 afn_fit_lr_find(&f, s.m, s.data, NULL, &s.o, &how));
    how = afn_lr_find_defaults();
    how.steps = 1;
    assert_fails(AFN_EINVAL, "need at least 2",
                 afn_fit_lr_find(&f, s.m, s.data, NULL, &s.o, &how));
    close_all(&s);
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
