/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of pictures, from their headers. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "make_tree.h"

static void least_middle_and_most_are_found(void **state)
{
    (void)state;
    afn_dataset *d;
    afn_picture_sizes z;
    const char *root = new_tree("sizes");
    put_png(root, "a/1.png", 1); /* 8 x 6 */
    put_jpeg(root, "a/2.jpg");   /* 9 x 7 */
    put_jpeg(root, "b/1.jpg");
    put_text(root, "b/2.jpg");
    assert_ok(afn_dataset_open(&d, root));
    assert_ok(afn_dataset_sizes(&z, d, 100));
    assert_int_equal(z.pictures, 3);
    assert_int_equal(z.width[0], 8);
    assert_int_equal(z.height[0], 6);
    assert_int_equal(z.width[1], 9);
    assert_int_equal(z.height[2], 7);
    assert_ok(afn_dataset_sizes(&z, d, 1));
    assert_int_equal(z.pictures, 1);
    assert_int_equal(z.width[2], 8);
    afn_dataset_free(d);
}

static void images_that_are_drawn_have_none(void **state)
{
    (void)state;
    afn_dataset *d;
    afn_picture_sizes z;
    assert_ok(afn_dataset_open(&d, "fake:size=5"));
    assert_ok(afn_dataset_sizes(&z, d, 100));
    assert_int_equal(z.pictures, 0);
    afn_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_middle_and_most_are_found),
        cmocka_unit_test(images_that_are_drawn_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
