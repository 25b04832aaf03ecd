/* SPDX-License-Identifier: Apache-2.0 */
/* A whole small life of a model with the k-th allocation failing: make, freeze, replace
 * the head, train a step, save, open, predict.  Every failure is AFN_ENOMEM, leaks
 * nothing (under the address sanitizer) and leaves no file.  The same for a benchmark.
 */
#include "afina/bench.h"
#include "afn_test.h"
#include "train/train.h"

enum { SIZE = 32, CLASSES = 3, BATCH = 2 };

static uint8_t pixels[BATCH * SIZE * SIZE * 3];
static const int labels[BATCH] = { 0, 2 };
static const int64_t places[BATCH] = { 0, 1 };

static afn_status train_and_save(afn_model *m, const char *path)
{
    afn_status st = AFN_OK;
    afn_trainer *t = NULL;
    const afn_batch batch = {
        .n = BATCH, .pixels = pixels, .labels = labels, .index = places
    };
    AFN_TRY(afn_model_freeze(m, "*"));
    AFN_TRY(afn_model_replace_head(m, CLASSES, 1));
    AFN_TRY(afn_trainer_new(&t, m, NULL));
    AFN_TRY(afn_trainer_step(t, &batch, NULL));
    AFN_TRY(afn_trainer_sync(t));
    AFN_TRY(afn_model_save(m, path));
done:
    afn_trainer_free(t);
    return st;
}

static afn_status open_and_predict(const char *path)
{
    afn_status st = AFN_OK;
    afn_model *m = NULL;
    afn_predictor *p = NULL;
    float logits[CLASSES];
    AFN_TRY(afn_model_open(&m, NULL, path));
    AFN_TRY(afn_predictor_new(&p, m, NULL));
    AFN_TRY(afn_predictor_run(p, pixels, 1, logits));
done:
    afn_predictor_free(p);
    afn_model_free(m);
    return st;
}

static afn_status whole_life(const char *path)
{
    afn_status st = AFN_OK;
    afn_model *m = NULL;
    afn_preprocess p = afn_preprocess_imagenet();
    p.resize = p.crop = SIZE;
    AFN_TRY(afn_model_new(&m, "squeezenet1_1", 5, 1));
    AFN_TRY(afn_model_set_preprocess(m, &p));
    AFN_TRY(train_and_save(m, path));
    AFN_TRY(open_and_predict(path));
done:
    afn_model_free(m);
    return st;
}

/* Every failure among the first 200, then one in seven: the later ones repeat the same
 * few places hundreds of times, and a run costs some ms. */
static int64_t next(int64_t k)
{
    return k < 200 ? k + 1 : k + 7;
}

static void every_failing_allocation_is_reported_and_nothing_is_left(void **state)
{
    (void)state;
    char path[1100];
    snprintf(path, sizeof path, "%s/model.safetensors", test_dir("train-memory"));
    const int64_t before = afn_alloc_count();
    assert_ok(whole_life(path));
    const int64_t n = afn_alloc_count() - before;
    for (int64_t k = 1; k <= n; k = next(k)) {
        (void)remove(path);
        afn_alloc_fail_at(k);
        const afn_status st = whole_life(path);
        afn_alloc_fail_at(0);
        if (st != AFN_ENOMEM)
            fail_msg("allocation %lld of %lld: %s: %s", (long long)k, (long long)n,
                     afn_status_name(st), afn_error_message());
    }
    assert_ok(whole_life(path));
}

static afn_status measure(afn_model *m)
{
    afn_status st = AFN_OK;
    afn_bench b = { 0 };
    afn_profile sums = { 0 };
    afn_bench_opts o = afn_bench_defaults();
    o.batch = BATCH;
    o.steps = 1;
    o.mode = AFN_BENCH_HEAD;
    o.convolutions = true;
    AFN_TRY(afn_bench_run(&b, m, &o));
    AFN_TRY(afn_profile_by_kind(&sums, &b.profile));
done:
    afn_profile_free(&sums);
    afn_bench_free(&b);
    return st;
}

static void a_benchmark_reports_every_failing_allocation_too(void **state)
{
    (void)state;
    afn_model *m;
    afn_preprocess p = afn_preprocess_imagenet();
    p.resize = p.crop = SIZE;
    assert_ok(afn_model_new(&m, "squeezenet1_1", CLASSES, 1));
    assert_ok(afn_model_set_preprocess(m, &p));
    const int64_t before = afn_alloc_count();
    assert_ok(measure(m));
    const int64_t n = afn_alloc_count() - before;
    for (int64_t k = 1; k <= n; k = k < 20 ? k + 1 : k + 23) {
        afn_alloc_fail_at(k);
        const afn_status st = measure(m);
        afn_alloc_fail_at(0);
        if (st != AFN_ENOMEM)
            fail_msg("allocation %lld of %lld: %s: %s", (long long)k, (long long)n,
                     afn_status_name(st), afn_error_message());
    }
    assert_ok(measure(m));
    afn_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_allocation_is_reported_and_nothing_is_left),
        cmocka_unit_test(a_benchmark_reports_every_failing_allocation_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
