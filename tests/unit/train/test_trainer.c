/* SPDX-License-Identifier: Apache-2.0 */
/* Single steps: what changes, what does not, what is refused. */
#include <math.h>

#include "afn_test.h"
#include "train/train.h"

enum { SIZE = 32, BATCH = 6, CLASSES = 3, PIXELS = SIZE * SIZE * 3 };

/* Three classes that differ in colour: any network learns them. */
static uint8_t pixels[BATCH * PIXELS];
static const int labels[BATCH] = { 0, 1, 2, 0, 1, 2 };
static const int64_t places[BATCH] = { 0, 1, 2, 3, 4, 5 };
static const afn_batch batch = {
    .n = BATCH, .pixels = pixels, .labels = labels, .index = places
};

static int fill(void **state)
{
    (void)state;
    afn_rng rng = afn_rng_new(3, afn_rng_stream(AFN_RNG_TEST, 2, 0));
    for (int i = 0; i < BATCH * PIXELS; i++) {
        const bool mine = i % 3 == labels[i / PIXELS];
        pixels[i] = (uint8_t)(afn_rng_below(&rng, 60) + (mine ? 180 : 20));
    }
    return 0;
}

static afn_model *new_model_of(const char *arch, int size)
{
    afn_model *m;
    afn_preprocess p = afn_preprocess_imagenet();
    assert_ok(afn_model_new(&m, arch, CLASSES, 5));
    p.resize = p.crop = size;
    assert_ok(afn_model_set_preprocess(m, &p));
    return m;
}

static afn_model *new_model(const char *arch)
{
    return new_model_of(arch, SIZE);
}

static afn_trainer *new_trainer(afn_model *m, float lr)
{
    afn_trainer *t;
    afn_trainer_opts o = afn_trainer_defaults();
    o.optim.lr = lr;
    o.batch = BATCH;
    assert_ok(afn_trainer_new(&t, m, &o));
    return t;
}

static void the_loss_falls_until_the_batch_is_known(void **state)
{
    (void)state;
    afn_model *m = new_model("resnet18");
    afn_trainer *t = new_trainer(m, 0.01f);
    afn_step_result first, last;
    assert_ok(afn_trainer_step(t, &batch, &first));
    for (int i = 0; i < 15; i++) assert_ok(afn_trainer_step(t, &batch, &last));
    assert_true(last.loss < 0.1 * first.loss);
    assert_int_equal(last.correct, BATCH);
    afn_trainer_free(t);
    afn_model_free(m);
}

/* FNV-1a over every value of the state dict whose name matches. */
static uint64_t fingerprint(const afn_model *m, const char *pattern)
{
    uint64_t h = 14695981039346656037u;
    const afn_graph *g = afn_model__graph(m);
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        if (!afn_glob(pattern, afn_graph_param(g, i)->name)) continue;
        const float *f = afn_params_f32(afn_model__params(m), i);
        const void *v = f ? (const void *)f : afn_params_i64(afn_model__params(m), i);
        const size_t n = (size_t)afn_params_size(afn_model__params(m), i) * (f ? 4 : 8);
        for (size_t k = 0; k < n; k++)
            h = (h ^ ((const uint8_t *)v)[k]) * 1099511628211u;
    }
    return h;
}

/* Where the processor has no bf16 this is the test above. */
static void bf16_learns_as_well(void **state)
{
    (void)state;
    static const char *const arch[] = { "resnet18", "squeezenet1_1", "mobilenet_v2" };
    for (size_t k = 0; k < AFN_COUNT(arch); k++) {
        double first[2], last[2];
        for (int i = 0; i < 2; i++) {
            afn_model *m = new_model(arch[k]);
            afn_trainer *t;
            afn_trainer_opts o = afn_trainer_defaults();
            afn_step_result r;
            o.optim.lr = 0.005f;
            o.batch = BATCH;
            o.precision = i ? AFN_PRECISION_BF16 : AFN_PRECISION_FP32;
            assert_ok(afn_trainer_new(&t, m, &o));
            assert_ok(afn_trainer_step(t, &batch, &r));
            first[i] = r.loss;
            for (int s = 0; s < 12; s++) assert_ok(afn_trainer_step(t, &batch, &r));
            last[i] = r.loss;
            afn_trainer_free(t);
            afn_model_free(m);
        }
        assert_true(fabs(first[1] - first[0]) < 0.05 * first[0]);
        assert_true(last[1] < first[1] - 0.5 * (first[0] - last[0]));
    }
}

static void frozen_layers_keep_every_bit(void **state)
{
    (void)state;
    afn_model *m = new_model("resnet18");
    assert_ok(afn_model_freeze(m, "*"));
    assert_ok(afn_model_unfreeze(m, "layer4,fc"));
    const char *frozen = "conv1.*,bn1.*,layer1.*,layer2.*,layer3.*";
    const uint64_t before = fingerprint(m, frozen),
                   top = fingerprint(m, "layer4.*,fc.*");
    afn_trainer *t = new_trainer(m, 0.01f);
    for (int i = 0; i < 3; i++) assert_ok(afn_trainer_step(t, &batch, NULL));
    assert_true(fingerprint(m, "layer4.*,fc.*") == top); /* not before sync */
    assert_ok(afn_trainer_sync(t));
    assert_true(fingerprint(m, frozen) == before);
    assert_true(fingerprint(m, "layer4.*,fc.*") != top);
    afn_trainer_free(t);
    afn_model_free(m);
}

static void bn_batch_moves_the_statistics_of_frozen_layers(void **state)
{
    (void)state;
    afn_model *m = new_model("resnet18");
    assert_ok(afn_model_freeze(m, "*"));
    assert_ok(afn_model_unfreeze(m, "fc"));
    afn_trainer_opts o = afn_trainer_defaults();
    afn_trainer *t;
    o.bn = AFN_BN_BATCH;
    assert_ok(afn_trainer_new(&t, m, &o));
    const uint64_t weights = fingerprint(m, "*.weight,*.bias");
    const uint64_t statistics = fingerprint(m, "layer*.running_*");
    const uint64_t head = fingerprint(m, "fc.*");
    assert_ok(afn_trainer_step(t, &batch, NULL));
    assert_ok(afn_trainer_sync(t));
    assert_true(fingerprint(m, "layer*.running_*") != statistics);
    assert_true(fingerprint(m, "fc.*") != head);
    afn_trainer_set_lr(t, 0);
    assert_true(fingerprint(m, "*.weight,*.bias") != weights); /* the head's */
    afn_trainer_free(t);
    afn_model_free(m);
}

static void the_same_seed_gives_the_same_bits(void **state)
{
    (void)state;
    uint64_t print[2];
    for (int k = 0; k < 2; k++) {
        afn_model *m = new_model_of("alexnet", 64); /* has dropout */
        afn_trainer *t = new_trainer(m, 0.01f);
        uint8_t *large = test_calloc(BATCH, 64 * 64 * 3);
        memcpy(large, pixels, sizeof pixels);
        const afn_batch b = {
            .n = BATCH, .pixels = large, .labels = labels, .index = places
        };
        for (int i = 0; i < 2; i++) assert_ok(afn_trainer_step(t, &b, NULL));
        assert_ok(afn_trainer_sync(t));
        print[k] = fingerprint(m, "*");
        test_free(large);
        afn_trainer_free(t);
        afn_model_free(m);
    }
    assert_true(print[0] == print[1]);
}

/* A step at a learning rate of 0 only tells its loss. */
static afn_step_result told(afn_trainer *t, const int *other, double share)
{
    afn_step_result r;
    afn_batch b = batch;
    b.other = other;
    b.share = share;
    assert_ok(afn_trainer_step(t, &b, &r));
    return r;
}

static void mixed_labels_weigh_both_and_count_the_larger(void **state)
{
    (void)state;
    static const int other[BATCH] = { 1, 2, 0, 1, 2, 0 };
    afn_model *m = new_model("squeezenet1_1");
    afn_trainer *t;
    afn_trainer_opts o = afn_trainer_defaults();
    o.optim.lr = 0;
    o.batch = BATCH;
    for (int smooth = 0; smooth < 2; smooth++) {
        o.label_smoothing = smooth ? 0.3f : 0;
        /* Each call has dropout of its own: a fresh trainer begins anew. */
        double loss[3];
        int64_t correct[3];
        static const double share[3] = { 1, 0, 0.7 };
        for (int k = 0; k < 3; k++) {
            assert_ok(afn_trainer_new(&t, m, &o));
            const afn_step_result r = told(t, other, share[k]);
            loss[k] = r.loss;
            correct[k] = r.correct;
            afn_trainer_free(t);
        }
        assert_float_equal(loss[2], 0.7 * loss[0] + 0.3 * loss[1], 1e-6);
        assert_int_equal(correct[2], correct[0]);
        assert_ok(afn_trainer_new(&t, m, &o));
        const afn_step_result plain = told(t, NULL, 0);
        assert_true(plain.loss == loss[0]);
        assert_int_equal(plain.correct, correct[0]);
        afn_trainer_free(t);
    }
    afn_model_free(m);
}

static void a_loss_that_is_no_number_is_an_error(void **state)
{
    (void)state;
    afn_model *m = new_model("squeezenet1_1");
    afn_trainer *t = new_trainer(m, 1e30f);
    afn_status st = AFN_OK;
    for (int i = 0; i < 5 && st == AFN_OK; i++) st = afn_trainer_step(t, &batch, NULL);
    assert_int_equal(st, AFN_EINVAL);
    assert_non_null(strstr(afn_error_message(), "no longer a number"));
    afn_trainer_free(t);
    afn_model_free(m);
}

static void wrong_options_and_labels_are_refused(void **state)
{
    (void)state;
    afn_model *m = new_model("squeezenet1_1");
    afn_trainer *t = NULL;
    afn_trainer_opts o = afn_trainer_defaults();
    const int wrong[BATCH] = { 0, 1, CLASSES, 0, 1, 2 };
    const afn_batch bad = {
        .n = BATCH, .pixels = pixels, .labels = wrong, .index = places
    };
    const afn_batch none = {
        .n = 0, .pixels = pixels, .labels = labels, .index = places
    };
    o.optim.lr = -1;
    assert_fails(AFN_EINVAL, "learning rate is -1", afn_trainer_new(&t, m, &o));
    o = afn_trainer_defaults();
    o.batch = 0;
    assert_fails(AFN_EINVAL, "batch is 0", afn_trainer_new(&t, m, &o));
    o = afn_trainer_defaults();
    o.optim.nesterov = true;
    o.optim.momentum = 0;
    assert_fails(AFN_EINVAL, "nesterov needs", afn_trainer_new(&t, m, &o));
    o = afn_trainer_defaults();
    o.label_smoothing = 1.5f;
    assert_fails(AFN_EINVAL, "label smoothing is 1.5", afn_trainer_new(&t, m, &o));
    o = afn_trainer_defaults();
    o.optim.optimizer = "lion";
    assert_fails(AFN_ENOTFOUND, "lion", afn_trainer_new(&t, m, &o));
    assert_ok(afn_model_freeze(m, "*"));
    assert_fails(AFN_EINVAL, "every parameter is frozen", afn_trainer_new(&t, m, NULL));
    assert_ok(afn_model_unfreeze(m, "*"));
    t = new_trainer(m, 0.001f);
    assert_fails(AFN_EINVAL, "label 3, the model has 3",
                 afn_trainer_step(t, &bad, NULL));
    assert_fails(AFN_EINVAL, "a batch of 0", afn_trainer_step(t, &none, NULL));
    afn_batch mixed = batch;
    mixed.other = wrong;
    mixed.share = 0.5;
    assert_fails(AFN_EINVAL, "label 3, the model has 3",
                 afn_trainer_step(t, &mixed, NULL));
    mixed.other = labels;
    mixed.share = 1.5;
    assert_fails(AFN_EINVAL, "a share of 1.5", afn_trainer_step(t, &mixed, NULL));
    afn_trainer_free(t);
    afn_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_falls_until_the_batch_is_known),
        cmocka_unit_test(bf16_learns_as_well),
        cmocka_unit_test(frozen_layers_keep_every_bit),
        cmocka_unit_test(bn_batch_moves_the_statistics_of_frozen_layers),
        cmocka_unit_test(the_same_seed_gives_the_same_bits),
        cmocka_unit_test(mixed_labels_weigh_both_and_count_the_larger),
        cmocka_unit_test(a_loss_that_is_no_number_is_an_error),
        cmocka_unit_test(wrong_options_and_labels_are_refused),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
