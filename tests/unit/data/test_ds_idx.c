/* SPDX-License-Identifier: Apache-2.0 */
/* MNIST's files: plain, compressed, gray and in colour. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include <zlib.h>

#include "make_tree.h"

/* An IDX file whose bytes count up from `first`. */
static void make_idx(afn_buf *b, const uint32_t *dim, int n_dims, uint8_t first)
{
    const uint8_t head[4] = { 0, 0, 8, (uint8_t)n_dims };
    size_t size = 1;
    afn_buf_add(b, head, 4);
    for (int i = 0; i < n_dims; i++) {
        add_u32be(b, dim[i]);
        size *= dim[i];
    }
    for (size_t i = 0; i < size; i++) {
        const uint8_t v = (uint8_t)(first + i);
        afn_buf_add(b, &v, 1);
    }
    assert_ok(afn_buf_finish(b));
}

static void put_idx(const char *root, const char *name, const uint32_t *dim, int n_dims,
                    uint8_t first)
{
    afn_buf b = { 0 };
    make_idx(&b, dim, n_dims, first);
    put_file(root, name, b.data, b.size);
    afn_buf_free(&b);
}

static void put_packed(const char *root, const char *name, const uint32_t *dim,
                       int n_dims, uint8_t first)
{
    static uint8_t packed[4096];
    afn_buf b = { 0 };
    z_stream z = { 0 };
    make_idx(&b, dim, n_dims, first);
    assert_int_equal(
        Z_OK, deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY));
    z.next_in = (Bytef *)b.data;
    z.avail_in = (uInt)b.size;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(Z_STREAM_END, deflate(&z, Z_FINISH));
    put_file(root, name, packed, sizeof packed - z.avail_out);
    deflateEnd(&z);
    afn_buf_free(&b);
}

static const char *spec_of(const char *root, const char *below)
{
    static char spec[1300];
    snprintf(spec, sizeof spec, "idx:%s%s", root, below);
    return spec;
}

static void both_parts_are_found_plain_and_packed(void **state)
{
    (void)state;
    char root[1024];
    afn_data_parts p;
    afn_image image;
    for (int packed = 0; packed < 2; packed++) {
        snprintf(root, sizeof root, "%s", new_tree("idx"));
        put_idx(root, "train-images-idx3-ubyte", (const uint32_t[]){ 4, 2, 3 }, 3, 0);
        put_idx(root, "train-labels-idx1-ubyte", (const uint32_t[]){ 4 }, 1, 0);
        if (packed) {
            put_packed(root, "t10k-images-idx3-ubyte.gz", (const uint32_t[]){ 2, 2, 3 },
                       3, 100);
            put_packed(root, "t10k-labels-idx1-ubyte.gz", (const uint32_t[]){ 2 }, 1,
                       2);
        } else {
            put_idx(root, "t10k-images.idx3-ubyte", (const uint32_t[]){ 2, 2, 3 }, 3,
                    100);
            put_idx(root, "t10k-labels.idx1-ubyte", (const uint32_t[]){ 2 }, 1, 2);
        }
        assert_ok(afn_data_open(&p, spec_of(root, ""), NULL));
        assert_int_equal(4, afn_dataset_count(p.train));
        assert_int_equal(2, afn_dataset_count(p.val));
        assert_int_equal(4, afn_dataset_classes(p.val));
        assert_string_equal("3", afn_dataset_class_name(p.train, 3));
        assert_int_equal(3, afn_dataset_label(p.val, 1));
        assert_string_equal("train-images-idx3-ubyte image 2",
                            name_below(p.train, 2, root));
        assert_ok(afn_dataset_read(p.val, 1, NULL, &image));
        assert_int_equal(3, image.width);
        assert_int_equal(2, image.height);
        for (int i = 0; i < 18; i++) assert_int_equal(106 + i / 3, image.pixels[i]);
        afn_image_free(&image);
        afn_data_parts_free(&p);
    }
}

static void colour_is_kept(void **state)
{
    (void)state;
    char root[1024];
    afn_dataset *d;
    afn_image image;
    snprintf(root, sizeof root, "%s", new_tree("idx-colour"));
    put_idx(root, "images.idx", (const uint32_t[]){ 2, 2, 2, 3 }, 4, 0);
    put_idx(root, "labels.idx", (const uint32_t[]){ 2 }, 1, 0);
    assert_ok(afn_dataset_open(&d, spec_of(root, "/images.idx")));
    assert_ok(afn_dataset_read(d, 1, NULL, &image));
    for (int i = 0; i < 12; i++) assert_int_equal(12 + i, image.pixels[i]);
    afn_image_free(&image);
    afn_dataset_free(d);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    char root[1024];
    afn_dataset *d;
    snprintf(root, sizeof root, "%s", new_tree("idx-bad"));
    assert_fails(AFN_ENOTFOUND, "idx-bad", afn_dataset_open(&d, spec_of(root, "")));
    put_idx(root, "train-images-idx3-ubyte", (const uint32_t[]){ 4, 2, 3 }, 3, 0);
    assert_fails(AFN_ENOTFOUND, "train-labels-idx1-ubyte: cannot open",
                 afn_dataset_open(&d, spec_of(root, "")));
    put_idx(root, "train-labels-idx1-ubyte", (const uint32_t[]){ 3 }, 1, 0);
    assert_fails(AFN_EFORMAT, "train-labels-idx1-ubyte: 3 labels for 4 images",
                 afn_dataset_open(&d, spec_of(root, "")));
    put_idx(root, "train-images-idx3-ubyte", (const uint32_t[]){ 3 }, 1, 0);
    assert_fails(AFN_EFORMAT, "need (n, h, w)",
                 afn_dataset_open(&d, spec_of(root, "")));
    put_idx(root, "train-images-idx3-ubyte", (const uint32_t[]){ 3, 0, 3 }, 3, 0);
    assert_fails(AFN_EFORMAT, "3 images of 3x0",
                 afn_dataset_open(&d, spec_of(root, "")));
    put_text(root, "letters-train-images-idx3-ubyte");
    assert_fails(AFN_EINVAL, "name the one to open",
                 afn_dataset_open(&d, spec_of(root, "")));
    put_text(root, "pictures");
    assert_fails(AFN_EINVAL, "no 'images' in its name",
                 afn_dataset_open(&d, spec_of(root, "/pictures")));
    assert_null(d);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    char root[1024];
    snprintf(root, sizeof root, "%s", new_tree("idx-alloc"));
    put_packed(root, "train-images-idx3-ubyte.gz", (const uint32_t[]){ 4, 2, 3 }, 3, 0);
    put_idx(root, "train-labels-idx1-ubyte", (const uint32_t[]){ 4 }, 1, 0);
    for (int64_t k = 1;; k++) {
        afn_dataset *d;
        afn_alloc_fail_at(k);
        const afn_status st = afn_dataset_open(&d, spec_of(root, ""));
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            assert_true(k > 8);
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
        cmocka_unit_test(both_parts_are_found_plain_and_packed),
        cmocka_unit_test(colour_is_kept),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
