/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include <math.h>

static void the_same_seed_gives_the_same_weights(void **state)
{
    (void)state;
    afn_model *a, *b;
    assert_ok(afn_model_new(&a, SMALL, 4, 9));
    assert_ok(afn_model_new(&b, SMALL, 4, 9));
    assert_same_values(a, b);
    afn_model_free(b);
    assert_ok(afn_model_new(&b, SMALL, 4, 10));
    float *x = values_of(a, "features.0.weight", 64 * 27);
    float *y = values_of(b, "features.0.weight", 64 * 27);
    assert_memory_not_equal(x, y, 64 * 27 * sizeof *x);
    free(x);
    free(y);
    afn_model_free(a);
    afn_model_free(b);
    afn_model_free(NULL);
}

static void a_model_describes_itself(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 4);
    assert_string_equal(afn_model_arch(m), SMALL);
    assert_string_equal(afn_model_head(m), "classifier.1");
    assert_int_equal(afn_model_classes(m), 4);
    assert_null(afn_model_class_name(m, 0));
    assert_int_equal(afn_model_preprocess(m).resize, 256);
    assert_int_equal(afn_model_preprocess(m).crop, 224);
    afn_model_free(m);
}

static void unknown_architectures_and_counts_are_refused(void **state)
{
    (void)state;
    afn_model *m;
    assert_fails(AFN_ENOTFOUND, "did you mean resnet50?",
                 afn_model_new(&m, "resnet5O", 2, 1));
    assert_null(m);
    assert_fails(AFN_EINVAL, "0 classes", afn_model_new(&m, SMALL, 0, 1));
    assert_fails(AFN_EINVAL, "classes", afn_model_new(&m, SMALL, INT32_MAX, 1));
    assert_fails(AFN_ENOTFOUND, "did you mean",
                 afn_model_open(&m, "resnet5O", "/none.pth"));
    assert_fails(AFN_ENOTFOUND, "/none.pth", afn_model_open(&m, SMALL, "/none.pth"));
    assert_null(m);
}

static void another_crop_keeps_values_and_flags(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 4), *old = new_model(SMALL, 4);
    afn_preprocess p = afn_model_preprocess(m);
    assert_ok(afn_model_freeze(m, "features"));
    p.crop = 64;
    assert_ok(afn_model_set_preprocess(m, &p));
    assert_same_values(m, old);
    assert_int_equal(afn_graph_node(afn_model__graph(m), 0)->shape.dim[1], 64);
    for (int i = 0; i < afn_model_n_params(m); i++)
        assert_int_equal(
            afn_model__trainable(m)[i],
            afn_model__below(afn_graph_param(afn_model__graph(m), i)->name, "features")
                ? 0
                : 1);
    afn_model_free(m);
    afn_model_free(old);
}

static void preprocessing_out_of_range_is_refused(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 4);
    const afn_preprocess good = afn_model_preprocess(m);
    afn_preprocess p = good;
#define REFUSED(change, code, text)                                                    \
    p = good;                                                                          \
    change;                                                                            \
    assert_fails(code, text, afn_model_set_preprocess(m, &p))
    REFUSED(p.resize = -1, AFN_EINVAL, "resize to -1");
    REFUSED(p.resize = 65537, AFN_EINVAL, "resize to 65537");
    REFUSED(p.crop = 0, AFN_EINVAL, "crop of 0");
    REFUSED(p.crop = 16385, AFN_EINVAL, "crop of 16385");
    REFUSED(p.crop = 16, AFN_ESHAPE, "squeezenet1_1 needs at least 17");
    REFUSED(p.filter = AFN_N_FILTERS, AFN_EINVAL, "filter");
    REFUSED(p.mean[1] = NAN, AFN_EINVAL, "mean of channel 1");
    REFUSED(p.std[2] = 0, AFN_EINVAL, "std of channel 2");
    REFUSED(p.std[0] = INFINITY, AFN_EINVAL, "std of channel 0");
    p = afn_model_preprocess(m);
    assert_int_equal(p.crop, good.crop);
    assert_int_equal(p.resize, good.resize);
    afn_model_free(m);
}

static void normalisation_reaches_the_plan(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 4);
    afn_plan_opts o = { .batch = 3 };
    afn_model__normalisation(m, &o);
    assert_true(o.mean[0] == 0.485f && o.std[2] == 0.225f && o.batch == 3);
    afn_model_free(m);
}

static void class_names_are_copied_counted_and_forgotten(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 2);
    char first[] = "rose";
    const char *name[] = { first, "tulip" };
    assert_ok(afn_model_set_class_names(m, name, 2));
    first[0] = 'n';
    assert_string_equal(afn_model_class_name(m, 0), "rose");
    assert_null(afn_model_class_name(m, 2));
    assert_null(afn_model_class_name(m, -1));
    assert_fails(AFN_EINVAL, "1 class names for a network of 2",
                 afn_model_set_class_names(m, name, 1));
    assert_fails(AFN_EINVAL, "0 class names", afn_model_set_class_names(m, name, 0));
    assert_fails(AFN_EINVAL, "2 class names", afn_model_set_class_names(m, NULL, 2));
    name[1] = NULL;
    assert_fails(AFN_EINVAL, "class 1 is missing",
                 afn_model_set_class_names(m, name, 2));
    assert_string_equal(afn_model_class_name(m, 1), "tulip");
    assert_ok(afn_model_set_class_names(m, NULL, 0));
    assert_null(afn_model_class_name(m, 0));
    afn_model_free(m);
}

static void parameters_are_listed_read_and_written_by_name(void **state)
{
    (void)state;
    afn_model *m = new_model("mobilenet_v2", 2);
    afn_param_info p;
    float v[32];
    assert_ok(afn_model_param(m, 5, &p));
    assert_string_equal(p.name, "features.0.1.num_batches_tracked");
    assert_true(p.buffer && !p.trainable && p.dtype == AFN_I64 && p.shape.rank == 0);
    assert_fails(AFN_EINVAL, "parameter -1", afn_model_param(m, -1, &p));
    assert_int_equal(afn_model_param(m, afn_model_n_params(m), &p), AFN_EINVAL);
    assert_null(p.name);

    for (int i = 0; i < 32; i++) v[i] = (float)i;
    assert_ok(afn_model_write_param(m, "features.0.1.running_mean", v, 32));
    memset(v, 0, sizeof v);
    assert_ok(afn_model_read_param(m, "features.0.1.running_mean", v, 32));
    assert_true(v[31] == 31.0f);
    assert_fails(AFN_ESHAPE, "has 32 values, not 31",
                 afn_model_read_param(m, "features.0.1.running_mean", v, 31));
    assert_fails(AFN_EINVAL, "is int64",
                 afn_model_read_param(m, "features.0.1.num_batches_tracked", v, 1));
    assert_fails(AFN_ENOTFOUND, "did you mean classifier.1.bias?",
                 afn_model_write_param(m, "classifier.1.bais", v, 2));
    assert_fails(AFN_ENOTFOUND, "mobilenet_v2 has no such parameter",
                 afn_model_write_param(m, "x", v, 2));
    afn_model_free(m);
}

static void architectures_are_listed_with_torchvisions_numbers(void **state)
{
    (void)state;
    bool found = false;
    for (int i = 0; i < afn_arch_count(); i++) {
        afn_arch_info a;
        assert_ok(afn_arch_get(&a, i));
        assert_true(a.parameters > 0 && a.macs > 0 && a.min_size <= a.crop);
        if (strcmp(a.name, "resnet50") != 0) continue;
        found = true;
        assert_string_equal(a.family, "resnet");
        assert_string_equal(a.head, "fc");
        assert_int_equal(a.parameters, 25557032);
        assert_true(fabs(a.macs / 1e9 - 4.089) < 0.001);
        assert_true(a.resize == 256 && a.crop == 224);
    }
    assert_true(found);
    afn_arch_info a;
    assert_int_equal(afn_arch_get(&a, -1), AFN_EINVAL);
    assert_int_equal(afn_arch_get(&a, afn_arch_count()), AFN_EINVAL);
}

static void every_failing_allocation_of_a_new_model_is_reported(void **state)
{
    (void)state;
    afn_model *m;
    int64_t k = 1;
    for (;; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_model_new(&m, SMALL, 2, 1);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) break;
        assert_int_equal(st, AFN_ENOMEM);
        assert_null(m);
    }
    assert_true(k > 10);
    afn_model_free(m);
}

static void torchvisions_own_weights_open(void **state)
{
    (void)state;
    const char *path = shared_data("weights/resnet18.pth");
    afn_model *m;
    if (!path) skip();
    assert_ok(afn_model_open(&m, "resnet18", path));
    assert_int_equal(afn_model_classes(m), 1000);
    float *conv = values_of(m, "conv1.weight", 64 * 3 * 49);
    for (int i = 0; i < 64 * 3 * 49; i++) assert_true(fabsf(conv[i]) < 2);
    assert_true(conv[0] != 0);
    free(conv);
    afn_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_weights),
        cmocka_unit_test(a_model_describes_itself),
        cmocka_unit_test(unknown_architectures_and_counts_are_refused),
        cmocka_unit_test(another_crop_keeps_values_and_flags),
        cmocka_unit_test(preprocessing_out_of_range_is_refused),
        cmocka_unit_test(normalisation_reaches_the_plan),
        cmocka_unit_test(class_names_are_copied_counted_and_forgotten),
        cmocka_unit_test(parameters_are_listed_read_and_written_by_name),
        cmocka_unit_test(architectures_are_listed_with_torchvisions_numbers),
        cmocka_unit_test(every_failing_allocation_of_a_new_model_is_reported),
        cmocka_unit_test(torchvisions_own_weights_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
