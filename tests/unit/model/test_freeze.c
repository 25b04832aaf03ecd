/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

static bool trainable(const afn_model *m, const char *name)
{
    return afn_model__trainable(m)[afn_graph_find_param(afn_model__graph(m), name)];
}

static int count_trainable(const afn_model *m)
{
    int n = 0;
    for (int i = 0; i < afn_model_n_params(m); i++) n += afn_model__trainable(m)[i];
    return n;
}

/* One model for all tests, as fresh weights take a moment. */
static int make(void **state)
{
    *state = new_model("resnet18", 4);
    return 0;
}

static int setup(void **state)
{
    assert_ok(afn_model_unfreeze(*state, "*"));
    return 0;
}

static int teardown(void **state)
{
    afn_model_free(*state);
    return 0;
}

static void all_parameters_train_at_first_and_no_buffer(void **state)
{
    const afn_model *m = *state;
    assert_int_equal(count_trainable(m), 62); /* of torchvision's resnet18 */
    for (int i = 0; i < afn_model_n_params(m); i++) {
        afn_param_info p;
        assert_ok(afn_model_param(m, i, &p));
        assert_int_equal(p.trainable, !p.buffer);
    }
}

static void a_star_takes_everything_but_buffers(void **state)
{
    afn_model *m = *state;
    assert_ok(afn_model_freeze(m, "*"));
    assert_int_equal(count_trainable(m), 0);
    assert_ok(afn_model_unfreeze(m, "*"));
    assert_int_equal(count_trainable(m), 62);
}

static void the_name_of_a_layer_takes_all_below_it(void **state)
{
    afn_model *m = *state;
    assert_ok(afn_model_freeze(m, "*"));
    assert_ok(afn_model_unfreeze(m, "fc"));
    assert_int_equal(count_trainable(m), 2);
    assert_true(trainable(m, "fc.weight"));
    assert_ok(afn_model_unfreeze(m, "layer4.1"));
    assert_int_equal(count_trainable(m), 8);
    assert_true(trainable(m, "layer4.1.bn2.bias"));
    assert_false(trainable(m, "layer4.0.bn2.bias"));
    assert_false(trainable(m, "layer4.1.bn2.running_mean"));
}

static void a_layers_name_does_not_take_one_that_begins_like_it(void **state)
{
    afn_model *m = *state;
    assert_ok(afn_model_freeze(m, "bn1")); /* not layer1.0.bn1 */
    assert_int_equal(count_trainable(m), 60);
    assert_fails(AFN_ENOTFOUND, "'layer'", afn_model_freeze(m, "layer"));
    assert_ok(afn_model_freeze(m, "layer?"));
    assert_int_equal(count_trainable(m), 3);
}

static void commas_separate_alternatives_and_blanks_do_not_count(void **state)
{
    afn_model *m = *state;
    assert_ok(afn_model_freeze(m, "*"));
    assert_ok(afn_model_unfreeze(m, " layer4 , fc.bias"));
    assert_int_equal(count_trainable(m), 16);
    assert_false(trainable(m, "fc.weight"));
}

static void patterns_can_choose_kinds_of_layers(void **state)
{
    afn_model *m = *state;
    assert_ok(afn_model_freeze(m, "*bn?.*,*.downsample.1"));
    assert_int_equal(count_trainable(m), 22); /* 20 convolutions, fc's two */
}

static void an_unknown_layer_is_an_error_that_lists_the_known(void **state)
{
    afn_model *m = *state;
    assert_fails(AFN_ENOTFOUND,
                 "no parameter matches 'layer5': there are conv1, bn1, layer1, layer2, "
                 "layer3, layer4, fc",
                 afn_model_freeze(m, "layer5"));
    assert_fails(AFN_ENOTFOUND,
                 "no parameter matches 'layer4.2': there are layer4.0, layer4.1",
                 afn_model_freeze(m, "layer4.2"));
    assert_fails(AFN_ENOTFOUND, "there are layer4.0.conv1, layer4.0.bn1",
                 afn_model_freeze(m, "layer4.0.conv9.weight"));
    assert_fails(AFN_ENOTFOUND, "there are conv1", afn_model_freeze(m, "a.b.c.d"));
    assert_fails(AFN_ENOTFOUND, "there are conv1", afn_model_freeze(m, "..."));
    assert_fails(AFN_ENOTFOUND, "matches ''", afn_model_freeze(m, ""));
}

static void buffers_are_no_parameters(void **state)
{
    assert_fails(AFN_ENOTFOUND, "*.running_mean",
                 afn_model_freeze(*state, "*.running_mean"));
}

static void one_bad_alternative_changes_nothing(void **state)
{
    afn_model *m = *state;
    assert_fails(AFN_ENOTFOUND, "'layer9'", afn_model_freeze(m, "layer4,layer9"));
    assert_int_equal(count_trainable(m), 62);
}

static void a_failing_allocation_changes_nothing(void **state)
{
    afn_model *m = *state;
    int64_t k = 1;
    for (;; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_model_freeze(m, "layer1,fc");
        afn_alloc_fail_at(0);
        if (st == AFN_OK) break;
        assert_int_equal(st, AFN_ENOMEM);
        assert_int_equal(count_trainable(m), 62);
    }
    assert_true(k > 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(all_parameters_train_at_first_and_no_buffer),
        TEST(a_star_takes_everything_but_buffers),
        TEST(the_name_of_a_layer_takes_all_below_it),
        TEST(a_layers_name_does_not_take_one_that_begins_like_it),
        TEST(commas_separate_alternatives_and_blanks_do_not_count),
        TEST(patterns_can_choose_kinds_of_layers),
        TEST(an_unknown_layer_is_an_error_that_lists_the_known),
        TEST(buffers_are_no_parameters),
        TEST(one_bad_alternative_changes_nothing),
        TEST(a_failing_allocation_changes_nothing),
    };
    return cmocka_run_group_tests(tests, make, teardown);
}
