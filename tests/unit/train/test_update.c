/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of gradients: each optimiser the same with and without gathering, groups
 * of batches, averages. */
#include <math.h>

#include "afn_test.h"
#include "train/train.h"

enum { SIZE = 32, BATCH = 6, CLASSES = 3, IMAGE = SIZE * SIZE * 3, MOST = 400000 };

static uint8_t pixels[BATCH * IMAGE];
static const int labels[BATCH] = { 0, 1, 2, 2, 1, 0 };

/* Images from, from + 1, ... of the six. */
static afn_batch images(int from, int n)
{
    return (
        afn_batch){ .n = n, .pixels = pixels + from * IMAGE, .labels = labels + from };
}

static int fill(void **state)
{
    (void)state;
    afn_rng rng = afn_rng_new(3, afn_rng_stream(AFN_RNG_TEST, 2, 0));
    for (int i = 0; i < BATCH * IMAGE; i++) {
        const bool mine = i % 3 == labels[i / IMAGE];
        pixels[i] = (uint8_t)(afn_rng_below(&rng, 60) + (mine ? 180 : 20));
    }
    return 0;
}

typedef struct subject {
    afn_model *m;
    afn_trainer *t;
} subject;

static subject begin(const char *arch, const afn_trainer_opts *o)
{
    subject s;
    afn_preprocess p = afn_preprocess_imagenet();
    assert_ok(afn_model_new(&s.m, arch, CLASSES, 5));
    p.resize = p.crop = SIZE;
    assert_ok(afn_model_set_preprocess(s.m, &p));
    assert_ok(afn_trainer_new(&s.t, s.m, o));
    return s;
}

static void end(subject *s)
{
    afn_trainer_free(s->t);
    afn_model_free(s->m);
}

static afn_trainer_opts opts(const char *optimizer)
{
    afn_trainer_opts o = afn_trainer_defaults();
    o.optim = afn_optim_defaults(optimizer);
    o.optim.lr = 0.001f;
    o.batch = BATCH;
    o.exact = true;
    return o;
}

static void step(subject *s, int from, int n)
{
    const afn_batch b = images(from, n);
    assert_ok(afn_trainer_step(s->t, &b, NULL));
}

/* Every float of the state dict. */
static int64_t copy_values(float **out, const afn_model *m)
{
    const afn_params *p = afn_model__params(m);
    int64_t n = 0;
    *out = test_calloc(MOST, sizeof **out);
    for (int i = 0; i < afn_params_count(p); i++) {
        const float *v = afn_params_f32(p, i);
        if (!v) continue;
        memcpy(*out + n, v, (size_t)afn_params_size(p, i) * sizeof *v);
        n += afn_params_size(p, i);
    }
    assert_true(n <= MOST);
    return n;
}

static int64_t values_after(float **out, subject *s)
{
    assert_ok(afn_trainer_sync(s->t));
    return copy_values(out, s->m);
}

/* Largest difference, as part of the largest value. */
static double difference(const float *a, const float *b, int64_t n)
{
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
        largest = fmax(largest, fabs((double)b[i]));
    }
    return worst / largest;
}

static void gathering_alone_changes_no_bit(void **state)
{
    (void)state;
    static const char *const optimizer[] = { "sgd", "adam", "adamw", "rmsprop" };
    for (size_t k = 0; k < AFN_COUNT(optimizer); k++) {
        float *v[2];
        int64_t n = 0;
        for (int gathered = 0; gathered < 2; gathered++) {
            afn_trainer_opts o = opts(optimizer[k]);
            o.optim.weight_decay = 0.01f;
            if (gathered) o.optim.clip_norm = 1e9f;
            subject s = begin("shufflenet_v2_x0_5", &o);
            for (int i = 0; i < 3; i++) step(&s, 0, BATCH);
            n = values_after(&v[gathered], &s);
            end(&s);
        }
        assert_memory_equal(v[0], v[1], (size_t)n * sizeof(float));
        test_free(v[0]);
        test_free(v[1]);
    }
}

static void each_optimiser_learns_in_either_precision(void **state)
{
    (void)state;
    static const char *const optimizer[] = { "sgd", "adam", "adamw", "rmsprop" };
    for (int k = 0; k < 2 * (int)AFN_COUNT(optimizer); k++) {
        afn_trainer_opts o = opts(optimizer[k / 2]);
        afn_step_result first, last;
        const afn_batch b = images(0, BATCH);
        if (k / 2 == 0) o.optim.lr = 0.01f;
        if (k % 2) o.precision = AFN_PRECISION_BF16;
        subject s = begin("shufflenet_v2_x0_5", &o);
        assert_ok(afn_trainer_step(s.t, &b, &first));
        for (int i = 0; i < 12; i++) assert_ok(afn_trainer_step(s.t, &b, &last));
        if (!(last.loss < 0.5 * first.loss))
            fail_msg("%s: loss %g, was %g", o.optim.optimizer, last.loss, first.loss);
        end(&s);
    }
}

/* Batches of 2, 3 and 1 make the step of all 6, weighted classes or not. */
static void a_group_of_batches_is_one_of_all_their_images(void **state)
{
    (void)state;
    static const float weight[CLASSES] = { 1, 3, 0.5f };
    for (int weighted = 0; weighted < 2; weighted++) {
        float *v[2];
        int64_t n = 0;
        for (int parts = 0; parts < 2; parts++) {
            afn_trainer_opts o = opts("sgd");
            o.optim.lr = 0.01f;
            o.bn = AFN_BN_FROZEN;
            o.class_weight = weighted ? weight : NULL;
            o.optim.accumulate = parts ? 3 : 1;
            subject s = begin("shufflenet_v2_x0_5", &o);
            for (int i = 0; i < 2; i++) {
                step(&s, 0, parts ? 2 : BATCH);
                if (parts) step(&s, 2, 3);
                if (parts) step(&s, 5, 1);
            }
            n = values_after(&v[parts], &s);
            end(&s);
        }
        const double d = difference(v[1], v[0], n);
        if (d > 1e-6) fail_msg("they differ by %g", d);
        test_free(v[0]);
        test_free(v[1]);
    }
}

static void an_incomplete_group_steps_when_the_epoch_ends(void **state)
{
    (void)state;
    float *before, *after, *whole;
    afn_trainer_opts o = opts("sgd");
    o.bn = AFN_BN_FROZEN;
    o.optim.accumulate = 4;
    subject s = begin("shufflenet_v2_x0_5", &o);
    const int64_t n = values_after(&before, &s);
    step(&s, 0, 4);
    step(&s, 4, 2);
    (void)values_after(&after, &s);
    assert_memory_equal(before, after, (size_t)n * sizeof(float));
    test_free(after);
    assert_ok(afn_trainer_end_epoch(s.t));
    (void)values_after(&after, &s);
    assert_ok(afn_trainer_end_epoch(s.t)); /* nothing waits */
    end(&s);

    o.optim.accumulate = 1;
    s = begin("shufflenet_v2_x0_5", &o);
    step(&s, 0, 6);
    (void)values_after(&whole, &s);
    assert_true(difference(after, whole, n) < 1e-6);
    assert_true(difference(before, whole, n) > 1e-5);
    end(&s);
    test_free(before);
    test_free(after);
    test_free(whole);
}

/* Running statistics too, from what the weights are after each step. */
static void the_average_follows_the_weights(void **state)
{
    (void)state;
    for (int warmup = 0; warmup < 2; warmup++) {
        float *mean = NULL, *v;
        int64_t n = 0;
        afn_trainer_opts o = opts("sgd");
        o.optim.lr = 0.05f;
        o.optim.ema_decay = 0.7f;
        o.optim.ema_warmup = warmup;
        subject s = begin("shufflenet_v2_x0_5", &o);
        for (int t = 1; t <= 4; t++) {
            const double limit = (1.0 + t) / (10.0 + t);
            const double d = warmup && limit < 0.7 ? limit : 0.7;
            step(&s, 0, BATCH);
            n = values_after(&v, &s);
            for (int64_t i = 0; mean && i < n; i++)
                mean[i] = (float)(d * (double)mean[i] + (1 - d) * (double)v[i]);
            if (mean) test_free(v);
            if (!mean) mean = v;
        }
        assert_ok(afn_trainer_sync_average(s.t));
        (void)copy_values(&v, s.m);
        assert_true(difference(v, mean, n) < 1e-6);
        test_free(v);
        const int64_t same = values_after(&v, &s); /* training has them still */
        assert_true(same == n && difference(v, mean, n) > 1e-4);
        test_free(v);
        test_free(mean);
        end(&s);
    }
}

static void clipping_limits_the_step(void **state)
{
    (void)state;
    float *before, *after;
    afn_trainer_opts o = opts("sgd");
    o.optim.momentum = 0;
    o.optim.lr = 1;
    o.optim.clip_norm = 0.01f;
    o.bn = AFN_BN_FROZEN;
    subject s = begin("shufflenet_v2_x0_5", &o);
    const int64_t n = values_after(&before, &s);
    step(&s, 0, BATCH);
    (void)values_after(&after, &s);
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += pow((double)after[i] - (double)before[i], 2);
    assert_float_equal(sqrt(sum), 0.01, 1e-5);
    test_free(before);
    test_free(after);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gathering_alone_changes_no_bit),
        cmocka_unit_test(each_optimiser_learns_in_either_precision),
        cmocka_unit_test(a_group_of_batches_is_one_of_all_their_images),
        cmocka_unit_test(an_incomplete_group_steps_when_the_epoch_ends),
        cmocka_unit_test(the_average_follows_the_weights),
        cmocka_unit_test(clipping_limits_the_step),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
