/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include <math.h>

enum { CROP = 33, CLASSES = 3, PIXELS = CROP * CROP * 3 };

/* A small network on small pictures. */
static afn_model *small(void)
{
    afn_model *m = new_model(SMALL, CLASSES);
    afn_preprocess p = afn_model_preprocess(m);
    p.resize = p.crop = CROP;
    assert_ok(afn_model_set_preprocess(m, &p));
    return m;
}

/* n pictures of noise; free with free(). */
static uint8_t *noise(int n)
{
    uint8_t *p = malloc((size_t)n * PIXELS);
    assert_non_null(p);
    afn_rng rng = afn_rng_new(3, afn_rng_stream(AFN_RNG_TEST, 0, 0));
    for (int i = 0; i < n * PIXELS; i++) p[i] = (uint8_t)afn_rng_below(&rng, 256);
    return p;
}

static void assert_close(const float *a, const float *b, int n)
{
    for (int i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= 1e-4f * (1 + fabsf(a[i]))))
            fail_msg("%d: %g and %g", i, (double)a[i], (double)b[i]);
}

static void the_backends_agree(void **state)
{
    (void)state;
    afn_model *m = small();
    uint8_t *pixels = noise(2);
    float a[2 * CLASSES], b[2 * CLASSES];
    afn_predictor *cpu, *ref;
    afn_predict_opts o = afn_predict_defaults();
    assert_ok(afn_predictor_new(&cpu, m, NULL));
    o.backend = "ref";
    assert_ok(afn_predictor_new(&ref, m, &o));
    assert_ok(afn_predictor_run(cpu, pixels, 2, a));
    assert_ok(afn_predictor_run(ref, pixels, 2, b));
    assert_close(a, b, 2 * CLASSES);
    assert_true(fabsf(a[0] - a[CLASSES]) > 0); /* not one picture for both */
    afn_predictor_free(cpu);
    afn_predictor_free(ref);
    afn_model_free(m);
    free(pixels);
}

static void any_count_of_pictures_gives_each_its_logits(void **state)
{
    (void)state;
    enum { N = 150 }; /* more than two parts */
    afn_model *m = small();
    uint8_t *pixels = noise(N);
    float all[N * CLASSES], one[CLASSES];
    afn_predictor *p;
    assert_ok(afn_predictor_new(&p, m, NULL));
    assert_ok(afn_predictor_run(p, pixels, N, all));
    for (int i = 0; i < N; i += 7) {
        assert_ok(afn_predictor_run(p, pixels + i * PIXELS, 1, one));
        assert_close(one, all + i * CLASSES, CLASSES);
    }
    assert_fails(AFN_EINVAL, "0 images", afn_predictor_run(p, pixels, 0, all));
    afn_predictor_free(p);
    afn_model_free(m);
    free(pixels);
}

static void a_picture_goes_through_the_models_preprocessing(void **state)
{
    (void)state;
    afn_model *m = small();
    afn_image image = { .width = CROP, .height = CROP, .pixels = noise(4) }, wide;
    float a[CLASSES], b[CLASSES];
    afn_predictor *p;
    assert_ok(afn_predictor_new(&p, m, NULL));
    assert_ok(afn_predictor_run(p, image.pixels, 1, a));
    assert_ok(afn_predictor_image(p, &image, b)); /* nothing to resize or crop */
    assert_close(a, b, CLASSES);

    const afn_preprocess steps = afn_model_preprocess(m);
    uint8_t cropped[PIXELS];
    wide = (afn_image){ .width = 2 * CROP, .height = CROP + 5, .pixels = image.pixels };
    assert_ok(afn_preprocess_apply(&steps, &wide, cropped));
    assert_ok(afn_predictor_run(p, cropped, 1, a));
    assert_ok(afn_predictor_image(p, &wide, b));
    assert_close(a, b, CLASSES);

    wide.width = 0;
    assert_int_equal(afn_predictor_image(p, &wide, b), AFN_EINVAL);
    afn_predictor_free(p);
    afn_model_free(m);
    free(image.pixels);
}

static void refresh_takes_changed_weights(void **state)
{
    (void)state;
    afn_model *m = small();
    uint8_t *pixels = noise(1);
    float before[CLASSES], after[CLASSES];
    const float bias[CLASSES] = { 100, 100, 100 };
    afn_predictor *p;
    assert_ok(afn_predictor_new(&p, m, NULL));
    assert_ok(afn_predictor_run(p, pixels, 1, before));
    assert_ok(afn_model_write_param(m, "classifier.1.bias", bias, CLASSES));
    assert_ok(afn_predictor_refresh(p));
    assert_ok(afn_predictor_run(p, pixels, 1, after));
    for (int i = 0; i < CLASSES; i++) assert_true(after[i] > 50 && before[i] < 50);
    afn_predictor_free(p);
    afn_model_free(m);
    free(pixels);
}

static void after_a_new_head_a_predictor_asks_to_be_refreshed(void **state)
{
    (void)state;
    afn_model *m = small();
    uint8_t *pixels = noise(1);
    afn_image image = { .width = CROP, .height = CROP, .pixels = pixels };
    float logits[9] = { 0 };
    afn_predictor *p;
    assert_ok(afn_predictor_new(&p, m, NULL));
    assert_ok(afn_model_replace_head(m, 8, 1));
    assert_fails(AFN_EINVAL, "refresh it", afn_predictor_run(p, pixels, 1, logits));
    assert_fails(AFN_EINVAL, "refresh it", afn_predictor_image(p, &image, logits));
    assert_ok(afn_predictor_refresh(p));
    logits[8] = 5;
    assert_ok(afn_predictor_run(p, pixels, 1, logits));
    assert_true(logits[8] == 5);

    afn_preprocess steps = afn_model_preprocess(m);
    steps.crop = CROP + 16;
    assert_ok(afn_model_set_preprocess(m, &steps));
    assert_fails(AFN_EINVAL, "refresh it", afn_predictor_image(p, &image, logits));
    assert_ok(afn_predictor_refresh(p));
    assert_ok(afn_predictor_image(p, &image, logits));
    afn_predictor_free(p);
    afn_model_free(m);
    free(pixels);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    afn_model *m = small();
    afn_predictor *p;
    afn_predict_opts o = afn_predict_defaults();
    o.batch = 0;
    assert_fails(AFN_EINVAL, "batch is 0", afn_predictor_new(&p, m, &o));
    o = afn_predict_defaults();
    o.threads = -1;
    assert_fails(AFN_EINVAL, "-1 threads", afn_predictor_new(&p, m, &o));
    o = afn_predict_defaults();
    o.backend = "gpu";
    assert_fails(AFN_ENOTFOUND, "gpu", afn_predictor_new(&p, m, &o));
    assert_null(p);
    afn_predictor_free(NULL);
    afn_model_free(m);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    afn_model *m = small();
    afn_predictor *p;
    afn_predict_opts o = afn_predict_defaults();
    o.backend = "ref";
    int64_t k = 1;
    for (;; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_predictor_new(&p, m, &o);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) break;
        assert_int_equal(st, AFN_ENOMEM);
        assert_null(p);
    }
    assert_true(k > 10);
    afn_predictor_free(p);
    afn_model_free(m);
}

static void softmax_sums_to_one_and_does_not_overflow(void **state)
{
    (void)state;
    float p[3] = { 1000, 1000, 999 };
    afn_softmax(p, 3, p); /* in place */
    assert_true(fabsf(p[0] + p[1] + p[2] - 1) < 1e-6f);
    assert_true(p[0] == p[1]);
    assert_true(fabsf(p[2] / p[0] - expf(-1)) < 1e-6f);
    const float low[2] = { -3e38f, 3e38f };
    afn_softmax(low, 2, p);
    assert_true(p[0] == 0 && p[1] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_backends_agree),
        cmocka_unit_test(any_count_of_pictures_gives_each_its_logits),
        cmocka_unit_test(a_picture_goes_through_the_models_preprocessing),
        cmocka_unit_test(refresh_takes_changed_weights),
        cmocka_unit_test(after_a_new_head_a_predictor_asks_to_be_refreshed),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(softmax_sums_to_one_and_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
