/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks: figures that fit together, weights that stay, what is refused. */
#include "afina/bench.h"

#include <math.h>

#include "afn_test.h"
#include "train/train.h"

enum { SIZE = 32, CLASSES = 3 };

static afn_model *new_model(void)
{
    afn_model *m;
    afn_preprocess p = afn_preprocess_imagenet();
    assert_ok(afn_model_new(&m, "squeezenet1_1", CLASSES, 5));
    p.resize = p.crop = SIZE;
    assert_ok(afn_model_set_preprocess(m, &p));
    return m;
}

static afn_bench_opts quick(afn_bench_mode mode)
{
    afn_bench_opts o = afn_bench_defaults();
    o.mode = mode;
    o.batch = 4; /* more than the classes */
    o.steps = 3;
    o.threads = 1;
    return o;
}

static bool has_row(const afn_profile *p, const char *kind, afn_pass pass)
{
    for (int i = 0; i < p->n; i++)
        if (!strcmp(p->row[i].kind, kind) && p->row[i].pass == pass) return true;
    return false;
}

static void every_mode_gives_figures_that_fit_together(void **state)
{
    (void)state;
    afn_model *m = new_model();
    const double macs = 4 * afn_graph_macs(afn_model__graph(m));
    for (int mode = AFN_BENCH_TUNE; mode <= AFN_BENCH_INFER; mode++) {
        const afn_bench_opts o = quick((afn_bench_mode)mode);
        const bool trains = mode != AFN_BENCH_INFER;
        afn_bench b;
        assert_ok(afn_bench_run(&b, m, &o));
        assert_true(b.step_seconds > 0 && b.first_step_seconds > 0);
        assert_true(fabs(b.images_per_second * b.step_seconds - 4) < 1e-6);
        assert_true(b.peak_rss_mb > 1);
        assert_true(b.timed_seconds >= afn_profile_seconds(&b.profile));
        assert_true(b.convolutions_seconds == 0);
        assert_int_equal(b.threads, 1);
        assert_true(*b.cpu && *b.onednn);
        const double flops = 1e9 * b.gflops * b.step_seconds;
        assert_true(flops > 1.99 * macs);
        assert_true(mode == AFN_BENCH_TUNE ? flops > 5 * macs : flops < 2.1 * macs);
        assert_true(has_row(&b.profile, "conv2d", AFN_PASS_BACKWARD) == trains);
        for (int i = 0; i < b.profile.n; i++)
            assert_int_equal(b.profile.row[i].calls, 3);
        afn_bench_free(&b);
        afn_bench_free(&b); /* twice is once */
    }
    afn_model_free(m);
}

static void the_weights_stay_as_they_were(void **state)
{
    (void)state;
    afn_model *m = new_model();
    const afn_bench_opts o = quick(AFN_BENCH_TUNE);
    afn_bench b;
    float before[CLASSES], after[CLASSES];
    assert_ok(afn_model_write_param(m, "classifier.1.bias",
                                    (float[]){ 0.5f, -1.0f, 2.0f }, CLASSES));
    assert_ok(afn_model_read_param(m, "classifier.1.bias", before, CLASSES));
    assert_ok(afn_bench_run(&b, m, &o));
    assert_ok(afn_model_read_param(m, "classifier.1.bias", after, CLASSES));
    assert_memory_equal(before, after, sizeof before);
    afn_bench_free(&b);
    afn_model_free(m);
}

static void convolutions_are_timed_where_asked(void **state)
{
    (void)state;
    afn_model *m = new_model();
    afn_bench_opts o = quick(AFN_BENCH_INFER);
    afn_bench b;
    o.convolutions = true;
    assert_ok(afn_bench_run(&b, m, &o));
    assert_true(b.convolutions_seconds > 0);
    afn_bench_free(&b);
    afn_model_free(m);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    afn_model *m = new_model();
    afn_bench b;
    afn_bench_opts o = quick(AFN_BENCH_TUNE);
    o.batch = 0;
    assert_fails(AFN_EINVAL, "batch is 0", afn_bench_run(&b, m, &o));
    o = quick(AFN_BENCH_TUNE);
    o.steps = 0;
    assert_fails(AFN_EINVAL, "0 steps", afn_bench_run(&b, m, &o));
    o = quick(AFN_BENCH_TUNE);
    o.threads = -1;
    assert_fails(AFN_EINVAL, "-1 threads", afn_bench_run(&b, m, &o));
    o = quick(AFN_BENCH_TUNE);
    o.precision = AFN_PRECISION_BF16;
    o.backend = "ref";
    assert_fails(AFN_EUNSUPPORTED, "backend ref computes in fp32 only",
                 afn_bench_run(&b, m, &o));
    o = quick(AFN_BENCH_TUNE);
    o.backend = "abacus";
    assert_fails(AFN_ENOTFOUND, "abacus", afn_bench_run(&b, m, &o));
    assert_true(b.profile.row == NULL && b.images_per_second == 0);
    afn_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mode_gives_figures_that_fit_together),
        cmocka_unit_test(the_weights_stay_as_they_were),
        cmocka_unit_test(convolutions_are_timed_where_asked),
        cmocka_unit_test(options_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
