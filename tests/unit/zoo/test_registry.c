/* SPDX-License-Identifier: Apache-2.0 */
/* Every architecture by name, with its size.  Counts of parameters and of
 * multiply-accumulates are those that torchvision publishes (weights_table.c). */
#include <math.h>

#include "afn_test.h"
#include "zoo/zoo.h"

static const struct {
    const char *name, *head;
    int min_size;
} known[] = {
    { "alexnet", "classifier.6", 63 },
    { "vgg11", "classifier.6", 32 },
    { "vgg13", "classifier.6", 32 },
    { "vgg16", "classifier.6", 32 },
    { "vgg19", "classifier.6", 32 },
    { "vgg11_bn", "classifier.6", 32 },
    { "vgg13_bn", "classifier.6", 32 },
    { "vgg16_bn", "classifier.6", 32 },
    { "vgg19_bn", "classifier.6", 32 },
    { "squeezenet1_0", "classifier.1", 21 },
    { "squeezenet1_1", "classifier.1", 17 },
    { "resnet18", "fc", 1 },
    { "resnet34", "fc", 1 },
    { "resnet50", "fc", 1 },
    { "resnet101", "fc", 1 },
    { "resnet152", "fc", 1 },
    { "resnext50_32x4d", "fc", 1 },
    { "resnext101_32x8d", "fc", 1 },
    { "resnext101_64x4d", "fc", 1 },
    { "wide_resnet50_2", "fc", 1 },
    { "wide_resnet101_2", "fc", 1 },
    { "mobilenet_v2", "classifier.1", 1 },
    { "shufflenet_v2_x0_5", "fc", 1 },
    { "shufflenet_v2_x1_0", "fc", 1 },
    { "shufflenet_v2_x1_5", "fc", 1 },
    { "shufflenet_v2_x2_0", "fc", 1 },
    { "convnext_tiny", "classifier.2", 32 },
    { "convnext_small", "classifier.2", 32 },
    { "convnext_base", "classifier.2", 32 },
    { "convnext_large", "classifier.2", 32 },
    { "googlenet", "fc", 15 },
    { "inception_v3", "fc", 75 },
    { "densenet121", "classifier", 29 },
    { "densenet161", "classifier", 29 },
    { "densenet169", "classifier", 29 },
    { "densenet201", "classifier", 29 },
    { "mnasnet0_5", "classifier.1", 1 },
    { "mnasnet0_75", "classifier.1", 1 },
    { "mnasnet1_0", "classifier.1", 1 },
    { "mnasnet1_3", "classifier.1", 1 },
    { "regnet_x_400mf", "fc", 1 },
    { "regnet_x_800mf", "fc", 1 },
    { "regnet_x_1_6gf", "fc", 1 },
    { "regnet_x_3_2gf", "fc", 1 },
    { "regnet_x_8gf", "fc", 1 },
    { "regnet_x_16gf", "fc", 1 },
    { "regnet_x_32gf", "fc", 1 },
    { "regnet_y_400mf", "fc", 1 },
    { "regnet_y_800mf", "fc", 1 },
    { "regnet_y_1_6gf", "fc", 1 },
    { "regnet_y_3_2gf", "fc", 1 },
    { "regnet_y_8gf", "fc", 1 },
    { "regnet_y_16gf", "fc", 1 },
    { "regnet_y_32gf", "fc", 1 },
    { "regnet_y_128gf", "fc", 1 },
    { "mobilenet_v3_large", "classifier.3", 1 },
    { "mobilenet_v3_small", "classifier.3", 1 },
    { "efficientnet_b0", "classifier.1", 1 },
    { "efficientnet_b1", "classifier.1", 1 },
    { "efficientnet_b2", "classifier.1", 1 },
    { "efficientnet_b3", "classifier.1", 1 },
    { "efficientnet_b4", "classifier.1", 1 },
    { "efficientnet_b5", "classifier.1", 1 },
    { "efficientnet_b6", "classifier.1", 1 },
    { "efficientnet_b7", "classifier.1", 1 },
    { "efficientnet_v2_s", "classifier.1", 1 },
    { "efficientnet_v2_m", "classifier.1", 1 },
    { "efficientnet_v2_l", "classifier.1", 1 },
};

static afn_arch find(const char *name)
{
    afn_arch arch;
    assert_ok(afn_zoo_find(&arch, name));
    return arch;
}

static void every_network_is_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(afn_zoo_count(), AFN_COUNT(known));
    for (int i = 0; i < afn_zoo_count(); i++)
        assert_string_equal(afn_zoo_get(i).variant->name, known[i].name);
    for (size_t i = 0; i < AFN_COUNT(known); i++) {
        const afn_arch arch = find(known[i].name);
        assert_string_equal(arch.variant->name, known[i].name);
        assert_int_equal(afn_zoo_min_size(&arch), known[i].min_size);
    }
}

static void an_unknown_name_gets_the_nearest(void **state)
{
    (void)state;
    afn_arch arch;
    assert_fails(AFN_ENOTFOUND, "resnet5: no such model, did you mean resnet50?",
                 afn_zoo_find(&arch, "resnet5"));
    assert_null(arch.family);
    assert_fails(AFN_ENOTFOUND, "did you mean mobilenet_v2?",
                 afn_zoo_find(&arch, "MobileNetV2"));
    assert_fails(AFN_ENOTFOUND, "transformer: no such model",
                 afn_zoo_find(&arch, "transformer"));
    assert_null(strstr(afn_error_message(), "did you mean"));
    assert_fails(AFN_ENOTFOUND, "no such model", afn_zoo_find(&arch, ""));
}

static int64_t count_trainable(const afn_graph *g)
{
    int64_t n = 0;
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        const afn_param *p = afn_graph_param(g, i);
        if (!p->buffer) n += afn_shape_count(&p->shape);
    }
    return n;
}

static void parameters_and_arithmetic_are_torchvisions(void **state)
{
    (void)state;
    for (int i = 0; i < afn_pretrained_count(); i++) {
        const afn_pretrained *w = afn_pretrained_get(i);
        const int crop = w->preprocess.crop;
        afn_arch arch;
        afn_graph *g;
        if (afn_zoo_find(&arch, w->arch) != AFN_OK) continue;
        /* torchvision counts Inception's auxiliary classifier, not GoogLeNet's. */
        const bool plain = strcmp(w->arch, "googlenet") == 0;
        assert_ok(
            (plain ? afn_zoo_build_plain : afn_zoo_build)(&g, &arch, 1000, crop, crop));
        assert_int_equal(count_trainable(g), w->parameters);
        assert_true(fabs(afn_graph_macs(g) * 1e-9 - w->gmacs) <= 0.000501);
        afn_graph_free(g);
    }
}

static void the_head_is_the_layer_that_makes_the_classes(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(known); i++) {
        const afn_arch arch = find(known[i].name);
        afn_graph *g;
        char weight[64];
        assert_string_equal(arch.family->head, known[i].head);
        assert_ok(afn_zoo_build(&g, &arch, 7, 96, 80));
        snprintf(weight, sizeof weight, "%s.weight", arch.family->head);
        const int index = afn_graph_find_param(g, weight);
        assert_true(index >= 0);
        assert_int_equal(afn_graph_param(g, index)->shape.dim[0], 7);
        const afn_node *out = afn_graph_node(g, afn_graph_output(g));
        assert_int_equal(out->shape.rank, 1);
        assert_int_equal(afn_graph_classes(g), 7);
        afn_graph_free(g);
    }
}

static void auxiliary_classifiers_come_with_images_they_can_take(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int size, aux;
        float weight;
    } row[] = { { "googlenet", 15, 2, 0.3f },
                { "inception_v3", 299, 1, 0.4f },
                { "inception_v3", 298, 0, 0 } };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        const afn_arch arch = find(row[i].name);
        const int size = row[i].size;
        afn_graph *with, *without;
        assert_ok(afn_zoo_build(&with, &arch, 7, size, size));
        assert_ok(afn_zoo_build_plain(&without, &arch, 7, size, size));
        assert_int_equal(afn_graph_n_aux(with), row[i].aux);
        assert_int_equal(afn_graph_n_aux(without), 0);
        assert_int_equal(afn_graph_classes(with), 7);
        assert_true(afn_graph_macs(with) == afn_graph_macs(without));
        for (int k = 0; k < row[i].aux; k++)
            assert_true(afn_graph_aux_weight(with, k) == row[i].weight);
        for (int p = 0; p < afn_graph_n_params(with); p++) {
            const char *name = afn_graph_param(with, p)->name;
            const bool both = afn_graph_find_param(without, name) >= 0;
            assert_int_equal(both, afn_zoo_aux_of(&arch, name) == NULL);
        }
        afn_graph_free(with);
        afn_graph_free(without);
    }
}

static void parameter_names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(known); i++) {
        const afn_arch arch = find(known[i].name);
        afn_graph *g;
        assert_ok(afn_zoo_build(&g, &arch, 10, 224, 224));
        for (int p = 0; p < afn_graph_n_params(g); p++)
            assert_int_equal(afn_graph_find_param(g, afn_graph_param(g, p)->name), p);
        afn_graph_free(g);
    }
}

static void the_smallest_image_works_and_one_pixel_less_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(known); i++) {
        const afn_arch arch = find(known[i].name);
        const int min = known[i].min_size;
        afn_graph *g;
        char text[64];
        assert_ok(afn_zoo_build(&g, &arch, 10, min, min));
        afn_graph_free(g);
        snprintf(text, sizeof text, "%s: images of 300x%d pixels, need at least %dx%d",
                 known[i].name, min - 1, min, min);
        assert_fails(AFN_ESHAPE, text, afn_zoo_build(&g, &arch, 10, min - 1, 300));
        assert_null(g);
    }
}

/* min_size is a promise about the shape rules: below it no layer could work. */
static void one_pixel_below_the_smallest_does_not_fit_the_layers(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(known); i++) {
        const afn_arch arch = find(known[i].name);
        const int min = known[i].min_size;
        afn_graph *g;
        if (min == 1) continue;
        assert_ok(afn_graph_new(&g, 3, min - 1, min - 1));
        const afn_value x = afn_input(g);
        const afn_value y = arch.family->build(g, x, 10, arch.variant->config);
        assert_fails(AFN_ESHAPE, "smaller than the window", afn_graph_finish(g, y));
        afn_graph_free(g);
    }
}

static void no_classes_are_refused(void **state)
{
    (void)state;
    const afn_arch arch = find("resnet18");
    afn_graph *g;
    assert_fails(AFN_EINVAL, "resnet18: 0 classes",
                 afn_zoo_build(&g, &arch, 0, 64, 64));
    assert_null(g);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const afn_arch arch = find("resnet18");
    afn_graph *g;
    const int64_t before = afn_alloc_count();
    assert_ok(afn_zoo_build(&g, &arch, 10, 64, 64));
    const int64_t needed = afn_alloc_count() - before;
    afn_graph_free(g);
    assert_true(needed > 100);
    for (int64_t k = 1; k <= needed; k++) {
        afn_alloc_fail_at(k);
        assert_fails(AFN_ENOMEM, "out of memory", afn_zoo_build(&g, &arch, 10, 64, 64));
        assert_null(g);
    }
    afn_alloc_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_is_found_by_name),
        cmocka_unit_test(an_unknown_name_gets_the_nearest),
        cmocka_unit_test(parameters_and_arithmetic_are_torchvisions),
        cmocka_unit_test(the_head_is_the_layer_that_makes_the_classes),
        cmocka_unit_test(auxiliary_classifiers_come_with_images_they_can_take),
        cmocka_unit_test(parameter_names_are_unique),
        cmocka_unit_test(the_smallest_image_works_and_one_pixel_less_is_refused),
        cmocka_unit_test(one_pixel_below_the_smallest_does_not_fit_the_layers),
        cmocka_unit_test(no_classes_are_refused),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
