/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing algorithms: what is measured, what is kept, and what must not change. */
#define _GNU_SOURCE /* mkdtemp, setenv */
#include <stdlib.h>
#include <string.h>

#include "afn_test.h"
#include "engine/cpu/dnn.h"

enum { SIZE = 20, CHANNELS = 40, BATCH = 5 };

static char folder[] = "/tmp/afina-choose-XXXXXX";
static char file[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/algorithms.txt", folder);
    return setenv("AFINA_CACHE", folder, 1);
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Three 3 x 3 convolutions with bias, the middle one worth measuring in every pass. */
static afn_graph *new_graph(void)
{
    const afn_conv same = { .oc = CHANNELS, .k = 3, .pad = 1, .bias = true };
    afn_graph *g;
    assert_ok(afn_graph_new(&g, 3, SIZE, SIZE));
    afn_value x = afn_conv_relu(g, afn_input(g), "a", same);
    x = afn_conv_relu(g, x, "b", same);
    x = afn_conv_relu(g, x, "c", same);
    assert_ok(afn_graph_finish(g, afn_mean_hw(g, x)));
    return g;
}

static afn_params *new_params(const afn_graph *g)
{
    afn_params *p;
    afn_rng r = afn_rng_new(1, afn_rng_stream(AFN_RNG_TEST, 0, 0));
    assert_ok(afn_params_new(&p, g));
    for (int i = 0; i < afn_params_count(p); i++)
        for (int64_t k = 0; k < afn_params_size(p, i); k++)
            afn_params_f32(p, i)[k] = 0.1f * (float)afn_rng_normal(&r);
    return p;
}

static void run(const afn_graph *g, afn_params *p, const afn_plan_opts *o, int64_t n,
                const float *x, float *y)
{
    afn_plan *plan;
    float dy[BATCH * CHANNELS] = { 1 };
    assert_ok(afn_plan_new(&plan, g, p, o));
    assert_ok(afn_plan_forward_f32(plan, x, n, y));
    if (o->train) assert_ok(afn_plan_backward(plan, dy));
    afn_plan_free(plan);
}

static float *new_input(void)
{
    float *x = test_malloc(BATCH * 3 * SIZE * SIZE * sizeof *x);
    afn_rng r = afn_rng_new(2, afn_rng_stream(AFN_RNG_TEST, 0, 0));
    for (int i = 0; i < BATCH * 3 * SIZE * SIZE; i++) x[i] = (float)afn_rng_normal(&r);
    return x;
}

static void train_and_infer(afn_algorithms algorithms)
{
    const bool trainable[] = { true, true, true, true, true, true };
    afn_graph *g = new_graph();
    afn_params *p = new_params(g);
    float *x = new_input(), y[BATCH * CHANNELS];
    afn_plan_opts o = { .batch = BATCH, .algorithms = algorithms };
    run(g, p, &o, BATCH, x, y);
    o.train = true;
    o.trainable = trainable;
    run(g, p, &o, BATCH, x, y);
    run(g, p, &o, BATCH - 1, x, y);
    test_free(x);
    afn_params_free(p);
    afn_graph_free(g);
}

static int count_of(const char *text, size_t size, const char *word)
{
    int n = 0;
    for (const char *at = text;
         (at = memmem(at, size - (size_t)(at - text), word, strlen(word))) != NULL;
         at++)
        n++;
    return n;
}

static void an_exact_plan_measures_nothing(void **state)
{
    (void)state;
    train_and_infer(AFN_ALGORITHMS_EXACT);
    assert_false(afn_is_file(file));
}

static void each_pass_is_measured_once_and_kept(void **state)
{
    (void)state;
    uint8_t *first, *second;
    size_t size, again;
    train_and_infer(AFN_ALGORITHMS_MEASURED);
    assert_ok(afn_file_read(&first, &size, file));
    const char *text = (const char *)first;
    assert_int_equal(count_of(text, size, "\tinfer 3x3/1 c40 "), 1);
    assert_int_equal(count_of(text, size, "\tforward 3x3/1 n5 c40 "), 1);
    assert_int_equal(count_of(text, size, "\tdata 3x3/1 n5 c40 "), 1);
    assert_int_equal(count_of(text, size, "\tweights 3x3/1 n5 c40 "), 1);
    assert_int_equal(count_of(text, size, " n4 "), 0);
    train_and_infer(AFN_ALGORITHMS_MEASURED);
    assert_ok(afn_file_read(&second, &again, file));
    assert_int_equal(again, size);
    assert_memory_equal(first, second, size);
    afn_free(first);
    afn_free(second);
}

static void nothing_is_measured_where_it_is_switched_off(void **state)
{
    (void)state;
    assert_int_equal(remove(file), 0);
    setenv("AFINA_CACHE", "off", 1);
    train_and_infer(AFN_ALGORITHMS_MEASURED);
    setenv("AFINA_CACHE", folder, 1);
    assert_false(afn_is_file(file));
}

/* Features of frozen layers are kept across batches, so this must hold to the bit. */
static void the_company_of_a_sample_does_not_matter(void **state)
{
    (void)state;
    const bool wide =
        dnn_best_isa() == DNN_ISA_AVX512; /* may_compute() of the source */
    const afn_algorithms other = wide ? AFN_ALGORITHMS_WINOGRAD : AFN_ALGORITHMS_EXACT;
    const struct {
        afn_algorithms algorithms;
        afn_precision precision;
    } kind[] = {
        { AFN_ALGORITHMS_EXACT, AFN_PRECISION_FP32 },
        { AFN_ALGORITHMS_MEASURED, AFN_PRECISION_FP32 },
        { other, AFN_PRECISION_FP32 },
        { AFN_ALGORITHMS_EXACT, AFN_PRECISION_BF16 },
        { AFN_ALGORITHMS_MEASURED, AFN_PRECISION_BF16 },
        { other, AFN_PRECISION_BF16 },
    };
    afn_graph *g = new_graph();
    afn_params *p = new_params(g);
    float *x = new_input();
    for (size_t i = 0; i < AFN_COUNT(kind); i++) {
        const afn_plan_opts o = { .batch = BATCH,
                                  .algorithms = kind[i].algorithms,
                                  .precision = kind[i].precision };
        float all[BATCH * CHANNELS], some[BATCH * CHANNELS];
        run(g, p, &o, BATCH, x, all);
        for (int n = 1; n < BATCH; n++) {
            run(g, p, &o, n, x, some);
            assert_memory_equal(some, all, (size_t)(n * CHANNELS) * sizeof *all);
        }
    }
    test_free(x);
    afn_params_free(p);
    afn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exact_plan_measures_nothing),
        cmocka_unit_test(each_pass_is_measured_once_and_kept),
        cmocka_unit_test(nothing_is_measured_where_it_is_switched_off),
        cmocka_unit_test(the_company_of_a_sample_does_not_matter),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
