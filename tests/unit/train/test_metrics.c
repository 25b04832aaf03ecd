/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a small case against those of scikit-learn 1.x and scipy, which
 * tests/oracle/check_metrics.py asks again where they are installed. */
#include "afn_test.h"

#include <math.h>

#include "train/score/metrics.h"

enum { N = 14, CLASSES = 4 };

/* The first two rows are the same, and no image is of class 3. */
static float logits[N][CLASSES] = {
    { 0.43f, 2.13f, -1.62f, -0.04f },  { 0.43f, 2.13f, -1.62f, -0.04f },
    { 0.83f, -1.61f, 0.95f, -2.28f },  { -1.55f, -2.21f, 1.22f, -1.52f },
    { 0.33f, 0.19f, -0.72f, -3.02f },  { -0.65f, -0.06f, 1.64f, -1.84f },
    { -0.57f, -1.17f, 0.53f, 1.27f },  { 1.03f, -0.04f, 0.56f, -0.7f },
    { -0.13f, 0.13f, -0.42f, -1.47f }, { 2.09f, 1.63f, -2.36f, 1.03f },
    { 2.14f, -0.77f, 1.9f, 0.91f },    { -1.44f, 0.09f, 0.19f, -0.23f },
    { 0.82f, -0.08f, 0.3f, 1.73f },    { -0.81f, 0.24f, -1.06f, 0.15f },
};
static int labels[N] = { 2, 1, 2, 2, 1, 2, 2, 0, 0, 0, 0, 2, 2, 0 };

static afn_scores small_case(void)
{
    return (afn_scores){
        .count = N, .classes = CLASSES, .logits = logits[0], .labels = labels
    };
}

static void near(double got, double want)
{
    if (isnan(want) ? !isnan(got) : !(fabs(got - want) < 2e-7))
        fail_msg("got %.12g, want %.12g", got, want);
}

static void counts_and_averages_are_scikit_learns(void **state)
{
    (void)state;
    static const double precision[] = { 0.75, 0.25, 1, 0 };
    static const double recall[] = { 0.6, 0.5, 4.0 / 7, (double)NAN };
    static const double f1[] = { 2.0 / 3, 1.0 / 3, 0.7272727272727273, 0 };
    afn_metrics m;
    const afn_scores s = small_case();
    assert_ok(afn_measure(&m, &s, 1.7));
    for (int c = 0; c < CLASSES; c++) {
        near(m.per_class[c].precision.value, precision[c]);
        near(m.per_class[c].recall.value, recall[c]);
        near(m.per_class[c].f1.value, f1[c]);
    }
    assert_int_equal(8, m.right);
    assert_int_equal(2, m.confusion[0 * CLASSES + 1]); /* truth 0, said 1 */
    near(m.accuracy.value, 8.0 / 14);
    near(m.top5.value, 1);
    near(m.balanced_accuracy, 0.5571428571428572);
    near(m.kappa, 0.4);
    near(m.mcc, 0.42960148835255085);
    near(m.macro.precision, 0.5);
    near(m.macro.recall, 0.41785714285714287);
    near(m.macro.f1, 0.4318181818181818);
    near(m.weighted.precision, 0.8035714285714286);
    near(m.weighted.recall, 0.5714285714285714);
    near(m.weighted.f1, 0.6493506493506492);
    afn_metrics_free(&m);
}

static void numbers_of_probabilities_are_scikit_learns(void **state)
{
    (void)state;
    static const double auc[] = { 0.7777777777777778, 0.9375, 0.7653061224489797,
                                  (double)NAN };
    static const double ap[] = { 0.6866666666666665, 0.5833333333333333,
                                 0.8245421245421245, (double)NAN };
    afn_metrics m;
    const afn_scores s = small_case();
    int64_t binned = 0;
    assert_ok(afn_measure(&m, &s, 1.7));
    near(m.log_loss, 1.1409753515064083);
    near(m.brier, 0.6076332445289108);
    near(m.ece, 0.125447773574254);
    for (int c = 0; c < CLASSES; c++) {
        near(m.per_class[c].auc, auc[c]);
        near(m.per_class[c].average_precision, ap[c]);
    }
    near(m.auc, 0.8268613000755858);
    near(m.average_precision, 0.6981807081807081);
    for (int k = 0; k < AFN_BINS; k++) {
        binned += m.bin[k].images;
        if (!m.bin[k].images) continue;
        assert_true(m.bin[k].confidence > k / 15.0 &&
                    m.bin[k].confidence <= (k + 1) / 15.0);
    }
    assert_int_equal(N, binned);
    afn_metrics_free(&m);
}

static void intervals_are_wilsons(void **state)
{
    (void)state;
    near(afn_wilson(0, 5).low, 0);
    near(afn_wilson(0, 5).high, 0.43448246478317476);
    near(afn_wilson(5, 5).low, 0.5655175352168251);
    near(afn_wilson(5, 5).high, 1);
    near(afn_wilson(3, 7).low, 0.1582198552514697);
    near(afn_wilson(3, 7).high, 0.7495416354723428);
    near(afn_wilson(9, 14).low, 0.38764423103907397);
    near(afn_wilson(9, 14).high, 0.8365526824644587);
    assert_true(isnan(afn_wilson(0, 0).value) && isnan(afn_wilson(0, 0).low));
}

/* Of an F1 there is no textbook interval: draw many small data sets of a class and see
 * how often the interval has the F1 that all of them have in the long run. */
static void the_interval_of_an_f1_holds_what_it_promises(void **state)
{
    (void)state;
    enum { DRAWS = 2000, IMAGES = 60 };
    /* of the images: class and said so, class and not, said so and not the class */
    const double hit = 0.25, miss = 0.05, false_alarm = 0.1;
    const double truth = 2 * hit / (2 * hit + miss + false_alarm);
    float z[IMAGES][2];
    int y[IMAGES], held = 0;
    afn_rng rng = afn_rng_new(1, 2);
    for (int k = 0; k < DRAWS; k++) {
        afn_metrics m;
        for (int i = 0; i < IMAGES; i++) {
            const double u = afn_rng_double(&rng);
            const bool said =
                u < hit || (u >= hit + miss && u < hit + miss + false_alarm);
            y[i] = u < hit + miss;
            z[i][0] = said ? 0 : 1;
            z[i][1] = said ? 1 : 0;
        }
        const afn_scores s = {
            .count = IMAGES, .classes = 2, .logits = z[0], .labels = y
        };
        assert_ok(afn_measure(&m, &s, 1));
        held += m.per_class[1].f1.low <= truth && truth <= m.per_class[1].f1.high;
        afn_metrics_free(&m);
    }
    assert_in_range(held, DRAWS * 93 / 100, DRAWS * 98 / 100);
}

static void calibration_finds_the_minimum_and_the_quantile(void **state)
{
    (void)state;
    afn_calibration c;
    const afn_scores s = small_case();
    assert_ok(afn_calibrate(&c, &s, 0.3));
    near(c.temperature, 1.5003050924255625);
    near(c.unknown_below, 0.41323600803959565);
    assert_int_equal(N, c.images);
    assert_true(c.quantile == 0.3);
}

/* Without a mistake the likelihood alone would want certainty. */
static void images_without_a_mistake_do_not_lead_to_certainty(void **state)
{
    (void)state;
    afn_calibration c;
    float z[20][3] = { { 0 } };
    int y[20];
    for (int i = 0; i < 20; i++) z[i][y[i] = i % 3] = 2;
    const afn_scores s = { .count = 20, .classes = 3, .logits = z[0], .labels = y };
    assert_ok(afn_calibrate(&c, &s, 0.05));
    near(c.unknown_below, 21.0 / 22); /* what (n+1) of (n+2) means */
}

static void labels_by_chance_make_the_answer_vague(void **state)
{
    (void)state;
    afn_calibration c;
    float z[300][3];
    int y[300];
    afn_rng rng = afn_rng_new(3, 4);
    for (int i = 0; i < 300; i++) {
        y[i] = (int)(3 * afn_rng_double(&rng));
        for (int k = 0; k < 3; k++) z[i][k] = (float)(8 * afn_rng_double(&rng));
    }
    const afn_scores s = { .count = 300, .classes = 3, .logits = z[0], .labels = y };
    assert_ok(afn_calibrate(&c, &s, 0.05));
    assert_true(c.temperature > 15);
    assert_true(c.unknown_below < 0.45);
}

static void what_cannot_be_measured_is_refused(void **state)
{
    (void)state;
    afn_metrics m;
    afn_calibration c;
    afn_scores s = small_case();
    assert_fails(AFN_EINVAL, "temperature is 0", afn_measure(&m, &s, 0));
    assert_fails(AFN_EINVAL, "quantile is 1", afn_calibrate(&c, &s, 1));
    s.count = 0;
    assert_fails(AFN_EINVAL, "no images", afn_measure(&m, &s, 1));
    assert_fails(AFN_EINVAL, "no images", afn_calibrate(&c, &s, 0.05));
    float none[2] = { (float)NAN, 1 };
    int label = 1;
    s = (afn_scores){ .count = 1, .classes = 2, .logits = none, .labels = &label };
    assert_fails(AFN_EINVAL, "no number", afn_calibrate(&c, &s, 0.05));
    assert_ok(afn_measure(&m, &s, 1)); /* counts are still right */
    assert_int_equal(1, m.right);
    afn_metrics_free(&m);
}

static void one_class_and_equal_logits_make_no_trouble(void **state)
{
    (void)state;
    afn_metrics m;
    afn_calibration c;
    float z[3][2] = { { 1, 1 }, { 1, 1 }, { 1, 1 } };
    int y[3] = { 0, 0, 1 };
    afn_scores s = { .count = 3, .classes = 2, .logits = z[0], .labels = y };
    assert_ok(afn_measure(&m, &s, 1));
    near(m.per_class[1].auc, 0.5);
    near(m.kappa, 0);
    near(m.mcc, 0);
    afn_metrics_free(&m);
    assert_ok(afn_calibrate(&c, &s, 0));
    near(c.unknown_below, 0.5);
    s.classes = 1;
    y[2] = 0;
    assert_ok(afn_measure(&m, &s, 1));
    near(m.accuracy.value, 1);
    assert_true(isnan(m.auc) && isnan(m.kappa));
    afn_metrics_free(&m);
    assert_ok(afn_calibrate(&c, &s, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_averages_are_scikit_learns),
        cmocka_unit_test(numbers_of_probabilities_are_scikit_learns),
        cmocka_unit_test(intervals_are_wilsons),
        cmocka_unit_test(the_interval_of_an_f1_holds_what_it_promises),
        cmocka_unit_test(calibration_finds_the_minimum_and_the_quantile),
        cmocka_unit_test(images_without_a_mistake_do_not_lead_to_certainty),
        cmocka_unit_test(labels_by_chance_make_the_answer_vague),
        cmocka_unit_test(what_cannot_be_measured_is_refused),
        cmocka_unit_test(one_class_and_equal_logits_make_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
