/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include <math.h>

/* Mean near 0, deviation near that of a uniform, all within the bound, and the bound
 * nearly reached. */
static void assert_uniform(const float *v, size_t n, double bound)
{
    double sum = 0, squares = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        sum += v[i];
        squares += (double)v[i] * v[i];
        most = fmax(most, fabs((double)v[i]));
    }
    const double error = 5 * bound / sqrt(3.0 * (double)n); /* 5 deviations */
    assert_true(most <= bound);
    assert_true(most > bound * (1 - 20.0 / (double)n));
    assert_true(fabs(sum / (double)n) < error);
    assert_true(fabs(sqrt(squares / (double)n) - bound / sqrt(3)) < error);
}

static void check_distribution(const char *arch, const char *weight, size_t fan_in)
{
    const int classes = 40;
    const size_t n = (size_t)classes * fan_in;
    afn_model *m = new_model(arch, 3);
    assert_ok(afn_model_replace_head(m, classes, 1));
    float *v = values_of(m, weight, n);
    assert_uniform(v, n, 1 / sqrt((double)fan_in));
    free(v);
    afn_model_free(m);
}

static void a_new_head_starts_as_torchs_linear_or_conv2d(void **state)
{
    (void)state;
    check_distribution("resnet18", "fc.weight", 512);
    check_distribution("squeezenet1_1", "classifier.1.weight", 512);
    check_distribution("mobilenet_v2", "classifier.1.weight", 1280);
}

static void the_bias_is_random_too(void **state)
{
    (void)state;
    afn_model *m = new_model("mobilenet_v2", 3);
    assert_ok(afn_model_replace_head(m, 1000, 1));
    float *v = values_of(m, "classifier.1.bias", 1000);
    assert_uniform(v, 1000, 1 / sqrt(1280.0));
    free(v);
    afn_model_free(m);
}

static bool in_head(const afn_model *m, int i)
{
    const char *head = afn_model_head(m);
    return strncmp(afn_graph_param(afn_model__graph(m), i)->name, head, strlen(head)) ==
           0;
}

static void all_else_keeps_its_values_and_flags(void **state)
{
    (void)state;
    afn_model *old = new_model("resnet18", 3), *m = new_model("resnet18", 3);
    assert_ok(afn_model_freeze(m, "*"));
    assert_ok(afn_model_unfreeze(m, "layer3"));
    assert_ok(afn_model_freeze(old, "*"));
    assert_ok(afn_model_unfreeze(old, "layer3"));
    *afn_params_i64(afn_model__params(m), 5) = 42;
    *afn_params_i64(afn_model__params(old), 5) = 42;
    assert_ok(afn_model_replace_head(m, 17, 1));
    assert_int_equal(afn_model_classes(m), 17);
    for (int i = 0; i < afn_model_n_params(m); i++) {
        if (in_head(m, i)) {
            assert_true(afn_model__trainable(m)[i]);
            assert_int_equal(afn_graph_param(afn_model__graph(m), i)->shape.dim[0], 17);
        } else {
            assert_same_param(m, old, i);
            assert_int_equal(afn_model__trainable(m)[i], afn_model__trainable(old)[i]);
        }
    }
    afn_model_free(m);
    afn_model_free(old);
}

static void the_seed_decides(void **state)
{
    (void)state;
    afn_model *a = new_model(SMALL, 3), *b = new_model(SMALL, 3);
    assert_ok(afn_model_replace_head(a, 4, 11));
    assert_ok(afn_model_replace_head(b, 4, 11));
    assert_same_values(a, b);
    assert_ok(afn_model_replace_head(b, 4, 12));
    float *x = values_of(a, "classifier.1.weight", 4 * 512);
    float *y = values_of(b, "classifier.1.weight", 4 * 512);
    assert_memory_not_equal(x, y, 4 * 512 * sizeof *x);
    free(x);
    free(y);
    afn_model_free(a);
    afn_model_free(b);
}

static void class_names_are_forgotten(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 2);
    assert_ok(afn_model_set_class_names(m, (const char *[]){ "a", "b" }, 2));
    assert_ok(afn_model_replace_head(m, 2, 1));
    assert_null(afn_model_class_name(m, 0));
    afn_model_free(m);
}

static void a_count_out_of_range_is_refused(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 2);
    assert_fails(AFN_EINVAL, "0 classes", afn_model_replace_head(m, 0, 1));
    assert_fails(AFN_EINVAL, "-3 classes", afn_model_replace_head(m, -3, 1));
    assert_fails(AFN_EINVAL, "classes", afn_model_replace_head(m, INT32_MAX, 1));
    assert_int_equal(afn_model_classes(m), 2);
    afn_model_free(m);
}

static void a_failing_allocation_changes_nothing(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 2), *old = new_model(SMALL, 2);
    int64_t k = 1;
    for (;; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_model_replace_head(m, 5, 1);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) break;
        assert_int_equal(st, AFN_ENOMEM);
        assert_same_values(m, old);
    }
    assert_true(k > 10);
    assert_int_equal(afn_model_classes(m), 5);
    afn_model_free(m);
    afn_model_free(old);
}

/* Of the parameters of either, those that the other has too are the same. */
static void auxiliary_classifiers_can_be_left_out(void **state)
{
    (void)state;
    afn_model *m = new_model("googlenet", 5), *plain;
    const char *path = file_in("head_aux", "plain.safetensors");
    assert_int_equal(afn_model_n_aux(m), 2);
    float *before = values_of(m, "fc.weight", (size_t)5 * 1024);
    assert_ok(afn_model_drop_aux(m));
    assert_int_equal(afn_model_n_aux(m), 0);
    assert_int_equal(afn_graph_find_param(afn_model__graph(m), "aux1.fc2.weight"), -1);
    float *after = values_of(m, "fc.weight", (size_t)5 * 1024);
    assert_memory_equal(before, after, (size_t)5 * 1024 * sizeof *before);
    assert_ok(afn_model_save(m, path));
    assert_ok(afn_model_open(&plain, NULL, path));
    assert_int_equal(afn_model_n_aux(plain), 0);
    assert_ok(afn_model_replace_head(plain, 9, 1));
    assert_int_equal(afn_model_n_aux(plain), 0);
    free(before);
    free(after);
    afn_model_free(m);
    afn_model_free(plain);
    remove_files("head_aux");
}

static void a_new_head_is_one_of_auxiliary_classifiers_too(void **state)
{
    (void)state;
    afn_model *m = new_model("googlenet", 5);
    assert_ok(afn_model_replace_head(m, 9, 1));
    assert_int_equal(afn_model_n_aux(m), 2);
    float *v = values_of(m, "aux2.fc2.weight", (size_t)9 * 1024);
    assert_uniform(v, (size_t)9 * 1024, 1 / sqrt(1024.0));
    free(v);
    afn_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_head_starts_as_torchs_linear_or_conv2d),
        cmocka_unit_test(the_bias_is_random_too),
        cmocka_unit_test(auxiliary_classifiers_can_be_left_out),
        cmocka_unit_test(a_new_head_is_one_of_auxiliary_classifiers_too),
        cmocka_unit_test(all_else_keeps_its_values_and_flags),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(class_names_are_forgotten),
        cmocka_unit_test(a_count_out_of_range_is_refused),
        cmocka_unit_test(a_failing_allocation_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
