/* SPDX-License-Identifier: Apache-2.0 */
/* CIFAR's binary files. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "make_tree.h"

enum { PIXELS = 3072 };

/* Records of one image each value of which tells its plane and place. */
static void put_batch(const char *root, const char *name, const uint8_t *label, int n,
                      size_t label_bytes)
{
    afn_buf b = { 0 };
    uint8_t pixels[PIXELS];
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < PIXELS; k++)
            pixels[k] = (uint8_t)(k / 1024 * 50 + k % 7 + i);
        for (size_t j = 0; j + 1 < label_bytes; j++) afn_buf_add(&b, "\x13", 1);
        afn_buf_add(&b, &label[i], 1);
        afn_buf_add(&b, pixels, PIXELS);
    }
    assert_ok(afn_buf_finish(&b));
    put_file(root, name, b.data, b.size);
    afn_buf_free(&b);
}

static const char *spec_of(const char *kind, const char *root, const char *below)
{
    static char spec[1300];
    snprintf(spec, sizeof spec, "%s:%s%s", kind, root, below);
    return spec;
}

static void a_folder_has_training_and_test_images(void **state)
{
    (void)state;
    static const uint8_t label[] = { 3, 9, 0 };
    char root[1024];
    afn_data_parts p;
    afn_image image;
    snprintf(root, sizeof root, "%s", new_tree("cifar10"));
    put_batch(root, "cifar-10-batches-bin/data_batch_1.bin", label, 3, 1);
    put_batch(root, "cifar-10-batches-bin/data_batch_2.bin", label + 1, 2, 1);
    put_batch(root, "cifar-10-batches-bin/test_batch.bin", label, 1, 1);
    assert_ok(afn_data_open(&p, spec_of("cifar10", root, ""), NULL));
    assert_int_equal(5, afn_dataset_count(p.train));
    assert_int_equal(1, afn_dataset_count(p.val));
    assert_int_equal(10, afn_dataset_classes(p.train));
    assert_string_equal("cat",
                        afn_dataset_class_name(p.train, afn_dataset_label(p.train, 0)));
    assert_int_equal(9, afn_dataset_label(p.train, 3));
    assert_string_equal("cifar-10-batches-bin/data_batch_2.bin image 1",
                        name_below(p.train, 4, root));
    assert_ok(afn_dataset_read(p.train, 4, NULL, &image));
    assert_int_equal(32, image.width);
    assert_int_equal(32, image.height);
    for (int k = 0; k < 1024; k++)
        for (int c = 0; c < 3; c++)
            assert_int_equal(c * 50 + (c * 1024 + k) % 7 + 1, image.pixels[3 * k + c]);
    afn_image_free(&image);
    afn_data_parts_free(&p);
}

static void the_fine_label_of_cifar100_counts(void **state)
{
    (void)state;
    static const uint8_t label[] = { 99, 0 };
    char root[1024], names[1024] = "";
    afn_dataset *d;
    snprintf(root, sizeof root, "%s", new_tree("cifar100"));
    put_batch(root, "train.bin", label, 2, 2);
    assert_ok(afn_dataset_open(&d, spec_of("cifar100", root, "")));
    assert_int_equal(100, afn_dataset_classes(d));
    assert_int_equal(99, afn_dataset_label(d, 0));
    assert_string_equal("99", afn_dataset_class_name(d, 99));
    afn_dataset_free(d);

    for (int i = 0; i < 100; i++)
        snprintf(names + strlen(names), 8, "n%d%s\n", i, i % 2 ? "\r" : "");
    put_file(root, "fine_label_names.txt", names, strlen(names));
    assert_ok(afn_dataset_open(&d, spec_of("cifar100", root, "/train.bin")));
    assert_string_equal("n99", afn_dataset_class_name(d, 99));
    afn_dataset_free(d);
}

static void damage_is_named(void **state)
{
    (void)state;
    static const uint8_t label[] = { 10 };
    char root[1024];
    afn_dataset *d;
    snprintf(root, sizeof root, "%s", new_tree("cifar-bad"));
    assert_fails(AFN_ENOTFOUND, "no data_batch_1.bin in it",
                 afn_dataset_open(&d, spec_of("cifar10", root, "")));
    assert_fails(AFN_ENOTFOUND, "none: cannot open",
                 afn_dataset_open(&d, spec_of("cifar10", root, "/none")));
    put_text(root, "cifar-10-batches-py/data_batch_1");
    assert_fails(AFN_EUNSUPPORTED, "need the binary version",
                 afn_dataset_open(&d, spec_of("cifar10", root, "")));
    put_text(root, "data_batch_1.bin");
    assert_fails(AFN_EFORMAT, "data_batch_1.bin: 13 bytes, need a multiple of 3073",
                 afn_dataset_open(&d, spec_of("cifar10", root, "")));
    put_batch(root, "data_batch_1.bin", label, 1, 1);
    assert_fails(AFN_EFORMAT, "image 0 has label 10, need below 10",
                 afn_dataset_open(&d, spec_of("cifar10", root, "")));
    put_batch(root, "data_batch_1.bin", (const uint8_t[]){ 1 }, 1, 1);
    put_text(root, "batches.meta.txt");
    assert_fails(AFN_EFORMAT, "need 10 names",
                 afn_dataset_open(&d, spec_of("cifar10", root, "")));
    assert_null(d);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    static const uint8_t label[] = { 3, 9 };
    char root[1024];
    snprintf(root, sizeof root, "%s", new_tree("cifar-alloc"));
    put_batch(root, "data_batch_1.bin", label, 2, 1);
    put_batch(root, "test_batch.bin", label, 2, 1);
    for (int64_t k = 1;; k++) {
        afn_dataset *d;
        afn_alloc_fail_at(k);
        const afn_status st = afn_dataset_open(&d, spec_of("cifar10", root, ""));
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            assert_true(k > 6);
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
        cmocka_unit_test(a_folder_has_training_and_test_images),
        cmocka_unit_test(the_fine_label_of_cifar100_counts),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
