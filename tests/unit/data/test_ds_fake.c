/* SPDX-License-Identifier: Apache-2.0 */
/* Noise: repeatable, of the right size, uniform where it should be. */
#include "afn_test.h"

#include "data/data.h"

static void the_defaults_are_torchvisions(void **state)
{
    (void)state;
    afn_dataset *d;
    afn_image image;
    assert_ok(afn_dataset_open(&d, "fake:"));
    assert_int_equal(1000, afn_dataset_count(d));
    assert_int_equal(10, afn_dataset_classes(d));
    assert_string_equal("9", afn_dataset_class_name(d, 9));
    assert_ok(afn_dataset_read(d, 999, NULL, &image));
    assert_int_equal(224, image.width);
    assert_int_equal(224, image.height);
    afn_image_free(&image);
    afn_dataset_free(d);
}

static void keys_set_size_and_classes(void **state)
{
    (void)state;
    afn_dataset *d;
    afn_image image;
    assert_ok(afn_dataset_open(&d, "fake:size=7,classes=3,height=5,width=9,seed=1"));
    assert_int_equal(7, afn_dataset_count(d));
    assert_int_equal(3, afn_dataset_classes(d));
    assert_ok(afn_dataset_read(d, 0, NULL, &image));
    assert_int_equal(9, image.width);
    assert_int_equal(5, image.height);
    afn_image_free(&image);
    afn_dataset_free(d);
}

static void a_sample_depends_on_seed_and_index_alone(void **state)
{
    (void)state;
    static const char *const spec[] = { "fake:size=50,height=6,width=6,seed=3",
                                        "fake:size=90,height=6,width=6,seed=3",
                                        "fake:size=50,height=6,width=6,seed=4" };
    enum { BYTES = 6 * 6 * 3 };
    afn_dataset *d[3];
    int different_labels = 0;
    for (int i = 0; i < 3; i++) assert_ok(afn_dataset_open(&d[i], spec[i]));
    for (int64_t s = 0; s < 50; s++) {
        afn_image image[3];
        for (int i = 0; i < 3; i++)
            assert_ok(afn_dataset_read(d[i], s, NULL, &image[i]));
        assert_memory_equal(image[0].pixels, image[1].pixels, BYTES);
        assert_memory_not_equal(image[0].pixels, image[2].pixels, BYTES);
        assert_int_equal(afn_dataset_label(d[0], s), afn_dataset_label(d[1], s));
        different_labels += afn_dataset_label(d[0], s) != afn_dataset_label(d[2], s);
        for (int i = 0; i < 3; i++) afn_image_free(&image[i]);
    }
    assert_true(different_labels > 25);
    for (int i = 0; i < 3; i++) afn_dataset_free(d[i]);
}

static void labels_are_uniform(void **state)
{
    (void)state;
    int n[5] = { 0 };
    afn_dataset *d;
    assert_ok(afn_dataset_open(&d, "fake:size=10000,classes=5"));
    for (int64_t i = 0; i < 10000; i++) n[afn_dataset_label(d, i)]++;
    for (int c = 0; c < 5; c++) assert_in_range(n[c], 1800, 2200); /* 5 deviations */
    afn_dataset_free(d);
}

/* A normal value of deviation 255, taken modulo 256, is uniform to a part in 10^8; only
 * 0 comes 1.4 times as often, from -1 < v < 1. */
static void bytes_are_wrapped_normal_noise(void **state)
{
    (void)state;
    enum { SIDE = 300, N = SIDE * SIDE * 3 };
    int n[256] = { 0 };
    afn_dataset *d;
    afn_image image;
    assert_ok(afn_dataset_open(&d, "fake:size=1,height=300,width=300"));
    assert_ok(afn_dataset_read(d, 0, NULL, &image));
    for (int i = 0; i < N; i++) n[image.pixels[i]]++;
    assert_in_range(n[0], 1.4 * N / 256 - 200, 1.4 * N / 256 + 200);
    for (int v = 1; v < 256; v++) assert_in_range(n[v], N / 256 - 180, N / 256 + 180);
    afn_image_free(&image);
    afn_dataset_free(d);
}

static void wrong_keys_and_values_are_named(void **state)
{
    (void)state;
    afn_dataset *d;
    assert_fails(AFN_EINVAL, "fake: unknown key clases, did you mean classes",
                 afn_dataset_open(&d, "fake:clases=3"));
    assert_fails(AFN_EINVAL, "unknown key colour, need size, ",
                 afn_dataset_open(&d, "fake:colour=3"));
    assert_fails(AFN_EINVAL, "size=0, need 1 to",
                 afn_dataset_open(&d, "fake:classes=3,size=0"));
    assert_fails(AFN_EINVAL, "size=-1, need", afn_dataset_open(&d, "fake:size=-1"));
    assert_fails(AFN_EINVAL, "size=3x, need", afn_dataset_open(&d, "fake:size=3x"));
    assert_fails(AFN_EINVAL, "size=, need", afn_dataset_open(&d, "fake:size="));
    assert_fails(AFN_EINVAL, "size: need key=value", afn_dataset_open(&d, "fake:size"));
    assert_fails(AFN_EINVAL, "seed=99999999999999999999, need",
                 afn_dataset_open(&d, "fake:seed=99999999999999999999"));
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (int64_t k = 1;; k++) {
        afn_dataset *d;
        afn_alloc_fail_at(k);
        const afn_status st = afn_dataset_open(&d, "fake:size=9,height=4,width=4");
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            assert_true(k > 4);
            afn_dataset_free(d);
            return;
        }
        assert_int_equal(AFN_ENOMEM, st);
        assert_null(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_torchvisions),
        cmocka_unit_test(keys_set_size_and_classes),
        cmocka_unit_test(a_sample_depends_on_seed_and_index_alone),
        cmocka_unit_test(labels_are_uniform),
        cmocka_unit_test(bytes_are_wrapped_normal_noise),
        cmocka_unit_test(wrong_keys_and_values_are_named),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
