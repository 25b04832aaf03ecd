/* SPDX-License-Identifier: Apache-2.0 */
/* How a spec names a kind of data set, and the calls that all kinds share. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "make_tree.h"

static void a_bare_path_and_a_folder_spec_open_the_same_set(void **state)
{
    (void)state;
    char spec[1200];
    const char *root = new_tree("dataset-folder");
    put_png(root, "cat/1.png", 1);
    put_png(root, "dog/1.png", 2);
    for (int with_kind = 0; with_kind < 2; with_kind++) {
        afn_dataset *d;
        snprintf(spec, sizeof spec, "%s%s", with_kind ? "folder:" : "", root);
        assert_ok(afn_dataset_open(&d, spec));
        assert_int_equal(2, afn_dataset_count(d));
        assert_int_equal(2, afn_dataset_classes(d));
        assert_string_equal("dog", afn_dataset_class_name(d, 1));
        assert_string_equal("dog/1.png", name_below(d, 1, root));
        afn_dataset_free(d);
    }
}

static void a_folder_may_have_a_colon_in_its_name(void **state)
{
    (void)state;
    char here[1024];
    afn_dataset *d;
    assert_non_null(getcwd(here, sizeof here));
    const char *root = new_tree("dataset-colon");
    put_png(root, "photos:2020/cat/1.png", 1);
    assert_int_equal(0, chdir(root));
    assert_ok(afn_dataset_open(&d, "photos:2020"));
    afn_dataset_free(d);
    assert_int_equal(0, chdir(here));
}

static void an_unknown_kind_is_named_with_the_nearest(void **state)
{
    (void)state;
    afn_dataset *d = (afn_dataset *)&d;
    assert_fails(AFN_EINVAL, "fak: unknown kind of data set, did you mean fake:",
                 afn_dataset_open(&d, "fak:size=3"));
    assert_null(d);
    assert_fails(AFN_EINVAL, "need folder:, csv:, jsonl:, cifar10:",
                 afn_dataset_open(&d, "imagenet:/data"));
    assert_fails(AFN_EINVAL, "empty", afn_dataset_open(&d, ""));
    assert_fails(AFN_EINVAL, "empty", afn_dataset_open(&d, NULL));
    assert_fails(AFN_EINVAL, "empty", afn_dataset_open(&d, "folder:"));
    assert_fails(AFN_ENOTFOUND, "did you mean fake:", afn_dataset_open(&d, "fake"));
    assert_fails(AFN_ENOTFOUND,
                 "no/such/place: ", afn_dataset_open(&d, "no/such/place"));
    assert_fails(AFN_ENOTFOUND,
                 "no:such/place: ", afn_dataset_open(&d, "./no:such/place"));
}

static void questions_out_of_range_have_harmless_answers(void **state)
{
    (void)state;
    char name[100];
    afn_dataset *d;
    afn_image image;
    assert_ok(afn_dataset_open(&d, "fake:size=3,classes=2,height=4,width=5"));
    assert_null(afn_dataset_class_name(d, -1));
    assert_null(afn_dataset_class_name(d, 2));
    assert_int_equal(-1, afn_dataset_label(d, 3));
    assert_string_equal("sample 3", afn_dataset_sample_name(d, 3, name, sizeof name));
    assert_fails(AFN_EINVAL, "sample 3, need 0 to 2",
                 afn_dataset_read(d, 3, NULL, &image));
    assert_fails(AFN_EINVAL, "sample -1", afn_dataset_read(d, -1, NULL, &image));
    assert_null(image.pixels);
    afn_dataset_free(d);
    afn_dataset_free(NULL);
}

static void a_sample_name_is_cut_to_fit(void **state)
{
    (void)state;
    char name[8] = "1234567";
    afn_dataset *d;
    assert_ok(afn_dataset_open(&d, "fake:size=3,height=4,width=5"));
    assert_ptr_equal(name, afn_dataset_sample_name(d, 0, name, 0));
    assert_string_equal("1234567", name);
    assert_string_equal("fake", afn_dataset_sample_name(d, 0, name, 5));
    afn_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_path_and_a_folder_spec_open_the_same_set),
        cmocka_unit_test(a_folder_may_have_a_colon_in_its_name),
        cmocka_unit_test(an_unknown_kind_is_named_with_the_nearest),
        cmocka_unit_test(questions_out_of_range_have_harmless_answers),
        cmocka_unit_test(a_sample_name_is_cut_to_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
