/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of classes, counted and read. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "make_tree.h"

/* Classes a, b, c with 6, 2 and 1 images. */
static afn_dataset *uneven_set(const char *name, char root[1024])
{
    char file[32];
    afn_dataset *d;
    snprintf(root, 1024, "%s", new_tree(name));
    for (int i = 0; i < 6; i++) {
        snprintf(file, sizeof file, "a/%d.png", i);
        put_text(root, file);
    }
    put_text(root, "b/0.png");
    put_text(root, "b/1.png");
    put_text(root, "c/0.png");
    assert_ok(afn_dataset_open(&d, root));
    return d;
}

static void rare_classes_weigh_more(void **state)
{
    (void)state;
    char root[1024];
    float w[3];
    afn_dataset *d = uneven_set("weights-balanced", root);
    afn_class_weights_balanced(w, d); /* sklearn: n / (classes * count) */
    assert_float_equal(w[0], 0.5, 1e-7);
    assert_float_equal(w[1], 1.5, 1e-7);
    assert_float_equal(w[2], 3.0, 1e-7);
    afn_dataset_free(d);
}

static void a_file_names_every_class_once(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message; /* NULL = it is good */
        afn_status st;
    } row[] = {
        { "c,3\na,0.5\nb,0\n", NULL, AFN_OK },
        { "class,weight\na,0.5\nb,0\nc,3e0\n", NULL, AFN_OK },
        { "a,0.5\nb,0\n", "w.csv: has no weight for class 'c'", AFN_EINVAL },
        { "a,1\na,1\n", "w.csv: line 2: class 'a' comes twice", AFN_EINVAL },
        { "a,1\nz,1\n", "w.csv: line 2: class 'z' is not in the data", AFN_EINVAL },
        { "a,-1\n", "w.csv: line 1: weight '-1', need a number from 0", AFN_EFORMAT },
        { "a,nan\n", "weight 'nan'", AFN_EFORMAT },
        { "a,1x\n", "weight '1x'", AFN_EFORMAT },
        { "a\n", "line 1: 1 fields, need class and weight", AFN_EFORMAT },
    };
    char root[1024], path[1200];
    float w[3];
    afn_dataset *d = uneven_set("weights-file", root);
    snprintf(path, sizeof path, "%s/w.csv", root);
    assert_fails(AFN_ENOTFOUND, "w.csv: cannot open",
                 afn_class_weights_read(w, d, path));
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        put_file(root, "w.csv", row[i].text, strlen(row[i].text));
        if (row[i].message) {
            assert_fails(row[i].st, row[i].message, afn_class_weights_read(w, d, path));
            continue;
        }
        assert_ok(afn_class_weights_read(w, d, path));
        assert_float_equal(w[0], 0.5, 0);
        assert_float_equal(w[1], 0, 0);
        assert_float_equal(w[2], 3, 0);
    }
    afn_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rare_classes_weigh_more),
        cmocka_unit_test(a_file_names_every_class_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
