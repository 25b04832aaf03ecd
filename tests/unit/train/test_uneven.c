/* SPDX-License-Identifier: Apache-2.0 */
/* Runs on data as it is found: pictures that cannot be read, classes of very different
 * size. */
#define _GNU_SOURCE /* nftw */
#include "data/make_tree.h"

#include <math.h>

#include "train/train.h"

enum { SIZE = 32, EPOCHS = 4 };

/* Class a with 12 images, b with 3; two of them are none where it is spoilt. */
static const char *make_set(const char *name, bool spoilt)
{
    char file[32];
    const char *root = new_tree(name);
    for (int i = 0; i < 15; i++) {
        snprintf(file, sizeof file, "%c/%02d.png", i < 12 ? 'a' : 'b', i);
        put_png(root, file, (uint8_t)(16 * i));
    }
    if (spoilt) put_text(root, "a/03.png");
    if (spoilt) put_text(root, "b/13.png");
    return root;
}

typedef struct result {
    afn_epoch epoch[EPOCHS];
    int n;
} result;

static int on_epoch(const afn_epoch *e, void *user)
{
    result *r = user;
    r->epoch[r->n++] = *e;
    return 0;
}

/* Two epochs of the head, two of everything, validated on the same images. */
static afn_status run(result *r, const char *root, afn_fit_opts o)
{
    afn_model *m;
    afn_dataset *d;
    afn_preprocess p = afn_preprocess_imagenet();
    afn_phase phase[2];
    *r = (result){ 0 };
    assert_ok(afn_dataset_open(&d, root));
    assert_ok(afn_model_new(&m, "squeezenet1_1", 2, 1));
    p.resize = p.crop = SIZE;
    assert_ok(afn_model_set_preprocess(m, &p));
    afn_default_phases(phase);
    phase[0].epochs = phase[1].epochs = 2;
    o.phase = phase;
    o.n_phases = 2;
    o.batch = 4;
    o.on_epoch = on_epoch;
    o.user = r;
    const afn_status st = afn_fit(m, d, d, &o, NULL);
    afn_model_free(m);
    afn_dataset_free(d);
    return st;
}

static void bad_pictures_are_skipped_and_counted_with_and_without_caches(void **state)
{
    (void)state;
    result want = { 0 }, r;
    const char *root = make_set("fit-spoilt", true);
    for (int k = 0; k < 4; k++) {
        afn_fit_opts o = afn_fit_defaults();
        o.feature_cache = k & 1;
        o.image_memory = k & 2 ? -1 : 0;
        assert_ok(run(&r, root, o));
        assert_int_equal(EPOCHS, r.n);
        for (int e = 0; e < EPOCHS; e++) {
            assert_int_equal(4, r.epoch[e].skipped); /* two, trained and validated */
            if (!k) want.epoch[e] = r.epoch[e];
            assert_true(want.epoch[e].train_loss == r.epoch[e].train_loss);
            assert_true(want.epoch[e].val_loss == r.epoch[e].val_loss);
            assert_true(isfinite(r.epoch[e].val_loss));
        }
    }
}

static void strictly_a_bad_picture_ends_the_run(void **state)
{
    (void)state;
    result r;
    afn_fit_opts o = afn_fit_defaults();
    o.strict = true;
    assert_int_equal(AFN_EFORMAT, run(&r, make_set("fit-strict", true), o));
    assert_non_null(strstr(afn_error_message(), ".png: not a picture"));
    assert_int_equal(0, r.n);
}

static void weights_and_balance_change_what_is_learned(void **state)
{
    (void)state;
    result plain, r;
    const float weight[] = { 0.625f, 2.5f }, wrong[] = { 1, -1 }, none[] = { 0, 0 };
    const char *root = make_set("fit-uneven", false);
    afn_fit_opts o = afn_fit_defaults();
    assert_ok(run(&plain, root, o));
    o.class_weight = weight;
    assert_ok(run(&r, root, o));
    assert_true(r.epoch[1].train_loss != plain.epoch[1].train_loss);
    o.class_weight = wrong;
    assert_fails(AFN_EINVAL, "class 1 has the weight -1", run(&r, root, o));
    o.class_weight = none;
    assert_fails(AFN_EINVAL, "all classes have the weight 0", run(&r, root, o));
    o.class_weight = NULL;
    o.balanced = true;
    for (int k = 0; k < 2; k++) {
        o.feature_cache = k;
        assert_ok(run(&r, root, o));
        assert_true(r.epoch[3].train_loss != plain.epoch[3].train_loss);
        if (!k) plain = r;
        assert_true(r.epoch[3].val_loss == plain.epoch[3].val_loss);
        plain.epoch[3].train_loss = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_pictures_are_skipped_and_counted_with_and_without_caches),
        cmocka_unit_test(strictly_a_bad_picture_ends_the_run),
        cmocka_unit_test(weights_and_balance_change_what_is_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
