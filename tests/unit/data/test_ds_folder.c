/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of images: which files count, in which order, and what is said where the
 * folder is not as it should be.  check_data.py compares with torchvision itself. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "make_tree.h"

static void check_names(const afn_dataset *d, const char *root, const char *const *want,
                        int64_t n)
{
    assert_int_equal(n, afn_dataset_count(d));
    for (int64_t i = 0; i < n; i++)
        assert_string_equal(want[i], name_below(d, i, root));
}

static void samples_are_in_torchvisions_order(void **state)
{
    (void)state;
    static const char *const file[] = { /* as sorted(os.walk()) gives them */
                                        "B/Z.png",     "B/a.png",     "a/2.png",
                                        "a/b/1.png",   "a/b-c/1.png", "a/b-c/d/1.png",
                                        "a/b/a/1.png", "a-b/1.png",   "\xc3\xa9/1.png"
    };
    static const char *const want[] = {
        "B/Z.png",       "B/a.png",     "a/2.png",   "a/b/1.png",     "a/b-c/1.png",
        "a/b-c/d/1.png", "a/b/a/1.png", "a-b/1.png", "\xc3\xa9/1.png"
    };
    static const int label[] = { 0, 0, 1, 1, 1, 1, 1, 2, 3 };
    afn_dataset *d;
    const char *root = new_tree("folder-order");
    for (size_t i = AFN_COUNT(file); i-- > 0;) put_png(root, file[i], (uint8_t)i);
    assert_ok(afn_dataset_open(&d, root));
    check_names(d, root, want, AFN_COUNT(want));
    for (int i = 0; i < (int)AFN_COUNT(want); i++) {
        afn_image image;
        assert_int_equal(label[i], afn_dataset_label(d, i));
        assert_ok(afn_dataset_read(d, i, NULL, &image));
        assert_int_equal(i, image.pixels[0]);
        afn_image_free(&image);
    }
    assert_string_equal("\xc3\xa9", afn_dataset_class_name(d, 3));
    afn_dataset_free(d);
}

static void files_count_by_their_extension(void **state)
{
    (void)state;
    static const char *const file[] = { "x/1.jpg",     "x/2.JPEG", "x/3.Png",
                                        "x/4.ppm",     "x/5.bmp",  "x/6.pgm",
                                        "x/7.TIF",     "x/8.tiff", "x/9.webp",
                                        "x/notes.txt", "x/jpg",    "x/1.jpg.part",
                                        "x/1.gif" };
    afn_dataset *d;
    const char *root = new_tree("folder-extensions");
    for (size_t i = 0; i < AFN_COUNT(file); i++) put_text(root, file[i]);
    assert_ok(afn_dataset_open(&d, root));
    check_names(d, root, file, 9);
    afn_dataset_free(d);
}

static void hidden_folders_and_files_are_passed_over(void **state)
{
    (void)state;
    static const char *const want[] = { "cat/1.png" };
    afn_dataset *d;
    const char *root = new_tree("folder-hidden");
    put_png(root, "cat/1.png", 1);
    put_png(root, "cat/._1.png", 1);
    put_png(root, "cat/.cache/2.png", 1);
    put_png(root, ".ipynb_checkpoints/3.png", 1);
    assert_ok(afn_dataset_open(&d, root));
    assert_int_equal(1, afn_dataset_classes(d));
    check_names(d, root, want, 1);
    afn_dataset_free(d);
}

static void links_are_followed_and_broken_ones_passed_over(void **state)
{
    (void)state;
    static const char *const want[] = { "cat/1.png", "cat/also.png", "cat/more/2.png" };
    char from[1200], to[1200];
    afn_dataset *d;
    char root[1024], other[1024];
    snprintf(other, sizeof other, "%s", new_tree("folder-elsewhere"));
    snprintf(root, sizeof root, "%s", new_tree("folder-links"));
    put_png(other, "2.png", 2);
    put_png(root, "cat/1.png", 1);
    snprintf(to, sizeof to, "%s/cat/more", root);
    assert_int_equal(0, symlink(other, to));
    snprintf(to, sizeof to, "%s/cat/also.png", root);
    snprintf(from, sizeof from, "%s/2.png", other);
    assert_int_equal(0, symlink(from, to));
    snprintf(to, sizeof to, "%s/cat/broken.png", root);
    assert_int_equal(0, symlink("nowhere", to));
    assert_ok(afn_dataset_open(&d, root));
    check_names(d, root, want, 3);
    afn_dataset_free(d);
}

static void a_link_that_leads_back_is_an_error(void **state)
{
    (void)state;
    char link[1200];
    afn_dataset *d;
    const char *root = new_tree("folder-loop");
    put_png(root, "cat/1.png", 1);
    snprintf(link, sizeof link, "%s/cat/again", root);
    assert_int_equal(0, symlink(".", link));
    assert_fails(AFN_EFORMAT, "does a link lead back", afn_dataset_open(&d, root));
}

static void a_class_without_images_is_named(void **state)
{
    (void)state;
    afn_dataset *d;
    const char *root = new_tree("folder-empty-class");
    put_png(root, "cat/1.png", 1);
    put_text(root, "dog/readme.txt");
    assert_fails(AFN_EFORMAT, "folder-empty-class", afn_dataset_open(&d, root));
    assert_fails(AFN_EFORMAT, "class dog has no images (.jpg",
                 afn_dataset_open(&d, root));
    assert_null(d);
}

static void a_folder_without_classes_is_explained(void **state)
{
    (void)state;
    afn_dataset *d;
    const char *root = new_tree("folder-flat");
    assert_fails(AFN_EFORMAT, "no class folders, need one folder per class",
                 afn_dataset_open(&d, root));
    put_png(root, "1.png", 1);
    assert_fails(AFN_EFORMAT, "no class folders, its images lie side by side",
                 afn_dataset_open(&d, root));
}

static void a_file_and_a_missing_folder_are_told_apart(void **state)
{
    (void)state;
    char path[1200];
    afn_dataset *d;
    const char *root = new_tree("folder-file");
    put_png(root, "1.png", 1);
    snprintf(path, sizeof path, "%s/1.png", root);
    assert_fails(AFN_EFORMAT, "1.png: is a file, need a folder with",
                 afn_dataset_open(&d, path));
    snprintf(path, sizeof path, "%s/2", root);
    assert_fails(AFN_ENOTFOUND, "/2: cannot open: no such file or folder",
                 afn_dataset_open(&d, path));
}

static void a_folder_of_parts_is_not_taken_for_classes(void **state)
{
    (void)state;
    afn_dataset *d;
    const char *root = new_tree("folder-parts");
    put_png(root, "train/cat/1.png", 1);
    assert_fails(AFN_EFORMAT, "/train", afn_dataset_open(&d, root));
    put_png(root, "val/cat/1.png", 1);
    assert_fails(AFN_EFORMAT, "has the parts of a data set",
                 afn_dataset_open(&d, root));
    put_png(root, "bus/1.png", 1); /* with others beside it, train is a class */
    assert_ok(afn_dataset_open(&d, root));
    assert_int_equal(3, afn_dataset_classes(d));
    afn_dataset_free(d);
}

static void a_bad_file_is_named_when_it_is_read(void **state)
{
    (void)state;
    afn_dataset *d;
    afn_image image;
    const char *root = new_tree("folder-bad");
    put_text(root, "cat/1.jpg");
    put_jpeg(root, "cat/2.jpg");
    assert_ok(afn_dataset_open(&d, root));
    assert_int_equal(AFN_EFORMAT, afn_dataset_read(d, 0, NULL, &image));
    assert_memory_equal(root, afn_error_message(), strlen(root));
    assert_non_null(strstr(afn_error_message(), "/cat/1.jpg: "));
    assert_null(image.pixels);
    assert_ok(afn_dataset_read(d, 1, NULL, &image));
    assert_int_equal(9, image.width);
    afn_image_free(&image);
    afn_dataset_free(d);
}

static void a_closing_slash_is_not_doubled(void **state)
{
    (void)state;
    char path[1200], name[1200];
    afn_dataset *d;
    const char *root = new_tree("folder-slash");
    put_png(root, "cat/1.png", 1);
    snprintf(path, sizeof path, "%s/", root);
    assert_ok(afn_dataset_open(&d, path));
    afn_dataset_sample_name(d, 0, name, sizeof name);
    assert_null(strstr(name, "//"));
    afn_dataset_free(d);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *root = new_tree("folder-alloc");
    put_png(root, "cat/1.png", 1);
    put_png(root, "cat/deep/2.png", 2);
    put_png(root, "dog/1.png", 3);
    for (int64_t k = 1;; k++) {
        afn_dataset *d;
        afn_alloc_fail_at(k);
        const afn_status st = afn_dataset_open(&d, root);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            assert_true(k > 15);
            assert_int_equal(3, afn_dataset_count(d));
            afn_dataset_free(d);
            return;
        }
        assert_int_equal(AFN_ENOMEM, st);
        assert_null(d);
    }
}

/* Under a sanitizer fewer: making them takes most of a minute there. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { CLASSES = 20, EACH = 100 };
#else
enum { CLASSES = 20, EACH = 5000 };
#endif

static void a_hundred_thousand_files_take_little(void **state)
{
    (void)state;
    char path[1200], root[1024];
    afn_dataset *d;
    snprintf(root, sizeof root, "%s", new_tree("folder-many"));
    for (int c = 0; c < CLASSES; c++) {
        snprintf(path, sizeof path, "%s/class_%02d", root, c);
        assert_ok(afn_make_dirs(path));
        for (int i = 0; i < EACH; i++) {
            snprintf(path, sizeof path, "%s/class_%02d/photo_%06d.jpg", root, c, i);
            FILE *f = fopen(path, "w");
            assert_non_null(f);
            fclose(f);
        }
    }
    const size_t before = afn_peak_rss_bytes();
    const double start = afn_now_s();
    assert_ok(afn_dataset_open(&d, root));
    assert_true(afn_now_s() - start < 10); /* 0.04 s on a quiet machine */
    assert_true(afn_peak_rss_bytes() - before < 100000000); /* 5 MB */
    assert_int_equal(CLASSES * EACH, afn_dataset_count(d));
    snprintf(path, sizeof path, "class_%02d/photo_%06d.jpg", CLASSES - 1, EACH - 1);
    assert_string_equal(path, name_below(d, CLASSES * EACH - 1, root));
    afn_dataset_free(d);
    assert_int_equal(0, nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS));
}

static void the_flowers_have_five_classes(void **state)
{
    (void)state;
    afn_dataset *d;
    const char *root = shared_data("flowers5/train");
    if (!root) skip();
    assert_ok(afn_dataset_open(&d, root));
    assert_int_equal(500, afn_dataset_count(d));
    assert_int_equal(5, afn_dataset_classes(d));
    assert_string_equal("daisy", afn_dataset_class_name(d, 0));
    assert_string_equal("tulips", afn_dataset_class_name(d, 4));
    afn_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_in_torchvisions_order),
        cmocka_unit_test(files_count_by_their_extension),
        cmocka_unit_test(hidden_folders_and_files_are_passed_over),
        cmocka_unit_test(links_are_followed_and_broken_ones_passed_over),
        cmocka_unit_test(a_link_that_leads_back_is_an_error),
        cmocka_unit_test(a_class_without_images_is_named),
        cmocka_unit_test(a_folder_without_classes_is_explained),
        cmocka_unit_test(a_file_and_a_missing_folder_are_told_apart),
        cmocka_unit_test(a_folder_of_parts_is_not_taken_for_classes),
        cmocka_unit_test(a_bad_file_is_named_when_it_is_read),
        cmocka_unit_test(a_closing_slash_is_not_doubled),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(a_hundred_thousand_files_take_little),
        cmocka_unit_test(the_flowers_have_five_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
