/* SPDX-License-Identifier: Apache-2.0 */
/* Files by timm: the same values under torchvision's names. */
#include "model_case.h"

static afn_weights *new_set(void)
{
    afn_weights *w;
    assert_ok(afn_weights_new(&w));
    return w;
}

static void add(afn_weights *w, const char *name, const afn_shape *shape)
{
    float v[16];
    for (int i = 0; i < 16; i++) v[i] = (float)i;
    assert_ok(afn_weights_add(w, name, AFN_F32, shape, v));
}

static afn_arch find(const char *name)
{
    afn_arch arch;
    assert_ok(afn_zoo_find(&arch, name));
    return arch;
}

static void assert_shape(const afn_weights *w, const char *name, const afn_shape *shape)
{
    const afn_weight *t = afn_weights_find(w, name);
    float v[16] = { 0 };
    assert_non_null(t);
    assert_true(afn_shape_equal(&t->shape, shape));
    assert_ok(afn_weights_read_f32(w, t, v, (size_t)afn_shape_count(shape)));
    assert_true(v[1] == 1.0f);
}

static void names_and_ranks_become_torchvisions(void **state)
{
    (void)state;
    const afn_arch convnext = find("convnext_tiny"), vgg = find("vgg11");
    afn_weights *w = new_set(), *renamed;
    add(w, "stages.0.blocks.0.gamma", &AFN_SHAPE(4));
    add(w, "stages.0.blocks.0.odd.weight", &AFN_SHAPE(2, 2));
    assert_ok(afn_model__from_timm(&renamed, w, &convnext));
    assert_shape(renamed, "features.1.0.layer_scale", &AFN_SHAPE(4, 1, 1));
    assert_shape(renamed, "stages.0.blocks.0.odd.weight", &AFN_SHAPE(2, 2));
    afn_weights_free(renamed);
    afn_weights_free(w);

    w = new_set();
    add(w, "pre_logits.fc1.weight", &AFN_SHAPE(2, 2, 2, 2));
    add(w, "pre_logits.fc1.bias", &AFN_SHAPE(2));
    assert_ok(afn_model__from_timm(&renamed, w, &vgg));
    assert_shape(renamed, "classifier.0.weight", &AFN_SHAPE(2, 8));
    assert_shape(renamed, "classifier.0.bias", &AFN_SHAPE(2));
    afn_weights_free(renamed);
    afn_weights_free(w);
}

static void other_files_stay_as_they_are(void **state)
{
    (void)state;
    const afn_arch resnet = find("resnet18"), convnext = find("convnext_tiny");
    afn_weights *w = new_set(), *renamed;
    add(w, "features.0.0.weight", &AFN_SHAPE(4));
    assert_ok(afn_model__from_timm(&renamed, w, &convnext));
    assert_null(renamed);
    assert_ok(afn_model__from_timm(&renamed, w, &resnet));
    assert_null(renamed);
    afn_weights_free(w);
}

static void two_tensors_of_one_name_are_an_error(void **state)
{
    (void)state;
    const afn_arch convnext = find("convnext_tiny");
    afn_weights *w = new_set(), *renamed;
    add(w, "stages.0.blocks.0.gamma", &AFN_SHAPE(4));
    add(w, "features.1.0.layer_scale", &AFN_SHAPE(4));
    assert_fails(AFN_EINVAL, "features.1.0.layer_scale: this name is taken",
                 afn_model__from_timm(&renamed, w, &convnext));
    assert_null(renamed);
    afn_weights_free(w);
}

static void a_network_that_looks_alike_is_refused_by_name(void **state)
{
    (void)state;
    const afn_arch v3 = find("mobilenet_v3_small");
    assert_fails(
        AFN_EUNSUPPORTED,
        "timm's network, not torchvision's mobilenet_v3_small: its batch norms",
        afn_model__check_timm(&v3, true, "x.pth"));
    assert_ok(afn_model__check_timm(&v3, false, "x.pth"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_ranks_become_torchvisions),
        cmocka_unit_test(other_files_stay_as_they_are),
        cmocka_unit_test(two_tensors_of_one_name_are_an_error),
        cmocka_unit_test(a_network_that_looks_alike_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
