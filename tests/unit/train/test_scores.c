/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* nftw */
#include "data/make_tree.h"

#include <math.h>

#include "train/score/metrics.h"

static afn_model *tiny_model(void)
{
    static const char *const name[] = { "b", "other", "a" };
    afn_model *m;
    afn_preprocess p = afn_preprocess_imagenet();
    p.resize = p.crop = 32;
    assert_ok(afn_model_new(&m, "squeezenet1_1", 3, 1));
    assert_ok(afn_model_set_preprocess(m, &p));
    assert_ok(afn_model_set_class_names(m, name, 3));
    return m;
}

/* Seven images of a, three of b; one of each is none where it is spoilt. */
static afn_dataset *open_set(const char *name, bool spoilt)
{
    char file[32];
    afn_dataset *d;
    const char *root = new_tree(name);
    for (int i = 0; i < 10; i++) {
        snprintf(file, sizeof file, "%c/%02d.png", i < 7 ? 'a' : 'b', i);
        put_png(root, file, (uint8_t)(25 * i));
    }
    if (spoilt) put_text(root, "a/02.png");
    if (spoilt) put_text(root, "b/09.png");
    assert_ok(afn_dataset_open(&d, root));
    return d;
}

static void they_lead_to_what_an_evaluation_counts(void **state)
{
    (void)state;
    afn_model *m = tiny_model();
    afn_dataset *d = open_set("scores-same", false);
    afn_score_opts o = afn_score_defaults();
    afn_eval e;
    afn_scores s;
    afn_metrics n;
    o.predict.batch = 4;
    assert_ok(afn_evaluate(&e, m, d, &o.predict));
    assert_ok(afn_score(&s, m, d, &o));
    assert_ok(afn_measure(&n, &s, 1));
    assert_int_equal(10, s.count);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(i, s.index[i]);
        assert_int_equal(i < 7 ? 2 : 0, s.labels[i]); /* in the model's order */
    }
    assert_int_equal(e.correct, n.right);
    assert_true(fabs(e.loss - n.log_loss) < 1e-6);
    assert_memory_equal(e.confusion, n.confusion, 9 * sizeof *n.confusion);
    afn_metrics_free(&n);
    afn_scores_free(&s);
    afn_eval_free(&e);
    afn_dataset_free(d);
    afn_model_free(m);
}

static void bad_images_are_counted_or_with_strict_end_it(void **state)
{
    (void)state;
    afn_model *m = tiny_model();
    afn_dataset *d = open_set("scores-bad", true);
    afn_score_opts o = afn_score_defaults();
    afn_scores s;
    assert_ok(afn_score(&s, m, d, &o));
    assert_int_equal(8, s.count);
    assert_int_equal(2, s.skipped);
    assert_int_equal(3, s.index[2]);
    afn_scores_free(&s);
    o.strict = true;
    assert_fails(AFN_EFORMAT, "a/02.png", afn_score(&s, m, d, &o));
    assert_null(s.logits);
    afn_dataset_free(d);
    afn_model_free(m);
}

static int stop_after_four(int64_t done, int64_t of, void *user)
{
    (void)user;
    assert_int_equal(10, of);
    return done >= 4;
}

static void a_callback_may_stop_it(void **state)
{
    (void)state;
    afn_model *m = tiny_model();
    afn_dataset *d = open_set("scores-stop", false);
    afn_score_opts o = afn_score_defaults();
    afn_scores s;
    o.predict.batch = 2;
    o.on_batch = stop_after_four;
    assert_fails(AFN_ECANCELLED, "stopped", afn_score(&s, m, d, &o));
    afn_dataset_free(d);
    afn_model_free(m);
}

static void two_sets_add_up(void **state)
{
    (void)state;
    afn_model *m = tiny_model();
    afn_dataset *d = open_set("scores-add", true);
    afn_scores s, more, other = { .classes = 2 };
    assert_ok(afn_score(&s, m, d, NULL));
    assert_ok(afn_score(&more, m, d, NULL));
    assert_ok(afn_scores_add(&s, &more));
    assert_int_equal(16, s.count);
    assert_int_equal(4, s.skipped);
    assert_memory_equal(s.logits, s.logits + 8 * 3, 8 * 3 * sizeof *s.logits);
    assert_int_equal(s.labels[7], s.labels[15]);
    assert_int_equal(s.index[7], s.index[15]);
    assert_fails(AFN_EINVAL, "2 classes, need 3", afn_scores_add(&s, &other));
    afn_scores_free(&s);
    afn_scores_free(&more);
    afn_dataset_free(d);
    afn_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_lead_to_what_an_evaluation_counts),
        cmocka_unit_test(bad_images_are_counted_or_with_strict_end_it),
        cmocka_unit_test(a_callback_may_stop_it),
        cmocka_unit_test(two_sets_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
