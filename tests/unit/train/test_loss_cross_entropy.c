/* SPDX-License-Identifier: Apache-2.0 */
/* Cross-entropy against torch.nn.functional.cross_entropy (PyTorch 1.13.1). */
#include <math.h>

#include "afn_test.h"
#include "train/loss.h"

static const float logits[] = { 1, 2, 3, 1000, -1000, 0.5f, 0, 0, 0 };
static const int labels[] = { 0, 2, 1 };
static const afn_scored rows = {
    .logits = logits, .labels = labels, .n = 3, .classes = 3
};

static void loss_and_gradient_are_pytorchs_without_overflow(void **state)
{
    (void)state;
    static const double expected[] = {
        -0.30332315,  0.0815761685, 0.221747011,  0.333333343, 0,
        -0.333333343, 0.111111104,  -0.222222239, 0.111111104
    };
    float d[9];
    assert_float_equal(afn_cross_entropy(&rows, d), 334.335419, 1e-3);
    for (int i = 0; i < 9; i++) assert_float_equal(d[i], expected[i], 1e-7);
    assert_float_equal(afn_cross_entropy(&rows, NULL), 334.335419, 1e-3);
}

static void class_weights_weigh_as_in_pytorch(void **state)
{
    (void)state;
    static const float weight[] = { 0.5f, 2, 3.25f }, none[] = { 0, 0, 0 };
    static const double expected[] = {
        -0.0791277736, 0.0212807395, 0.0578470454, 0.565217376, 0,
        -0.565217376,  0.115942024,  -0.231884062, 0.115942024
    };
    afn_scored weighted = rows, nothing = rows;
    float d[9];
    weighted.class_weight = weight;
    nothing.class_weight = none;
    assert_float_equal(afn_cross_entropy(&weighted, d), 565.526306, 1e-3);
    for (int i = 0; i < 9; i++) assert_float_equal(d[i], expected[i], 1e-7);
    assert_float_equal(afn_cross_entropy(&nothing, d), 0, 0);
    for (int i = 0; i < 9; i++) assert_float_equal(d[i], 0, 0);

    static const int other[] = { 2, 2, 0 };
    static const double smooth[] = { -0.0711125302, 0.0157160758,  0.0553964545,
                                     0.539130435,   -0.0115942029, -0.527536232,
                                     0.112560386,   -0.209178744,  0.0966183575 };
    static const double mixed[] = { 0.0186125661, 0.14508416,    -0.163696726,
                                    0.983333333,  -0.0444444444, -0.938888889,
                                    0.0225925926, -0.0774074074, 0.0548148148 };
    weighted.smoothing = 0.1;
    assert_float_equal(afn_cross_entropy(&weighted, d), 551.0608028931215, 1e-3);
    for (int i = 0; i < 9; i++) assert_float_equal(d[i], smooth[i], 1e-7);
    weighted.smoothing = 0.2;
    weighted.other = other;
    weighted.share = 0.3;
    assert_float_equal(afn_cross_entropy(&weighted, d), 1028.189361524701, 1e-3);
    for (int i = 0; i < 9; i++) assert_float_equal(d[i], mixed[i], 1e-7);
}

/* PyTorch in double: cross_entropy(x, t, label_smoothing=e), t of indices or shares. */
static void smoothed_and_shared_labels_are_pytorchs(void **state)
{
    (void)state;
    static const int other[] = { 2, 2, 0 };
    static const struct {
        const int *other;
        double share, smoothing, loss, d[9];
    } row[] = {
        { NULL,
          0,
          0.1,
          334.31318386214866,
          { -0.28110092, 0.0704650459, 0.210635874, 0.322222222, -0.0111111111,
            -0.311111111, 0.1, -0.2, 0.1 } },
        { other,
          0.3,
          0,
          333.8687394177042,
          { -0.0699898089, 0.081576157, -0.0115863481, 0.333333333, 0, -0.333333333,
            -0.122222222, 0.0111111111, 0.111111111 } },
        { other,
          0.3,
          0.2,
          333.91762830659303,
          { -0.0722120312, 0.0593539348, 0.0128580964, 0.311111111, -0.0222222222,
            -0.288888889, -0.0977777778, 0.00888888889, 0.0888888889 } },
        { NULL,
          0,
          1,
          334.1131838621486,
          { -0.0811009201, -0.0295349541, 0.110635874, 0.222222222, -0.111111111,
            -0.111111111, 0, 0, 0 } },
        { other,
          1, /* all the first's: as if there were no other */
          0,
          334.335419,
          { -0.30332315, 0.0815761685, 0.221747011, 0.333333343, 0, -0.333333343,
            0.111111104, -0.222222239, 0.111111104 } },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_scored s = rows;
        float d[9];
        s.other = row[i].other;
        s.share = row[i].share;
        s.smoothing = row[i].smoothing;
        assert_float_equal(afn_cross_entropy(&s, d), row[i].loss, 1e-5);
        for (int k = 0; k < 9; k++) assert_float_equal(d[k], row[i].d[k], 1e-7);
    }
}

/* A class that a label leaves out may be as unlikely as it likes. */
static void what_a_label_leaves_out_may_be_infinite(void **state)
{
    (void)state;
    const float x[] = { 1, -INFINITY, 1 };
    const int label[] = { 0 }, other[] = { 2 };
    float d[3];
    const afn_scored s = { .logits = x,
                           .labels = label,
                           .n = 1,
                           .classes = 3,
                           .other = other,
                           .share = 0.25 };
    assert_float_equal(afn_cross_entropy(&s, d), log(2), 1e-12);
    assert_float_equal(d[0], 0.25, 1e-7);
    assert_float_equal(d[1], 0, 0);
    assert_float_equal(d[2], -0.25, 1e-7);
}

static void ranks_count_what_lies_above_and_ties_go_to_the_first(void **state)
{
    (void)state;
    assert_int_equal(afn_rank_of_label(&rows, 0), 2);
    assert_int_equal(afn_rank_of_label(&rows, 1), 1);
    assert_int_equal(afn_rank_of_label(&rows, 2), 1);
    assert_int_equal(afn_best_class(&rows, 0), 2);
    assert_int_equal(afn_best_class(&rows, 1), 0);
    assert_int_equal(afn_best_class(&rows, 2), 0);
}

static void nan_is_never_the_best_and_makes_the_loss_nan(void **state)
{
    (void)state;
    const float x[] = { NAN, 1, 2 };
    const int label[] = { 0 };
    const afn_scored s = { .logits = x, .labels = label, .n = 1, .classes = 3 };
    assert_int_equal(afn_best_class(&s, 0), 2);
    assert_int_equal(afn_rank_of_label(&s, 0), 2);
    assert_true(isnan(afn_cross_entropy(&s, NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_and_gradient_are_pytorchs_without_overflow),
        cmocka_unit_test(class_weights_weigh_as_in_pytorch),
        cmocka_unit_test(smoothed_and_shared_labels_are_pytorchs),
        cmocka_unit_test(what_a_label_leaves_out_may_be_infinite),
        cmocka_unit_test(ranks_count_what_lies_above_and_ties_go_to_the_first),
        cmocka_unit_test(nan_is_never_the_best_and_makes_the_loss_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
