/* SPDX-License-Identifier: Apache-2.0 */
/* Choices of samples of another set. */
#include "afn_test.h"

#include "data/data.h"

static afn_dataset *open_fake(void)
{
    afn_dataset *d;
    assert_ok(afn_dataset_open(&d, "fake:size=20,classes=4,height=5,width=5"));
    return d;
}

static void a_subset_shows_the_chosen_samples(void **state)
{
    (void)state;
    static const int64_t index[] = { 7, 3, 19, 7 };
    afn_dataset *whole = open_fake(), *s;
    assert_ok(afn_data__subset(&s, whole, index, 4));
    assert_int_equal(4, afn_dataset_count(s));
    assert_int_equal(4, afn_dataset_classes(s));
    assert_string_equal("3", afn_dataset_class_name(s, 3));
    for (int64_t i = 0; i < 4; i++) {
        afn_image a, b;
        char name[64], want[64];
        assert_ok(afn_dataset_read(s, i, NULL, &a));
        assert_ok(afn_dataset_read(whole, index[i], NULL, &b));
        assert_memory_equal(a.pixels, b.pixels, 75);
        assert_int_equal(afn_dataset_label(whole, index[i]), afn_dataset_label(s, i));
        snprintf(want, sizeof want, "fake sample %d", (int)index[i]);
        assert_string_equal(want, afn_dataset_sample_name(s, i, name, sizeof name));
        afn_image_free(&a);
        afn_image_free(&b);
    }
    afn_dataset_free(s);
    afn_dataset_free(whole);
}

static void subsets_outlive_the_whole_in_any_order(void **state)
{
    (void)state;
    static const int64_t index[] = { 1, 2 };
    for (int first = 0; first < 2; first++) {
        afn_dataset *whole = open_fake(), *s[2];
        afn_image image;
        assert_ok(afn_data__subset(&s[0], whole, index, 1));
        assert_ok(afn_data__subset(&s[1], whole, index + 1, 1));
        afn_dataset_free(whole);
        afn_dataset_free(s[first]);
        assert_ok(afn_dataset_read(s[1 - first], 0, NULL, &image));
        afn_image_free(&image);
        afn_dataset_free(s[1 - first]);
    }
}

static void a_subset_of_a_subset_and_an_empty_one_work(void **state)
{
    (void)state;
    static const int64_t index[] = { 9, 8 }, second[] = { 1 };
    char name[64];
    afn_dataset *whole = open_fake(), *s, *t, *empty;
    assert_ok(afn_data__subset(&s, whole, index, 2));
    assert_ok(afn_data__subset(&t, s, second, 1));
    assert_ok(afn_data__subset(&empty, s, NULL, 0));
    assert_string_equal("fake sample 8",
                        afn_dataset_sample_name(t, 0, name, sizeof name));
    assert_int_equal(0, afn_dataset_count(empty));
    afn_dataset_free(whole);
    afn_dataset_free(s);
    afn_dataset_free(t);
    afn_dataset_free(empty);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    static const int64_t index[] = { 1, 2 };
    afn_dataset *whole = open_fake(), *s = NULL;
    for (int64_t k = 1; !s; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_data__subset(&s, whole, index, 2);
        afn_alloc_fail_at(0);
        assert_int_equal(k <= 4 ? AFN_ENOMEM : AFN_OK, st);
    }
    afn_dataset_free(s);
    afn_dataset_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subset_shows_the_chosen_samples),
        cmocka_unit_test(subsets_outlive_the_whole_in_any_order),
        cmocka_unit_test(a_subset_of_a_subset_and_an_empty_one_work),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
