/* SPDX-License-Identifier: Apache-2.0 */
/* A picture's way through the steps: what its numbers depend on, and on what sizes.
 * What the steps do is held to torchvision by tests/oracle/check_augment.py. */
#include "image/augment.h"
#include "pixel_goldens.h"

enum { CROP = 20, BYTES = CROP * CROP * 3 };

static const afn_preprocess small = {
    .resize = 24, .crop = CROP, .mean = { 0.485f, 0.456f, 0.406f }, .std = { 1, 1, 1 }
};
static const char all_steps[] =
    "crop,hflip,vflip,rotate=20:bilinear,rotate,color=0.3:0.3:0.3:0.1,grayscale=0.3,"
    "blur=5,trivial,rand=3,erase";

static void apply(uint8_t *out, const char *spec, const afn_image *in,
                  afn_augment_draw at)
{
    afn_augment *a;
    assert_ok(afn_augment_new(&a, spec));
    assert_ok(afn_augment_apply(a, &small, in, &at, out));
    afn_augment_free(a);
}

static void no_steps_are_the_plain_preprocessing(void **state)
{
    (void)state;
    uint8_t plain[BYTES], none[BYTES];
    afn_image in = test_picture(61, 43);
    assert_ok(afn_preprocess_apply(&small, &in, plain));
    apply(none, NULL, &in, (afn_augment_draw){ 1, 2, 3 });
    assert_memory_equal(plain, none, BYTES);
    apply(none, "hflip=0,color=0,rotate=0,erase=0", &in, (afn_augment_draw){ 1, 2, 3 });
    assert_memory_equal(plain, none, BYTES);
    afn_image_free(&in);
}

static void numbers_depend_on_seed_epoch_and_sample_alone(void **state)
{
    (void)state;
    static const afn_augment_draw at[] = { { 1, 2, 3 },
                                           { 2, 2, 3 },
                                           { 1, 3, 3 },
                                           { 1, 2, 4 },
                                           { 1, (1 << 24) - 1, 3 },
                                           { 1, 2, INT64_C(0xffffffff) } };
    enum { N = AFN_COUNT(at) };
    static uint8_t first[N][BYTES], again[BYTES];
    afn_image in = test_picture(61, 43);
    for (int i = 0; i < N; i++) apply(first[i], all_steps, &in, at[i]);
    for (int i = N - 1; i >= 0; i--) { /* in another order */
        apply(again, all_steps, &in, at[i]);
        assert_memory_equal(first[i], again, BYTES);
        for (int k = 0; k < i; k++) assert_memory_not_equal(first[k], first[i], BYTES);
    }
    afn_image_free(&in);
}

static void every_size_of_picture_and_input_works(void **state)
{
    (void)state;
    static const int sides[][2] = { { 1, 1 },  { 2, 1 },  { 1, 2 },   { 3, 3 },
                                    { 1, 90 }, { 90, 1 }, { 7, 300 }, { 64, 64 } };
    static const int crops[] = { 1, 2, 3, 17, 64 };
    static uint8_t out[64 * 64 * 3];
    afn_augment *a;
    assert_ok(afn_augment_new(&a, all_steps));
    for (size_t s = 0; s < AFN_COUNT(sides); s++) {
        afn_image in = test_picture(sides[s][0], sides[s][1]);
        for (size_t c = 0; c < AFN_COUNT(crops); c++)
            for (int sample = 0; sample < 20; sample++) {
                afn_preprocess p = small;
                p.crop = crops[c];
                const afn_augment_draw at = { 7, 0, sample };
                assert_ok(afn_augment_apply(a, &p, &in, &at, out));
            }
        afn_image_free(&in);
    }
    afn_augment_free(a);
}

/* The drawn part lies in the picture, and has the area and ratio asked for. */
static void crops_keep_to_their_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        int width, height;
        double area, ratio[2];
    } row[] = { { "crop", 500, 400, 0.08, { 0.75, 4.0 / 3 } },
                { "crop=0.9", 400, 500, 0.9, { 0.75, 4.0 / 3 } },
                { "crop=0.3:1:1:1", 300, 300, 0.3, { 1, 1 } } };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_augment *a;
        const afn_image size = { .width = row[i].width, .height = row[i].height };
        const double all = row[i].width * row[i].height;
        assert_ok(afn_augment_new(&a, row[i].spec));
        for (uint32_t k = 0; k < 2000; k++) {
            afn_drawn d[AFN_MAX_STEPS];
            afn_rng rng = afn_rng_new(1, afn_rng_stream(AFN_RNG_TEST, 0, k));
            afn_augment__draw(a, &rng, &size, &size, d);
            const double top = d->v[0], left = d->v[1], h = d->v[2], w = d->v[3];
            assert_true(top >= 0 && left >= 0 && h >= 1 && w >= 1);
            assert_true(top + h <= row[i].height && left + w <= row[i].width);
            if (w == row[i].width || h == row[i].height) continue; /* the middle */
            assert_true(w * h > 0.97 * row[i].area * all && w * h <= 1.01 * all);
            assert_true(w / h > 0.97 * row[i].ratio[0] &&
                        w / h < 1.03 * row[i].ratio[1]);
        }
        afn_augment_free(a);
    }
}

/* Of what no try fits, the middle: as tall or wide as the ratios allow. */
static void very_long_pictures_give_their_middle(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        double part[4]; /* top, left, height, width */
    } row[] = { { 1000, 3, { 0, 498, 3, 4 } },
                { 3, 1000, { 498, 0, 4, 3 } },
                { 1, 1, { 0, 0, 1, 1 } },
                { 1, 2, { 0, 0, 1, 1 } } };
    afn_augment *a;
    assert_ok(afn_augment_new(&a, "crop=1"));
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_drawn d[AFN_MAX_STEPS];
        const afn_image size = { .width = row[i].width, .height = row[i].height };
        afn_rng rng = afn_rng_new(1, afn_rng_stream(AFN_RNG_TEST, 0, 0));
        afn_augment__draw(a, &rng, &size, &size, d);
        assert_int_equal(d->n, 4);
        for (int k = 0; k < 4; k++) assert_float_equal(d->v[k], row[i].part[k], 0);
    }
    afn_augment_free(a);
}

static void erased_is_the_mean_colour_in_one_rectangle(void **state)
{
    (void)state;
    static const uint8_t mean[3] = { 124, 116, 104 };
    uint8_t plain[BYTES], out[BYTES];
    int erased = 0;
    afn_image in = test_picture(61, 43);
    assert_ok(afn_preprocess_apply(&small, &in, plain));
    for (int sample = 0; sample < 50; sample++) {
        int changed = 0;
        apply(out, "erase=1:0.1:0.2", &in, (afn_augment_draw){ 3, 0, sample });
        for (int i = 0; i < BYTES; i += 3) {
            if (memcmp(plain + i, out + i, 3) == 0) continue;
            assert_memory_equal(out + i, mean, 3);
            changed++;
        }
        assert_true(changed <= 0.25 * CROP * CROP);
        erased += changed > 0;
    }
    assert_int_equal(erased, 50);
    afn_image_free(&in);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        afn_augment_opts o;
        const char *message;
    } row[] = {
        { { .mixup = -1 }, "mixup of -1" },
        { { .mixup = 1001 }, "mixup of 1001" },
        { { .cutmix = -0.1 }, "cutmix of -0.1" },
        { { .views = -1 }, "-1 views" },
        { { .views = 1001 }, "1001 views" },
        { { .spec = "hflop" }, "did you mean hflip" },
    };
    assert_ok(afn_augment_check(&(afn_augment_opts){ 0 }));
    assert_ok(afn_augment_check(&(afn_augment_opts){ "strong", 0.2, 1, 1000 }));
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_fails(AFN_EINVAL, row[i].message, afn_augment_check(&row[i].o));
}

static void wrong_pictures_and_failing_allocations_are_reported(void **state)
{
    (void)state;
    uint8_t out[BYTES];
    afn_augment *a;
    afn_image in = test_picture(61, 43), none = { .width = 3, .height = 3 };
    const afn_augment_draw at = { 1, 1, 1 };
    assert_ok(afn_augment_new(&a, "crop,blur,trivial"));
    assert_fails(AFN_EINVAL, "picture has",
                 afn_augment_apply(a, &small, &none, &at, out));
    const int64_t before = afn_alloc_count();
    assert_ok(afn_augment_apply(a, &small, &in, &at, out));
    const int64_t n = afn_alloc_count() - before;
    assert_true(n >= 4);
    for (int64_t k = 1; k <= n; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_augment_apply(a, &small, &in, &at, out);
        afn_alloc_fail_at(0);
        assert_int_equal(st, AFN_ENOMEM);
    }
    afn_augment_free(a);
    afn_image_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_steps_are_the_plain_preprocessing),
        cmocka_unit_test(numbers_depend_on_seed_epoch_and_sample_alone),
        cmocka_unit_test(every_size_of_picture_and_input_works),
        cmocka_unit_test(crops_keep_to_their_ranges),
        cmocka_unit_test(very_long_pictures_give_their_middle),
        cmocka_unit_test(erased_is_the_mean_colour_in_one_rectangle),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(wrong_pictures_and_failing_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
