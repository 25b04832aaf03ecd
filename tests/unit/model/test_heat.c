/* SPDX-License-Identifier: Apache-2.0 */
/* Heat maps in themselves; tests/oracle/check_heat.py compares them with PyTorch's. */
#include "model_case.h"

#include "afina/heat.h"

enum { CROP = 64, BYTES = CROP * CROP * 3, N = 3 };

static afn_model *small_model(void)
{
    afn_model *m = new_model(SMALL, 4);
    afn_preprocess p = afn_model_preprocess(m);
    p.resize = p.crop = CROP;
    assert_ok(afn_model_set_preprocess(m, &p));
    return m;
}

static void fill(uint8_t *pixels)
{
    afn_rng rng = afn_rng_new(1, afn_rng_stream(AFN_RNG_TEST, 1, 0));
    for (int i = 0; i < N * BYTES; i++) pixels[i] = (uint8_t)afn_rng_u32(&rng);
}

/* The values and gradients that a plan with a watched value keeps. */
static void maps_do_not_depend_on_how_pictures_are_grouped(void **state)
{
    (void)state;
    static const int classes[N] = { 2, 0, 3 };
    static uint8_t pixels[N * BYTES];
    afn_model *m = small_model();
    float *map[2];
    fill(pixels);
    for (int k = 0; k < 2; k++) {
        afn_heat *h;
        afn_predict_opts o = afn_predict_defaults();
        o.batch = k ? N : 1;
        assert_ok(afn_heat_new(&h, m, &o));
        const size_t places = (size_t)(afn_heat_rows(h) * afn_heat_columns(h));
        assert_int_equal(9, places); /* 3 x 3 at 64 pixels */
        map[k] = test_calloc(N * places, sizeof *map[k]);
        assert_ok(afn_heat_run(h, pixels, N, classes, map[k]));
        afn_heat_free(h);
    }
    for (int i = 0; i < N * 9; i++) {
        assert_true(map[0][i] >= 0);
        assert_float_equal(map[0][i], map[1][i], 1e-6);
    }
    test_free(map[0]);
    test_free(map[1]);
    afn_model_free(m);
}

static void a_drawing_is_warm_where_the_map_is_large(void **state)
{
    (void)state;
    static uint8_t pixels[N * BYTES]; /* black */
    const float map[9] = { 0, 0, 0, 0, 0, 0, 0, 0, 5 };
    const float nothing[9] = { 0 };
    afn_model *m = small_model();
    afn_heat *h;
    afn_image image;
    assert_ok(afn_heat_new(&h, m, NULL));
    assert_ok(afn_heat_draw(&image, h, pixels, map));
    assert_int_equal(CROP, image.width);
    assert_int_equal(CROP, image.height);
    const uint8_t *first = image.pixels, *last = image.pixels + BYTES - 3;
    assert_true(first[2] > first[0] && first[1] < 10);           /* blue */
    assert_true(last[0] > 100 && last[1] > 100 && last[2] < 50); /* yellow */
    afn_image_free(&image);
    assert_ok(afn_heat_draw(&image, h, pixels, nothing));
    assert_memory_equal(image.pixels, image.pixels + BYTES - 3, 3);
    afn_image_free(&image);
    afn_heat_free(h);
    afn_model_free(m);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static uint8_t pixels[N * BYTES];
    static const int classes[] = { 0, 4 };
    float map[2 * 9];
    afn_model *m = small_model();
    afn_heat *h;
    afn_predict_opts o = afn_predict_defaults();
    assert_ok(afn_heat_new(&h, m, NULL));
    assert_fails(AFN_EINVAL, "class 4 of 4 classes",
                 afn_heat_run(h, pixels, 2, classes, map));
    afn_heat_free(h);
    o.batch = 0;
    assert_fails(AFN_EINVAL, "batch is 0", afn_heat_new(&h, m, &o));
    assert_null(h);
    afn_preprocess p = afn_model_preprocess(m);
    p.resize = p.crop = 18; /* the last features are a single place */
    assert_ok(afn_model_set_preprocess(m, &p));
    o.batch = 1;
    const afn_status st = afn_heat_new(&h, m, &o);
    assert_int_equal(AFN_OK, st); /* an earlier layer has places */
    assert_true(afn_heat_rows(h) > 1);
    afn_heat_free(h);
    afn_model_free(m);
}

/* A plan must be made for it, and the value must not be fused away. */
static void only_values_of_training_plans_can_be_watched(void **state)
{
    (void)state;
    afn_model *m = small_model();
    afn_plan *p;
    afn_plan_opts o = { .batch = 1,
                        .train = true,
                        .watch = 1 }; /* the first convolution */
    assert_fails(AFN_EINVAL, "is not made by any step",
                 afn_plan_new(&p, afn_model__graph(m), afn_model__params(m), &o));
    o.watch = 2; /* its ReLU */
    o.train = false;
    assert_fails(AFN_EINVAL, "has no gradients",
                 afn_plan_new(&p, afn_model__graph(m), afn_model__params(m), &o));
    o.train = true;
    assert_ok(afn_plan_new(&p, afn_model__graph(m), afn_model__params(m), &o));
    assert_fails(AFN_EINVAL, "nothing was run", afn_plan_watched(p, NULL, NULL));
    afn_plan_free(p);
    afn_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_do_not_depend_on_how_pictures_are_grouped),
        cmocka_unit_test(a_drawing_is_warm_where_the_map_is_large),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(only_values_of_training_plans_can_be_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
