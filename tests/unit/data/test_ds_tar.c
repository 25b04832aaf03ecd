/* SPDX-License-Identifier: Apache-2.0 */
/* Shards: how samples are gathered, labelled and named. */
#define _GNU_SOURCE /* nftw */
#include "io/make_tar.h"

#include "make_tree.h"

/* A picture of one shade in an archive. */
static void tar_png(afn_buf *b, const char *name, uint8_t shade)
{
    afn_buf png = { 0 };
    uint8_t raw[6][9];
    memset(raw, shade, sizeof raw);
    for (int y = 0; y < 6; y++) raw[y][0] = 0;
    make_png(&png, (png_head){ 8, 6, 8, 0, 0 }, &raw[0][0], sizeof raw);
    tar_add(b, name, png.data, png.size, '0');
    afn_buf_free(&png);
}

static void put_tar(const char *root, const char *name, afn_buf *b)
{
    tar_end(b);
    put_file(root, name, b->data, b->size);
    afn_buf_free(b);
}

static const char *spec_of(const char *root, const char *below)
{
    static char spec[1300];
    snprintf(spec, sizeof spec, "tar:%s%s", root, below);
    return spec;
}

/* "name=class " of every sample. */
static const char *list(const afn_dataset *d, const char *root)
{
    static char all[4096];
    size_t at = 0;
    all[0] = 0;
    for (int64_t i = 0; i < afn_dataset_count(d); i++)
        at += (size_t)snprintf(all + at, sizeof all - at, "%s=%s ",
                               name_below(d, i, root),
                               afn_dataset_class_name(d, afn_dataset_label(d, i)));
    return all;
}

static void labels_come_from_cls_json_or_the_folder(void **state)
{
    (void)state;
    char root[1024];
    afn_dataset *d;
    afn_image image;
    afn_buf b = { 0 };
    snprintf(root, sizeof root, "%s", new_tree("tar-labels"));
    tar_text(&b, "0001.cls", " dog\n");
    tar_png(&b, "0001.png", 1);
    tar_png(&b, "0002.png", 2);
    tar_text(&b, "0002.json", "{\"width\": 8, \"label\": \"cat\"}");
    tar_text(&b, "0003.json", "{\"label\": \"cat\"}"); /* .cls counts first */
    tar_png(&b, "0003.PNG", 3);
    tar_text(&b, "0003.cls", "bird");
    tar_text(&b, "README.md", "nothing of a sample");
    tar_png(&b, "fish/0004.png", 4);
    tar_png(&b, "./fish/holiday.1.png", 5); /* one key, no label: two samples */
    tar_png(&b, "./fish/holiday.2.png", 6);
    tar_png(&b, "fish/._0005.png", 9);
    put_tar(root, "s.tar", &b);
    assert_ok(afn_dataset_open(&d, spec_of(root, "/s.tar")));
    assert_string_equal("s.tar:0001.png=dog s.tar:0002.png=cat s.tar:0003.PNG=bird "
                        "s.tar:fish/0004.png=fish s.tar:./fish/holiday.1.png=fish "
                        "s.tar:./fish/holiday.2.png=fish ",
                        list(d, root));
    for (int i = 0; i < 6; i++) {
        assert_ok(afn_dataset_read(d, i, NULL, &image));
        assert_int_equal(i + 1, image.pixels[0]);
        afn_image_free(&image);
    }
    afn_dataset_free(d);
}

static void several_shards_are_one_set_and_may_be_parts(void **state)
{
    (void)state;
    char root[1024], name[64], file[64];
    afn_data_parts p;
    afn_dataset *d;
    snprintf(root, sizeof root, "%s", new_tree("tar-shards"));
    for (int k = 0; k < 3; k++) {
        afn_buf b = { 0 };
        for (int i = 0; i < 2; i++) {
            snprintf(name, sizeof name, "%d.png", i);
            tar_png(&b, name, (uint8_t)(10 * k + i));
            snprintf(name, sizeof name, "%d.cls", i);
            tar_text(&b, name, i ? "10" : "9");
        }
        snprintf(file, sizeof file, k < 2 ? "train-%02d.tar" : "val-%02d.tar", k % 2);
        put_tar(root, file, &b);
    }
    assert_ok(afn_data_open(&p, spec_of(root, ""), NULL));
    assert_int_equal(4, afn_dataset_count(p.train));
    assert_int_equal(2, afn_dataset_count(p.val));
    assert_string_equal("val-00.tar:0.png=9 val-00.tar:1.png=10 ", list(p.val, root));
    afn_data_parts_free(&p);
    assert_ok(afn_dataset_open(&d, spec_of(root, "/train-{00..01}.tar")));
    assert_string_equal("train-00.tar:0.png=9 train-00.tar:1.png=10 "
                        "train-01.tar:0.png=9 train-01.tar:1.png=10 ",
                        list(d, root));
    afn_dataset_free(d);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    char root[1024];
    afn_dataset *d;
    afn_buf b = { 0 };
    snprintf(root, sizeof root, "%s", new_tree("tar-bad"));
    assert_fails(AFN_ENOTFOUND, "a.tar: cannot open",
                 afn_dataset_open(&d, spec_of(root, "/a.tar")));
    tar_png(&b, "0001.png", 1);
    put_tar(root, "a.tar", &b);
    assert_fails(AFN_EFORMAT,
                 "a.tar: 0001: no label: neither .cls nor .json nor a folder",
                 afn_dataset_open(&d, spec_of(root, "/a.tar")));
    tar_text(&b, "0001.cls", "a\nb");
    put_tar(root, "a.tar", &b);
    assert_fails(AFN_EFORMAT, "a.tar: 0001.cls: need one line",
                 afn_dataset_open(&d, spec_of(root, "/a.tar")));
    tar_text(&b, "0001.json", "{");
    put_tar(root, "a.tar", &b);
    assert_fails(AFN_EFORMAT,
                 "a.tar: 0001.json: ", afn_dataset_open(&d, spec_of(root, "/a.tar")));
    put_tar(root, "a.tar", &b);
    assert_fails(AFN_EFORMAT, "has no images",
                 afn_dataset_open(&d, spec_of(root, "/a.tar")));
    put_text(root, "a.tar");
    assert_fails(AFN_EFORMAT, "a.tar: cut off in a header",
                 afn_dataset_open(&d, spec_of(root, "/a.tar")));
    assert_null(d);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    char root[1024];
    afn_buf b = { 0 };
    snprintf(root, sizeof root, "%s", new_tree("tar-alloc"));
    tar_png(&b, "0001.png", 1);
    tar_text(&b, "0001.json", "{\"label\": 3}");
    tar_png(&b, "x/0002.png", 1);
    put_tar(root, "train.tar", &b);
    for (int64_t k = 1;; k++) {
        afn_dataset *d;
        afn_alloc_fail_at(k);
        const afn_status st = afn_dataset_open(&d, spec_of(root, ""));
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            assert_true(k > 15);
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
        cmocka_unit_test(labels_come_from_cls_json_or_the_folder),
        cmocka_unit_test(several_shards_are_one_set_and_may_be_parts),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
