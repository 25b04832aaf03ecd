/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures without labels: from files and from memory, in the order that was given. */
#include "afn_test.h"

#include "data/data.h"

/* A picture of 2x1 pixels. */
static const char ppm[] = "P6 2 1 255\n\x10\x20\x30\x40\x50\x60";
enum { PPM_BYTES = sizeof ppm - 1 };

static void bytes_and_files_are_read_in_order(void **state)
{
    (void)state;
    afn_dataset *d;
    afn_image image;
    char name[32] = "first";
    const afn_picture picture[] = { { .name = name, .bytes = ppm, .size = PPM_BYTES },
                                    { .name = "/nowhere/x.jpg" } };
    assert_ok(afn_dataset_of_pictures(&d, picture, 2));
    memset(name, 'x', 5); /* names are copied */
    assert_int_equal(afn_dataset_count(d), 2);
    assert_int_equal(afn_dataset_classes(d), 1);
    assert_string_equal(afn_dataset_sample_name(d, 0, name, sizeof name), "first");
    assert_ok(afn_dataset_read(d, 0, NULL, &image));
    assert_int_equal(image.width, 2);
    assert_int_equal(image.pixels[5], 0x60);
    afn_image_free(&image);
    assert_fails(AFN_ENOTFOUND, "/nowhere/x.jpg: cannot open: no such file or folder",
                 afn_dataset_read(d, 1, NULL, &image));
    afn_dataset_free(d);
}

static void the_loader_leaves_out_what_cannot_be_read(void **state)
{
    (void)state;
    afn_dataset *d;
    afn_loader *l;
    afn_batch b;
    const afn_preprocess p = { .crop = 2, .std = { 1, 1, 1 } };
    afn_loader_opts o = afn_loader_defaults();
    const afn_picture picture[] = { { .name = "a", .bytes = "text", .size = 4 },
                                    { .name = "b", .bytes = ppm, .size = PPM_BYTES },
                                    { .name = "c", .bytes = ppm, .size = 3 } };
    o.shuffle = false;
    assert_ok(afn_dataset_of_pictures(&d, picture, 3));
    assert_ok(afn_loader_new(&l, d, &p, &o));
    assert_ok(afn_loader_start(l, 0));
    assert_ok(afn_loader_next(l, &b));
    assert_int_equal(b.n, 1);
    assert_int_equal(b.index[0], 1);
    assert_int_equal(afn_loader_bad(l), 2);
    afn_loader_free(l);
    afn_dataset_free(d);
}

static void no_pictures_are_a_set_too_and_a_negative_number_is_not(void **state)
{
    (void)state;
    afn_dataset *d;
    assert_ok(afn_dataset_of_pictures(&d, NULL, 0));
    assert_int_equal(afn_dataset_count(d), 0);
    afn_dataset_free(d);
    assert_fails(AFN_EINVAL, "-1 pictures", afn_dataset_of_pictures(&d, NULL, -1));
    assert_null(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_files_are_read_in_order),
        cmocka_unit_test(the_loader_leaves_out_what_cannot_be_read),
        cmocka_unit_test(no_pictures_are_a_set_too_and_a_negative_number_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
