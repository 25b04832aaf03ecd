/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of picture files, whatever they are written in: what ds_csv.c and ds_jsonl.c
 * share. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "data/dataset.h"
#include "data/manifest.h"
#include "make_tree.h"

static const char *spec_of(const char *root, const char *name)
{
    static char spec[1300];
    snprintf(spec, sizeof spec, "%s/%s", root, name);
    return spec;
}

static void put_lines(const char *root, const char *name, const char *text)
{
    put_file(root, name, text, strlen(text));
}

static void paths_count_from_the_manifests_folder(void **state)
{
    (void)state;
    char text[2600], other[1024], root[1024], name[1300];
    afn_dataset *d;
    afn_image image;
    snprintf(other, sizeof other, "%s", new_tree("manifest-other"));
    snprintf(root, sizeof root, "%s", new_tree("manifest-paths"));
    put_png(root, "deep/a b.png", 3);
    put_png(other, "c.png", 4);
    snprintf(text, sizeof text, "deep/a b.png,x\n%s/c.png,y\n", other);
    put_lines(root, "list.csv", text);
    assert_ok(afn_dataset_open(&d, spec_of(root, "list.csv")));
    assert_int_equal(2, afn_dataset_count(d));
    for (int i = 0; i < 2; i++) {
        assert_ok(afn_dataset_read(d, i, NULL, &image));
        assert_int_equal(3 + i, image.pixels[0]);
        afn_image_free(&image);
    }
    assert_string_equal(spec_of(root, "deep/a b.png"),
                        afn_dataset_sample_name(d, 0, name, sizeof name));
    afn_dataset_free(d);
}

static void the_third_column_makes_parts(void **state)
{
    (void)state;
    char root[1024];
    afn_data_parts p;
    snprintf(root, sizeof root, "%s", new_tree("manifest-parts"));
    put_lines(root, "list.csv",
              "1.png,b,train\n2.png,a,val\n3.png,a,Training\n4.png,a,test\n5.png,b,\n"
              "6.png,b,dev\n");
    assert_ok(afn_data_open(&p, spec_of(root, "list.csv"), NULL));
    assert_int_equal(3, afn_dataset_count(p.train));
    assert_int_equal(2, afn_dataset_count(p.val));
    assert_int_equal(1, afn_dataset_count(p.test));
    assert_string_equal("3.png", name_below(p.train, 1, root));
    assert_string_equal("6.png", name_below(p.val, 1, root));
    assert_int_equal(1, afn_dataset_label(p.val, 1));
    assert_string_equal("b", afn_dataset_class_name(p.val, 1));
    afn_data_parts_free(&p);

    put_lines(root, "list.csv",
              "1.png,b,train\n2.png,b,test\n"); /* test serves as val */
    assert_ok(afn_data_open(&p, spec_of(root, "list.csv"), NULL));
    assert_non_null(p.val);
    assert_null(p.test);
    afn_data_parts_free(&p);

    afn_data_opts o = afn_data_defaults();
    o.val = 0;
    put_lines(root, "list.csv", "1.png,b,val\n2.png,b,test\n"); /* no training part */
    assert_ok(afn_data_open(&p, spec_of(root, "list.csv"), &o));
    assert_int_equal(2, afn_dataset_count(p.train));
    assert_null(p.val);
    assert_null(p.test);
    afn_data_parts_free(&p);
}

static void a_class_that_training_lacks_is_named(void **state)
{
    (void)state;
    afn_data_parts p;
    const char *root = new_tree("manifest-lacks");
    put_lines(root, "list.csv", "1.png,b,train\n2.png,z,val\n");
    assert_fails(AFN_EINVAL,
                 "list.csv: validation images have class z, training images have not",
                 afn_data_open(&p, spec_of(root, "list.csv"), NULL));
    assert_null(p.train);
}

static void rows_that_lack_something_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } row[] = {
        { "a.png,x\n,x\n", "list.csv: line 2: no path" },
        { "a.png,\n", "list.csv: line 1: no label" },
        { "a.png,x,trian\n",
          "list.csv: line 1: part 'trian', need train, val or test" },
        { "", "list.csv: has no images" },
    };
    afn_dataset *d;
    const char *root = new_tree("manifest-rows");
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        put_lines(root, "list.csv", row[i].text);
        assert_fails(AFN_EFORMAT, row[i].message,
                     afn_dataset_open(&d, spec_of(root, "list.csv")));
        assert_null(d);
    }
    assert_fails(AFN_ENOTFOUND, "none.csv: cannot open",
                 afn_dataset_open(&d, spec_of(root, "none.csv")));
    assert_fails(AFN_EINVAL, "empty", afn_dataset_open(&d, "csv:"));
}

static void names_of_columns_are_known_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(AFN_COLUMN_PATH, afn_manifest_column("FileName"));
    assert_int_equal(AFN_COLUMN_LABEL, afn_manifest_column("class"));
    assert_int_equal(AFN_COLUMN_PART, afn_manifest_column("split"));
    assert_int_equal(AFN_N_COLUMNS, afn_manifest_column("width"));
    assert_int_equal(AFN_N_COLUMNS, afn_manifest_column(""));
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *root = new_tree("manifest-alloc");
    put_lines(root, "list.csv", "path,label,split\n1.png,b,train\n2.png,b,val\n");
    for (int64_t k = 1;; k++) {
        afn_data_parts p;
        afn_alloc_fail_at(k);
        const afn_status st = afn_data_open(&p, spec_of(root, "list.csv"), NULL);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            assert_true(k > 15);
            afn_data_parts_free(&p);
            return;
        }
        assert_int_equal(AFN_ENOMEM, st);
        assert_null(p.train);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_count_from_the_manifests_folder),
        cmocka_unit_test(the_third_column_makes_parts),
        cmocka_unit_test(a_class_that_training_lacks_is_named),
        cmocka_unit_test(rows_that_lack_something_are_named),
        cmocka_unit_test(names_of_columns_are_known_in_any_case),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
