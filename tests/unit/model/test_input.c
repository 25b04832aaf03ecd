/* SPDX-License-Identifier: Apache-2.0 */
/* Networks for other channels than red, green and blue. */
#include "model_case.h"

enum { SIDE = 32, CLASSES = 3, PIXELS = SIDE * SIDE };

/* Pixels go in as they are, so that what channels have in common is the same number. */
static afn_model *plain_model(const char *arch)
{
    afn_model *m = new_model(arch, CLASSES);
    afn_preprocess p = afn_model_preprocess(m);
    p.crop = p.resize = SIDE;
    for (int c = 0; c < 3; c++) {
        p.mean[c] = 0;
        p.std[c] = 1;
    }
    assert_ok(afn_model_set_preprocess(m, &p));
    return m;
}

/* Logits of one picture whose pixel i has value(i, c) in channel c of `channels`; gray:
 * all the same. */
static void predict(const afn_model *m, bool gray, float logits[CLASSES])
{
    const afn_preprocess pre = afn_model_preprocess(m);
    const int channels = afn_preprocess_channels(&pre);
    uint8_t *pixels = malloc((size_t)PIXELS * (size_t)channels);
    afn_predictor *p;
    assert_non_null(pixels);
    for (int i = 0; i < PIXELS; i++)
        for (int c = 0; c < channels; c++)
            pixels[i * channels + c] = (uint8_t)(i * 7 + (gray ? 0 : c % 3 * 50));
    const afn_predict_opts o = { .batch = 1, .threads = 1, .backend = "ref" };
    assert_ok(afn_predictor_new(&p, m, &o));
    assert_ok(afn_predictor_run(p, pixels, 1, logits));
    afn_predictor_free(p);
    free(pixels);
}

static void assert_near(const float *a, const float *b)
{
    for (int i = 0; i < CLASSES; i++)
        assert_true(a[i] - b[i] < 1e-4f && b[i] - a[i] < 1e-4f);
}

static void one_channel_gives_what_three_equal_ones_gave(void **state)
{
    (void)state;
    static const char *const archs[] = { SMALL, "resnet18", "densenet121" };
    for (size_t i = 0; i < AFN_COUNT(archs); i++) {
        afn_model *m = plain_model(archs[i]);
        float three[CLASSES], one[CLASSES];
        predict(m, true, three);
        assert_ok(afn_model_set_channels(m, 1));
        predict(m, true, one);
        assert_near(one, three);
        assert_true(one[0] != one[1]);
        afn_model_free(m);
    }
}

static void repeated_channels_give_what_they_gave_once(void **state)
{
    (void)state;
    afn_model *m = plain_model(SMALL);
    float three[CLASSES], six[CLASSES];
    predict(m, false, three);
    assert_ok(afn_model_set_channels(m, 6));
    predict(m, false, six);
    assert_near(six, three);
    afn_model_free(m);
}

static void weights_are_repeated_and_scaled(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, CLASSES);
    float *old = values_of(m, "features.0.weight", 64 * 3 * 9);
    assert_ok(afn_model_set_channels(m, 4));
    float *now = values_of(m, "features.0.weight", 64 * 4 * 9);
    for (int o = 0; o < 64; o++)
        for (int c = 0; c < 4; c++)
            for (int k = 0; k < 9; k++)
                assert_true(now[(o * 4 + c) * 9 + k] ==
                            0.75f * old[(o * 3 + c % 3) * 9 + k]);
    const afn_preprocess p = afn_model_preprocess(m);
    assert_int_equal(p.channels, 4);
    assert_true(p.mean[3] == p.mean[0] && p.std[3] == p.std[0]);
    free(old);
    free(now);
    afn_model_free(m);
}

static void channels_are_kept_in_both_kinds_of_file(void **state)
{
    (void)state;
    static const char *const names[] = { "one.safetensors", "one.pth" };
    for (size_t i = 0; i < AFN_COUNT(names); i++) {
        afn_model *m = plain_model(SMALL), *again;
        assert_ok(afn_model_set_channels(m, 1));
        assert_ok(afn_model_save(m, file_in("input", names[i])));
        assert_ok(afn_model_open(&again, NULL, file_in("input", names[i])));
        assert_int_equal(afn_model_preprocess(again).channels, 1);
        assert_int_equal(afn_model_preprocess(again).crop, SIDE);
        assert_same_values(m, again);
        afn_model_free(m);
        afn_model_free(again);
    }
    remove_files("input");
}

/* As PyTorch would write it: tensors alone. */
static void a_files_first_convolution_says_its_channels(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, CLASSES), *again;
    afn_weights *w;
    const char *arch;
    assert_ok(afn_model_set_channels(m, 2));
    assert_ok(afn_weights_new(&w));
    for (int i = 0; i < afn_model_n_params(m); i++) {
        afn_param_info p;
        assert_ok(afn_model_param(m, i, &p));
        assert_ok(afn_weights_add(w, p.name, p.dtype, &p.shape,
                                  afn_params_f32(m->net.params, i)));
    }
    assert_ok(afn_weights_save(w, file_in("input", "bare.safetensors")));
    assert_ok(afn_arch_fitting(&arch, w));
    assert_string_equal(arch, SMALL);
    afn_weights_free(w);
    assert_ok(afn_model_open(&again, SMALL, file_in("input", "bare.safetensors")));
    assert_int_equal(afn_model_preprocess(again).channels, 2);
    assert_same_values(m, again);
    afn_model_free(m);
    afn_model_free(again);
    remove_files("input");
}

static void channels_out_of_range_are_refused(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, CLASSES);
    assert_fails(AFN_EINVAL, "0 channels, need 1 to 16", afn_model_set_channels(m, 0));
    assert_fails(AFN_EINVAL, "17 channels", afn_model_set_channels(m, 17));
    afn_preprocess p = afn_model_preprocess(m);
    p.channels = 1;
    assert_fails(AFN_EINVAL, "1 channels, the network has 3",
                 afn_model_set_preprocess(m, &p));
    afn_model_free(m);
}

static void pictures_become_gray_as_pillow_makes_them(void **state)
{
    (void)state;
    const uint8_t rgb[] = { 255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 77, 77, 77 };
    const uint8_t want[] = { 76, 150, 29, 18, 77 }; /* Image.convert("L") */
    uint8_t gray[5];
    assert_ok(afn_image__to_channels(gray, rgb, 5, 1));
    assert_memory_equal(gray, want, sizeof want);
    assert_fails(AFN_EUNSUPPORTED,
                 "pictures have 1, 3 or 4 channels, the network takes 5",
                 afn_image__to_channels(gray, rgb, 1, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_channel_gives_what_three_equal_ones_gave),
        cmocka_unit_test(repeated_channels_give_what_they_gave_once),
        cmocka_unit_test(weights_are_repeated_and_scaled),
        cmocka_unit_test(channels_are_kept_in_both_kinds_of_file),
        cmocka_unit_test(a_files_first_convolution_says_its_channels),
        cmocka_unit_test(channels_out_of_range_are_refused),
        cmocka_unit_test(pictures_become_gray_as_pillow_makes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
