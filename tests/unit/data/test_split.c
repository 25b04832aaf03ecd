/* SPDX-License-Identifier: Apache-2.0 */
/* Training and validation parts, found or drawn. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include <math.h>

#include "make_scene.h"

static int64_t class_count(const afn_dataset *d, int label)
{
    int64_t n = 0;
    for (int64_t i = 0; i < afn_dataset_count(d); i++)
        n += afn_dataset_label(d, i) == label;
    return n;
}

/* Classes a, b, c with 10, 2 and 1 images. */
static const char *uneven_tree(const char *name)
{
    const char *root = new_tree(name);
    char file[32];
    for (int i = 0; i < 10; i++) {
        snprintf(file, sizeof file, "a/%d.png", i);
        put_png(root, file, (uint8_t)i);
    }
    put_png(root, "b/0.png", 10);
    put_png(root, "b/1.png", 11);
    put_png(root, "c/0.png", 12);
    return root;
}

static void every_class_gives_its_fraction(void **state)
{
    (void)state;
    static const struct {
        double fraction;
        int64_t a, b; /* images that go to validation */
    } row[] = { { 0.2, 2, 1 }, { 0.01, 1, 1 }, { 0.25, 3, 1 }, { 0.99, 9, 1 } };
    const char *root = uneven_tree("split-fraction");
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_dataset *train, *val;
        assert_ok(afn_dataset_open_split(&train, &val, root, row[i].fraction, 5));
        assert_int_equal(row[i].a, class_count(val, 0));
        assert_int_equal(row[i].b, class_count(val, 1));
        assert_int_equal(0, class_count(val, 2));
        assert_int_equal(10 - row[i].a, class_count(train, 0));
        assert_int_equal(2 - row[i].b, class_count(train, 1));
        assert_int_equal(1, class_count(train, 2));
        assert_int_equal(3, afn_dataset_classes(val));
        assert_string_equal("c", afn_dataset_class_name(val, 2));
        afn_dataset_free(train);
        afn_dataset_free(val);
    }
}

/* The number behind "fake sample ". */
static int64_t fake_index(const afn_dataset *d, int64_t i)
{
    char name[64];
    afn_dataset_sample_name(d, i, name, sizeof name);
    return atoll(name + strlen("fake sample "));
}

static void the_parts_share_nothing_and_miss_nothing(void **state)
{
    (void)state;
    int seen[500] = { 0 };
    afn_dataset *part[2];
    assert_ok(afn_dataset_open_split(&part[0], &part[1], "fake:size=500", 0.3, 1));
    for (int p = 0; p < 2; p++) {
        int64_t before = -1;
        for (int64_t i = 0; i < afn_dataset_count(part[p]); i++) {
            const int64_t at = fake_index(part[p], i);
            assert_true(at > before); /* the data set's order */
            before = at;
            seen[at]++;
        }
        afn_dataset_free(part[p]);
    }
    for (int i = 0; i < 500; i++) assert_int_equal(1, seen[i]);
}

static void the_seed_decides_who_goes_where(void **state)
{
    (void)state;
    static const uint64_t seed[] = { 1, 1, 2 };
    int64_t drawn[3][200];
    for (int k = 0; k < 3; k++) {
        afn_dataset *train, *val;
        assert_ok(afn_dataset_open_split(&train, &val, "fake:size=200,classes=2", 0.5,
                                         seed[k]));
        memset(drawn[k], 0, sizeof drawn[k]);
        for (int64_t i = 0; i < afn_dataset_count(val); i++)
            drawn[k][i] = fake_index(val, i);
        afn_dataset_free(val);
        afn_dataset_free(train);
    }
    assert_memory_equal(drawn[0], drawn[1], sizeof drawn[0]);
    assert_memory_not_equal(drawn[0], drawn[2], sizeof drawn[0]);
}

static void fraction_0_gives_everything_to_training(void **state)
{
    (void)state;
    afn_dataset *train, *val;
    assert_ok(afn_dataset_open_split(&train, &val, "fake:size=20", 0, 0));
    assert_int_equal(20, afn_dataset_count(train));
    assert_null(val);
    afn_dataset_free(train);
}

static void fractions_out_of_range_are_refused(void **state)
{
    (void)state;
    static const double bad[] = { -0.1, 1, 1.5, NAN, INFINITY };
    for (size_t i = 0; i < AFN_COUNT(bad); i++) {
        afn_dataset *train = (afn_dataset *)&train, *val = train;
        assert_fails(AFN_EINVAL, "validation fraction",
                     afn_dataset_open_split(&train, &val, "fake:", bad[i], 0));
        assert_null(train);
        assert_null(val);
    }
}

static void single_images_cannot_be_split(void **state)
{
    (void)state;
    afn_dataset *train, *val;
    const char *root = new_tree("split-single");
    put_png(root, "a/1.png", 1);
    put_png(root, "b/1.png", 1);
    assert_fails(AFN_EINVAL, "no class has two images",
                 afn_dataset_open_split(&train, &val, root, 0.5, 0));
    assert_null(train);
    assert_null(val);
}

static void train_and_val_folders_are_taken_as_they_are(void **state)
{
    (void)state;
    static const char *const name[] = { "val", "valid", "validation", "test" };
    for (size_t i = 0; i < AFN_COUNT(name); i++) {
        char file[64];
        afn_dataset *train, *val;
        const char *root = new_tree("split-parts");
        put_png(root, "train/a/1.png", 1);
        put_png(root, "train/b/1.png", 2);
        snprintf(file, sizeof file, "%s/a/1.png", name[i]);
        put_png(root, file, 3);
        snprintf(file, sizeof file, "%s/b/1.png", name[i]);
        put_png(root, file, 4);
        assert_ok(afn_dataset_open_split(&train, &val, root, 0, 0));
        assert_int_equal(2, afn_dataset_count(train));
        assert_int_equal(2, afn_dataset_count(val));
        assert_string_equal("train/b/1.png", name_below(train, 1, root));
        assert_string_equal(file, name_below(val, 1, root));
        afn_dataset_free(train);
        afn_dataset_free(val);
    }
}

static void val_comes_before_test(void **state)
{
    (void)state;
    afn_dataset *train, *val;
    const char *root = new_tree("split-both");
    put_png(root, "train/a/1.png", 1);
    put_png(root, "test/a/1.png", 1);
    put_png(root, "val/a/2.png", 2);
    assert_ok(afn_dataset_open_split(&train, &val, root, 0.2, 0));
    assert_string_equal("val/a/2.png", name_below(val, 0, root));
    afn_dataset_free(train);
    afn_dataset_free(val);
}

static void classes_that_val_lacks_keep_their_number(void **state)
{
    (void)state;
    afn_dataset *train, *val;
    const char *root = new_tree("split-fewer");
    put_png(root, "train/a/1.png", 1);
    put_png(root, "train/b/1.png", 2);
    put_png(root, "train/c/1.png", 3);
    put_png(root, "val/c/1.png", 4);
    assert_ok(afn_dataset_open_split(&train, &val, root, 0, 0));
    assert_int_equal(3, afn_dataset_classes(val));
    assert_int_equal(2, afn_dataset_label(val, 0));
    assert_string_equal("a", afn_dataset_class_name(val, 0));
    afn_dataset_free(train);
    afn_dataset_free(val);
}

static void a_class_that_only_val_has_is_named(void **state)
{
    (void)state;
    afn_dataset *train, *val;
    const char *root = new_tree("split-more");
    put_png(root, "train/a/1.png", 1);
    put_png(root, "val/a/1.png", 2);
    put_png(root, "val/z/1.png", 3);
    assert_fails(AFN_EINVAL, "validation images have class z, training images have not",
                 afn_dataset_open_split(&train, &val, root, 0, 0));
    assert_null(train);
    assert_null(val);
}

/* 40 scenes in two classes, each stored twice: scene s in class s % 2, but the copy of
 * every fourth one under the other class. */
static const char *doubled_tree(const char *name)
{
    const char *root = new_tree(name);
    char file[64];
    for (int s = 0; s < 40; s++) {
        snprintf(file, sizeof file, "%c/%02d.png", "ab"[s % 2], s);
        put_scene(root, file, (uint64_t)s, 48, 0);
        snprintf(file, sizeof file, "%c/%02d-copy.png", "ab"[(s + (s % 4 == 0)) % 2],
                 s);
        put_scene(root, file, (uint64_t)s, 64, 10);
    }
    return root;
}

/* Number of a scene, by its file's name. */
static int scene_of(const afn_dataset *d, int64_t i)
{
    char name[1200];
    afn_dataset_sample_name(d, i, name, sizeof name);
    return atoi(strrchr(name, '/') + 1);
}

static void near_duplicates_stay_on_one_side(void **state)
{
    (void)state;
    const char *root = doubled_tree("split-doubled");
    for (int together = 0; together < 2; together++) {
        bool torn = false, in_train[40] = { false };
        afn_data_parts p;
        afn_data_opts o = afn_data_defaults();
        o.val = 0.25;
        o.test = 0.25;
        o.together = together;
        assert_ok(afn_data_open(&p, root, &o));
        const int64_t n[] = { afn_dataset_count(p.train), afn_dataset_count(p.val),
                              afn_dataset_count(p.test) };
        assert_int_equal(80, n[0] + n[1] + n[2]);
        assert_in_range(n[1], together ? 19 : 21, 21); /* pairs may leave one over */
        assert_in_range(n[2], together ? 19 : 21, 21);
        assert_in_range(class_count(p.val, 0), 7, 8); /* of 30 */
        for (int64_t i = 0; i < n[0]; i++) in_train[scene_of(p.train, i)] = true;
        for (int64_t i = 0; i < n[1]; i++) torn |= in_train[scene_of(p.val, i)];
        for (int64_t i = 0; i < n[2]; i++) torn |= in_train[scene_of(p.test, i)];
        assert_int_equal(!together, torn);
        assert_int_equal(together ? 40 : 0, p.together);
        afn_data_parts_free(&p);
    }
}

static void without_near_duplicates_looking_changes_nothing(void **state)
{
    (void)state;
    char file[64];
    const char *root = new_tree("split-same");
    for (int s = 0; s < 30; s++) {
        snprintf(file, sizeof file, "%c/%02d.png", "ab"[s % 2], s);
        put_scene(root, file, (uint64_t)s, 48, 0);
    }
    int drawn[2][6];
    for (int together = 0; together < 2; together++) {
        afn_data_parts p;
        afn_data_opts o = afn_data_defaults();
        o.together = together;
        assert_ok(afn_data_open(&p, root, &o));
        assert_int_equal(6, afn_dataset_count(p.val));
        for (int i = 0; i < 6; i++) drawn[together][i] = scene_of(p.val, i);
        afn_data_parts_free(&p);
    }
    assert_memory_equal(drawn[0], drawn[1], sizeof drawn[0]);
}

static void count_warning(afn_log_level level, const char *line, void *user)
{
    if (level != AFN_LOG_WARNING) return;
    assert_non_null(strstr(line, ".png: not a picture"));
    assert_non_null(strstr(line, ", left out"));
    ++*(int *)user;
}

static void pictures_that_cannot_be_read_are_left_out_and_named(void **state)
{
    (void)state;
    int warnings = 0;
    afn_data_parts p;
    const char *root = uneven_tree("split-bad");
    put_text(root, "a/3.png");
    put_text(root, "b/1.png");
    afn_log_set(count_warning, &warnings);
    assert_ok(afn_data_open(&p, root, NULL));
    afn_log_set(NULL, NULL);
    assert_int_equal(2, warnings);
    assert_int_equal(2, p.bad);
    assert_int_equal(11, afn_dataset_count(p.train) + afn_dataset_count(p.val));
    assert_int_equal(2, afn_dataset_count(p.val)); /* of a; the one left of b trains */
    afn_data_parts_free(&p);

    afn_data_opts o = afn_data_defaults();
    o.strict = true;
    assert_fails(AFN_EFORMAT, "/a/3.png: not a picture", afn_data_open(&p, root, &o));
    assert_null(p.train);
    for (int i = 0; i < 10; i++) {
        char file[32];
        snprintf(file, sizeof file, "a/%d.png", i);
        put_text(root, file);
    }
    put_text(root, "b/0.png");
    put_text(root, "c/0.png");
    assert_fails(AFN_EFORMAT, "none of its 13 images can be read",
                 afn_data_open(&p, root, NULL));
}

static void a_class_of_one_scene_is_not_torn(void **state)
{
    (void)state;
    char file[64];
    afn_data_parts p;
    const char *root = new_tree("split-scene");
    for (int i = 0; i < 6; i++) {
        snprintf(file, sizeof file, "a/%d.png", i);
        put_scene(root, file, 1, 40 + i, i);
        snprintf(file, sizeof file, "b/%d.png", i);
        put_scene(root, file, (uint64_t)(10 + i), 40, 0);
    }
    assert_ok(afn_data_open(&p, root, NULL));
    assert_int_equal(0, class_count(p.val, 0));
    assert_int_equal(1, class_count(p.val, 1));
    afn_data_parts_free(&p);
}

static void note_copies(afn_log_level level, const char *line, void *user)
{
    if (level == AFN_LOG_WARNING && strstr(line, "near-duplicates of each other"))
        ++*(int *)user;
}

static void nothing_but_copies_are_parted_with_a_warning(void **state)
{
    (void)state;
    char file[64];
    int warnings = 0;
    afn_data_parts p;
    const char *root = new_tree("split-copies");
    for (int i = 0; i < 8; i++) {
        snprintf(file, sizeof file, "%c/%d.png", "ab"[i % 2], i);
        put_scene(root, file, 1, 40, 0);
    }
    afn_log_set(note_copies, &warnings);
    assert_ok(afn_data_open(&p, root, NULL));
    afn_log_set(NULL, NULL);
    assert_int_equal(1, warnings);
    assert_int_equal(2, afn_dataset_count(p.val));
    assert_int_equal(6, afn_dataset_count(p.train));
    assert_int_equal(0, p.together);
    assert_true(p.drawn);
    afn_data_parts_free(&p);
}

static void classes_may_be_numbered_as_people_count(void **state)
{
    (void)state;
    afn_data_parts p;
    afn_data_opts o = afn_data_defaults();
    const char *root = new_tree("split-natural");
    put_png(root, "train/c10/1.png", 1);
    put_png(root, "train/c9/1.png", 2);
    put_png(root, "val/c9/1.png", 3);
    for (int natural = 0; natural < 2; natural++) {
        o.order = natural ? AFN_ORDER_NATURAL : AFN_ORDER_STRING;
        assert_ok(afn_data_open(&p, root, &o));
        assert_string_equal(natural ? "c9" : "c10", afn_dataset_class_name(p.train, 0));
        assert_int_equal(natural ? 1 : 0, afn_dataset_label(p.train, natural ? 1 : 0));
        assert_int_equal(natural ? 0 : 1, afn_dataset_label(p.val, 0));
        afn_data_parts_free(&p);
    }
}

static void a_test_folder_is_a_third_part(void **state)
{
    (void)state;
    afn_data_parts p;
    const char *root = new_tree("split-test");
    put_png(root, "train/a/1.png", 1);
    put_png(root, "train/b/1.png", 1);
    put_png(root, "test/b/1.png", 1);
    put_png(root, "val/a/2.png", 2);
    assert_ok(afn_data_open(&p, root, NULL));
    assert_string_equal("test/b/1.png", name_below(p.test, 0, root));
    assert_int_equal(1, afn_dataset_label(p.test, 0));
    afn_data_parts_free(&p);
}

static void check_allocations(const char *spec, double fraction)
{
    for (int64_t k = 1;; k++) {
        afn_dataset *train, *val;
        afn_alloc_fail_at(k);
        const afn_status st = afn_dataset_open_split(&train, &val, spec, fraction, 0);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            assert_true(k > 12);
            afn_dataset_free(train);
            afn_dataset_free(val);
            return;
        }
        assert_int_equal(AFN_ENOMEM, st);
        assert_null(train);
        assert_null(val);
    }
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *root = new_tree("split-alloc");
    put_png(root, "train/a/1.png", 1);
    put_png(root, "train/b/1.png", 2);
    put_png(root, "val/b/1.png", 3);
    check_allocations(root, 0);
    check_allocations("fake:size=30", 0.3);
    root = new_tree("split-alloc-drawn");
    put_scene(root, "a/1.png", 1, 20, 0);
    put_scene(root, "a/2.png", 2, 20, 0);
    check_allocations(root, 0.3);
}

static void the_flowers_come_in_two_parts(void **state)
{
    (void)state;
    afn_dataset *train, *val;
    const char *root = shared_data("flowers5");
    if (!root) skip();
    assert_ok(afn_dataset_open_split(&train, &val, root, 0.2, 0));
    assert_int_equal(500, afn_dataset_count(train));
    assert_int_equal(200, afn_dataset_count(val));
    afn_dataset_free(train);
    afn_dataset_free(val);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_gives_its_fraction),
        cmocka_unit_test(the_parts_share_nothing_and_miss_nothing),
        cmocka_unit_test(the_seed_decides_who_goes_where),
        cmocka_unit_test(fraction_0_gives_everything_to_training),
        cmocka_unit_test(fractions_out_of_range_are_refused),
        cmocka_unit_test(single_images_cannot_be_split),
        cmocka_unit_test(train_and_val_folders_are_taken_as_they_are),
        cmocka_unit_test(val_comes_before_test),
        cmocka_unit_test(classes_that_val_lacks_keep_their_number),
        cmocka_unit_test(a_class_that_only_val_has_is_named),
        cmocka_unit_test(near_duplicates_stay_on_one_side),
        cmocka_unit_test(without_near_duplicates_looking_changes_nothing),
        cmocka_unit_test(pictures_that_cannot_be_read_are_left_out_and_named),
        cmocka_unit_test(a_class_of_one_scene_is_not_torn),
        cmocka_unit_test(nothing_but_copies_are_parted_with_a_warning),
        cmocka_unit_test(classes_may_be_numbered_as_people_count),
        cmocka_unit_test(a_test_folder_is_a_third_part),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(the_flowers_come_in_two_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
