/* SPDX-License-Identifier: Apache-2.0 */
/* The report on a data set: everything that is planted is found, and nothing else. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "afina/check.h"
#include "make_scene.h"

/* A picture of another kind than 8-bit RGB. */
static void put_odd_png(const char *root, const char *name, uint8_t depth,
                        uint8_t colour)
{
    enum { SIDE = 40 };
    static const int channels[] = { 1, 0, 3, 1, 2, 0, 4 };
    afn_buf png = { 0 }, raw = { 0 };
    afn_rng rng = afn_rng_new(depth * 10u + colour, afn_rng_stream(AFN_RNG_TEST, 9, 0));
    for (int y = 0; y < SIDE; y++) {
        afn_buf_add(&raw, "", 1);
        for (int x = 0; x < SIDE * channels[colour] * depth / 8; x++) {
            const uint8_t v = (uint8_t)afn_rng_below(&rng, 256);
            afn_buf_add(&raw, &v, 1);
        }
    }
    make_png(&png, (png_head){ SIDE, SIDE, depth, colour, 0 },
             (const uint8_t *)raw.data, raw.size);
    put_file(root, name, png.data, png.size);
    afn_buf_free(&raw);
    afn_buf_free(&png);
}

static const char *planted_tree(const char *name)
{
    const char *root = new_tree(name);
    char file[64];
    for (int s = 0; s < 12; s++) {
        snprintf(file, sizeof file, "%s/%c/%02d.png", s < 8 ? "train" : "val",
                 "ab"[s % 2], s);
        put_scene(root, file, (uint64_t)s, 48, 0);
    }
    put_scene(root, "train/a/00-again.png", 0, 48, 0); /* the same bytes */
    put_scene(root, "val/b/01-small.png", 1, 40, 15);  /* alike, in another part */
    put_scene(root, "train/a/03-other.png", 3, 48, 0); /* under another label */
    put_text(root, "train/a/bad.png");
    put_text(root, "train/b/bad.png"); /* bad files are no copies */
    put_png(root, "train/b/tiny.png", 3);
    put_odd_png(root, "val/a/deep.png", 16, 2);
    put_odd_png(root, "val/a/alpha.png", 8, 6);
    return root;
}

static const afn_checked *find(const afn_check *c, const afn_data_parts *p,
                               const char *end)
{
    const afn_dataset *const part[] = { p->train, p->val, p->test };
    for (int64_t i = 0; i < c->count; i++) {
        char name[1200];
        afn_dataset_sample_name(part[c->sample[i].part], c->sample[i].index, name,
                                sizeof name);
        if (afn_ends_with_nocase(name, end)) return &c->sample[i];
    }
    fail_msg("%s is not in the report", end);
    return NULL;
}

static void all_that_is_planted_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        unsigned found; /* without gray, which all scenes are */
    } row[] = {
        { "train/a/02.png", 0 },
        { "train/a/00.png", 1u << AFN_FOUND_SAME },
        { "train/a/00-again.png", 1u << AFN_FOUND_SAME },
        { "train/b/01.png", 1u << AFN_FOUND_ALIKE | 1u << AFN_FOUND_ACROSS },
        { "val/b/01-small.png", 1u << AFN_FOUND_ALIKE | 1u << AFN_FOUND_ACROSS },
        { "train/b/03.png", 1u << AFN_FOUND_SAME | 1u << AFN_FOUND_LABELS },
        { "train/a/03-other.png", 1u << AFN_FOUND_SAME | 1u << AFN_FOUND_LABELS },
        { "train/a/bad.png", 1u << AFN_FOUND_BAD },
        { "train/b/bad.png", 1u << AFN_FOUND_BAD },
        { "train/b/tiny.png", 1u << AFN_FOUND_TINY },
        { "val/a/deep.png", 1u << AFN_FOUND_DEEP },
        { "val/a/alpha.png", 1u << AFN_FOUND_ALPHA },
    };
    afn_data_parts p;
    afn_check c;
    const char *root = planted_tree("check");
    assert_ok(afn_data_open(&p, root, NULL));
    assert_ok(afn_check_data(&c, &p, NULL));
    assert_int_equal(20, c.count);
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        const afn_checked *s = find(&c, &p, row[i].file);
        assert_int_equal(row[i].found, s->found & ~(1u << AFN_FOUND_GRAY));
    }
    assert_non_null(strstr(find(&c, &p, "train/a/bad.png")->why, "not a picture"));
    assert_ptr_equal(&c.sample[find(&c, &p, "val/b/01-small.png")->alike],
                     find(&c, &p, "train/b/01.png"));
    assert_int_equal(8, find(&c, &p, "train/b/tiny.png")->width);
    assert_int_equal(2, c.found[AFN_FOUND_BAD]);
    assert_int_equal(4, c.found[AFN_FOUND_SAME]);
    assert_int_equal(2, c.found[AFN_FOUND_ALIKE]);
    assert_int_equal(2, c.found[AFN_FOUND_ACROSS]);
    assert_int_equal(2, c.found[AFN_FOUND_LABELS]);
    assert_int_equal(0, c.found[AFN_FOUND_SUSPECT]);
    assert_int_equal(16, c.found[AFN_FOUND_GRAY]);
    afn_check_free(&c);
    afn_data_parts_free(&p);
}

static void bare_pixels_are_never_tiny(void **state)
{
    (void)state;
    afn_data_parts p;
    afn_check c;
    assert_ok(afn_data_open(&p, "fake:size=30,height=8,width=8", NULL));
    assert_ok(afn_check_data(&c, &p, NULL));
    assert_int_equal(30, c.count);
    for (int f = 0; f < AFN_N_FINDINGS; f++) assert_int_equal(0, c.found[f]);
    afn_check_free(&c);
    afn_data_parts_free(&p);
}

static void findings_have_names(void **state)
{
    (void)state;
    for (int f = 0; f < AFN_N_FINDINGS; f++)
        for (int k = 0; k < f; k++)
            assert_string_not_equal(afn_finding_name((afn_finding)f),
                                    afn_finding_name((afn_finding)k));
    assert_string_equal("?", afn_finding_name(AFN_N_FINDINGS));
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    afn_data_parts p = { 0 };
    const char *root = new_tree("check-alloc");
    put_scene(root, "a/1.png", 1, 20, 0);
    put_scene(root, "a/2.png", 1, 20, 0);
    put_text(root, "a/3.png");
    assert_ok(afn_dataset_open(&p.train, root));
    for (int64_t k = 1;; k++) {
        afn_check c;
        const afn_check_opts o = { .threads = 1 };
        afn_alloc_fail_at(k);
        const afn_status st = afn_check_data(&c, &p, &o);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            assert_true(k > 10);
            afn_check_free(&c);
            break;
        }
        assert_int_equal(AFN_ENOMEM, st);
        assert_null(c.sample);
    }
    afn_data_parts_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_planted_is_found),
        cmocka_unit_test(bare_pixels_are_never_tiny),
        cmocka_unit_test(findings_have_names),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
