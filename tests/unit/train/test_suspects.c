/* SPDX-License-Identifier: Apache-2.0 */
/* Labels that the pictures speak against, with a network that has seen nothing: colours
 * are told apart by any. */
#define _GNU_SOURCE /* nftw */
#include "data/make_tree.h"

#include "afina/check.h"
#include "train/train.h"

enum { N = 60, SIDE = 32 };

/* A noisy picture that is mostly of one of three colours. */
static void put_colour(const char *root, const char *name, int colour, uint32_t seed)
{
    static uint8_t raw[SIDE][1 + 3 * SIDE];
    afn_rng rng = afn_rng_new(5, afn_rng_stream(AFN_RNG_TEST, 3, seed));
    afn_buf png = { 0 };
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++)
                raw[y][1 + 3 * x + c] =
                    (uint8_t)(afn_rng_below(&rng, 80) + (c == colour ? 170 : 20));
    make_png(&png, (png_head){ SIDE, SIDE, 8, 2, 0 }, &raw[0][0], sizeof raw);
    put_file(root, name, png.data, png.size);
    afn_buf_free(&png);
}

/* Three classes of twenty; pictures 7 and 33 are in the wrong one. */
static const char *mislabelled_tree(const char *name)
{
    char file[64];
    const char *root = new_tree(name);
    for (int i = 0; i < N; i++) {
        const int colour = i / 20, wrong = i == 7 || i == 33;
        snprintf(file, sizeof file, "%s/%02d.png",
                 (const char *[]){ "blue", "green", "red" }[(colour + wrong) % 3], i);
        put_colour(root, file, colour, (uint32_t)i);
    }
    put_text(root, "red/98.png");
    return root;
}

static afn_model *small_model(const char *arch)
{
    afn_model *m;
    afn_preprocess p = afn_preprocess_imagenet();
    assert_ok(afn_model_new(&m, arch, 7, 1));
    p.resize = p.crop = SIDE;
    assert_ok(afn_model_set_preprocess(m, &p));
    return m;
}

static void wrong_labels_are_suspected_and_right_ones_not(void **state)
{
    (void)state;
    static const char *const arch[] = { "squeezenet1_1", "resnet18" };
    char root[1024];
    snprintf(root, sizeof root, "%s", mislabelled_tree("suspects"));
    for (size_t a = 0; a < AFN_COUNT(arch); a++) {
        afn_data_parts p = { 0 };
        afn_check c;
        afn_model *m = small_model(arch[a]);
        assert_ok(afn_dataset_open(&p.train, root));
        assert_ok(afn_check_data(&c, &p, NULL));
        assert_ok(afn_check_labels(&c, &p, m, NULL));
        assert_int_equal(2, c.found[AFN_FOUND_SUSPECT]);
        for (int64_t i = 0; i < c.count; i++) {
            const afn_checked *s = &c.sample[i];
            const char *name = name_below(p.train, i, root);
            const int number = atoi(strrchr(name, '/') + 1);
            const bool wrong = number == 7 || number == 33;
            assert_int_equal(wrong, s->found >> AFN_FOUND_SUSPECT & 1);
            assert_int_equal(wrong ? number / 20 : -1, s->looks_like);
            assert_true(wrong ? s->agree < 0.2f : s->agree > 0.7f);
        }
        afn_check_free(&c);
        afn_model_free(m);
        afn_data_parts_free(&p);
    }
}

static void small_classes_are_not_judged(void **state)
{
    (void)state;
    char file[64];
    afn_data_parts p = { 0 };
    afn_check c;
    const char *root = new_tree("suspects-few");
    for (int i = 0; i < 20; i++) {
        snprintf(file, sizeof file, "%s/%02d.png", i < 15 ? "many" : "few", i);
        put_colour(root, file, 1, (uint32_t)i);
    }
    afn_model *m = small_model("squeezenet1_1");
    assert_ok(afn_dataset_open(&p.train, root));
    assert_ok(afn_check_data(&c, &p, NULL));
    assert_ok(afn_check_labels(&c, &p, m, NULL));
    for (int64_t i = 0; i < 5; i++) assert_float_equal(1, c.sample[i].agree, 0);
    assert_int_equal(0, c.found[AFN_FOUND_SUSPECT]);
    afn_check_free(&c);
    afn_model_free(m);
    afn_data_parts_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_labels_are_suspected_and_right_ones_not),
        cmocka_unit_test(small_classes_are_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
