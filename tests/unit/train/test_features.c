/* SPDX-License-Identifier: Apache-2.0 */
/* Runs with and without kept features: every number and every weight the same bits,
 * wherever the frozen prefix ends and wherever features lie. */
#include "afn_test.h"
#include "train/train.h"

enum { SIZE = 64, MAX_EPOCHS = 4, COUNT = 26, VAL = 7 };
static const char *const data_spec = "fake:size=26,classes=3,height=64,width=64";

/* What may differ between runs that must not differ in their results. */
typedef struct where {
    bool on;
    int64_t memory;
    const char *out;
    afn_augment_opts augment; /* of both phases: this one does change results */
} where;

typedef struct setup {
    const char *arch, *trained; /* of the second phase; the first trains the head */
    afn_bn_mode bn;
    const char *before[2]; /* layer at which features are kept, NULL = none are */
    afn_precision precision;
} setup;

typedef struct result {
    afn_epoch epoch[MAX_EPOCHS];
    int epochs;
    afn_features features[2];
    char before[2][64], why[2][200];
    int n_features;
    float *weights; /* of all parameters, one after the other */
    size_t n_weights;
} result;

static int on_epoch(const afn_epoch *e, void *user)
{
    result *r = user;
    r->epoch[r->epochs++] = *e;
    return 0;
}

static int on_features(const afn_features *f, void *user)
{
    result *r = user;
    assert_true(r->n_features < 2);
    r->features[r->n_features] = *f;
    snprintf(r->before[r->n_features], sizeof r->before[0], "%s", f->before);
    snprintf(r->why[r->n_features], sizeof r->why[0], "%s", f->why ? f->why : "");
    r->n_features++;
    return 0;
}

static void read_weights(result *r, const afn_model *m)
{
    for (int pass = 0; pass < 2; pass++) {
        size_t at = 0;
        for (int i = 0; i < afn_model_n_params(m); i++) {
            afn_param_info info;
            assert_ok(afn_model_param(m, i, &info));
            if (info.dtype != AFN_F32) continue;
            const size_t n = (size_t)afn_shape_count(&info.shape);
            if (pass) assert_ok(afn_model_read_param(m, info.name, r->weights + at, n));
            at += n;
        }
        r->n_weights = at;
        if (!pass) r->weights = test_malloc(at * sizeof *r->weights);
    }
}

static result train(const setup *s, const where *w)
{
    result r = { 0 };
    afn_model *m;
    afn_dataset *train, *val;
    afn_preprocess p = afn_preprocess_imagenet();
    afn_phase phase[2];
    afn_fit_opts o = afn_fit_defaults();
    assert_ok(afn_dataset_open_split(&train, &val, data_spec, 0.25, 1));
    assert_int_equal(afn_dataset_count(val), VAL);
    assert_ok(afn_model_new(&m, s->arch, 3, 1));
    p.resize = p.crop = SIZE;
    assert_ok(afn_model_set_preprocess(m, &p));
    afn_default_phases(phase);
    phase[1].trainable = s->trained;
    phase[0].epochs = phase[1].epochs = 2;
    phase[0].augment = phase[1].augment = w->augment;
    o.phase = phase;
    o.n_phases = 2;
    o.bn = s->bn;
    o.precision = s->precision;
    o.batch = 8; /* of 19: the last batch is smaller */
    o.seed = 5;
    o.out = w->out;
    o.feature_cache = w->on;
    o.feature_memory = w->memory;
    o.on_epoch = on_epoch;
    o.on_features = on_features;
    o.user = &r;
    assert_ok(afn_fit(m, train, val, &o, NULL));
    read_weights(&r, m);
    afn_model_free(m);
    afn_dataset_free(train);
    afn_dataset_free(val);
    return r;
}

static void assert_same(const result *a, const result *b)
{
    assert_int_equal(a->epochs, 4);
    assert_int_equal(b->epochs, 4);
    for (int i = 0; i < 4; i++) {
        const afn_epoch *x = &a->epoch[i], *y = &b->epoch[i];
        assert_true(x->train_loss == y->train_loss && x->train_acc == y->train_acc);
        assert_true(x->val_loss == y->val_loss && x->val_acc == y->val_acc);
        assert_int_equal(x->best, y->best);
    }
    assert_int_equal(a->n_weights, b->n_weights);
    assert_memory_equal(a->weights, b->weights, a->n_weights * sizeof(float));
}

static const setup setups[] = {
    { "resnet18",
      "layer4.*",
      AFN_BN_AUTO,
      { "fc", "layer4.0.conv1" },
      AFN_PRECISION_FP32 },
    { "resnet18",
      "layer4.1.*,fc.*",
      AFN_BN_FROZEN,
      { "fc", "layer4.1.conv1" },
      AFN_PRECISION_FP32 },
    { "resnet18", "layer4.*", AFN_BN_BATCH, { "bn1", "bn1" }, AFN_PRECISION_FP32 },
    /* dropout is active between the frozen layers of the head */
    { "alexnet",
      "classifier.6.*",
      AFN_BN_AUTO,
      { "classifier.1", "classifier.1" },
      AFN_PRECISION_FP32 },
    { "resnet18",
      "layer4.*",
      AFN_BN_AUTO,
      { "fc", "layer4.0.conv1" },
      AFN_PRECISION_BF16 },
    { "squeezenet1_1", "*", AFN_BN_AUTO, { "classifier.1", NULL }, AFN_PRECISION_FP32 },
    { "mobilenet_v2",
      "features.18.*",
      AFN_BN_AUTO,
      { "classifier.1", "features.18.0" },
      AFN_PRECISION_FP32 },
};

static void results_are_the_same_bits_with_and_without(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(setups); i++) {
        const setup *s = &setups[i];
        result off = train(s, &(where){ .on = false });
        result on = train(s, &(where){ .on = true, .memory = 1 << 30 });
        int told = 0;
        assert_int_equal(off.n_features, 0);
        for (int k = 0; k < 2; k++) {
            if (!s->before[k]) continue;
            assert_string_equal(on.before[told], s->before[k]);
            assert_true(on.features[told].kept);
            assert_int_equal(on.features[told].bytes_on_disk, 0);
            told++;
        }
        assert_int_equal(on.n_features, told);
        assert_same(&off, &on);
        test_free(off.weights);
        test_free(on.weights);
    }
}

/* Memory for five samples of the head's phase, the others in a file; nothing is left.
 */
static void a_file_changes_nothing_and_leaves_nothing(void **state)
{
    (void)state;
    char dir[1024], other[1024];
    afn_dir files, others;
    const setup *s = &setups[0];
    snprintf(dir, sizeof dir, "%s", test_dir("features-file"));
    snprintf(other, sizeof other, "%s", test_dir("features-none"));
    result off = train(s, &(where){ .on = false, .out = other });
    result on = train(s, &(where){ .on = true, .memory = 5 * 512 * 4, .out = dir });
    assert_int_equal(on.n_features, 2);
    assert_true(on.features[0].kept && on.features[1].kept);
    assert_int_equal(on.features[0].images, COUNT);
    assert_int_equal(on.features[0].bytes, COUNT * 512 * 4);
    assert_int_equal(on.features[0].bytes_on_disk, (COUNT - 5) * 512 * 4);
    assert_same(&off, &on);
    assert_ok(afn_dir_read(&files, dir));
    assert_ok(afn_dir_read(&others, other));
    assert_int_equal(files.count, 8); /* models, checkpoint, metrics and records */
    assert_int_equal(others.count, 8);
    afn_dir_free(&files);
    afn_dir_free(&others);
    test_free(off.weights);
    test_free(on.weights);
}

/* Of K views in turn, each is made once a phase; a phase of two epochs sees two at
 * most.
 */
static void views_of_augmented_images_are_kept(void **state)
{
    (void)state;
    static const struct {
        int views, kept;
    } row[] = { { 1, 1 }, { 3, 2 } };
    const setup *s = &setups[0];
    result first = { 0 };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        const afn_augment_opts o = { .spec = "crop=0.5,hflip,color",
                                     .views = row[i].views };
        result off = train(s, &(where){ .on = false, .augment = o });
        result on = train(s, &(where){ .on = true, .memory = 1 << 30, .augment = o });
        assert_int_equal(on.n_features, 2);
        for (int k = 0; k < 2; k++) {
            const afn_features *f = &on.features[k];
            assert_true(f->kept);
            assert_int_equal(f->views, row[i].kept);
            assert_int_equal(f->images, COUNT);
            assert_string_equal(on.why[k], "");
            assert_int_equal(f->bytes % (VAL + (COUNT - VAL) * row[i].kept), 0);
        }
        assert_int_equal(on.features[0].bytes,
                         (VAL + (COUNT - VAL) * row[i].kept) * 512 * 4);
        assert_same(&off, &on);
        if (i == 0) first = on;
        if (i) assert_true(first.epoch[3].train_loss != on.epoch[3].train_loss);
        test_free(off.weights);
        if (i) test_free(on.weights);
    }
    test_free(first.weights);
}

/* Views in memory and, beyond it, in the file. */
static void views_may_lie_in_a_file(void **state)
{
    (void)state;
    char dir[1024];
    const setup *s = &setups[0];
    const afn_augment_opts o = { .spec = "light", .views = 2 };
    snprintf(dir, sizeof dir, "%s", test_dir("features-views"));
    result off = train(s, &(where){ .on = false, .augment = o });
    result on = train(
        s, &(where){ .on = true, .memory = 25 * 512 * 4, .out = dir, .augment = o });
    assert_true(on.features[0].kept);
    assert_int_equal(on.features[0].bytes_on_disk,
                     (2 * (COUNT - VAL) + VAL - 25) * 2048);
    assert_same(&off, &on);
    test_free(off.weights);
    test_free(on.weights);
}

static void images_that_never_come_again_are_not_kept_but_validation_is(void **state)
{
    (void)state;
    static const struct {
        afn_augment_opts o;
        const char *why;
    } row[] = {
        { { .spec = "light" }, "augmented anew in each epoch" },
        { { .spec = "light", .cutmix = 1, .views = 2 },
          "the images of a batch are mixed" },
    };
    const setup *s = &setups[0];
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        result off = train(s, &(where){ .on = false, .augment = row[i].o });
        result on =
            train(s, &(where){ .on = true, .memory = 1 << 30, .augment = row[i].o });
        assert_int_equal(on.n_features, 2);
        assert_true(on.features[0].kept);
        assert_int_equal(on.features[0].images, VAL);
        assert_int_equal(on.features[0].bytes, VAL * 512 * 4);
        assert_string_equal(on.why[0], row[i].why);
        assert_same(&off, &on);
        test_free(off.weights);
        test_free(on.weights);
    }
}

static void without_room_a_run_goes_on_and_says_why(void **state)
{
    (void)state;
    const setup *s = &setups[0];
    result off = train(s, &(where){ .on = false });
    result none = train(s, &(where){ .on = true, .memory = 1 });
    assert_int_equal(none.n_features, 2);
    assert_false(none.features[0].kept);
    assert_non_null(strstr(none.why[0], "there is no run folder"));
    assert_same(&off, &none);
    test_free(off.weights);
    test_free(none.weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_the_same_bits_with_and_without),
        cmocka_unit_test(a_file_changes_nothing_and_leaves_nothing),
        cmocka_unit_test(views_of_augmented_images_are_kept),
        cmocka_unit_test(views_may_lie_in_a_file),
        cmocka_unit_test(images_that_never_come_again_are_not_kept_but_validation_is),
        cmocka_unit_test(without_room_a_run_goes_on_and_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
