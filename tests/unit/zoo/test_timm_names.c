/* SPDX-License-Identifier: Apache-2.0 */
/* timm's names against torchvision's, read off both libraries. */
#include "afn_test.h"
#include "zoo/zoo.h"

static afn_arch find(const char *name)
{
    afn_arch arch;
    assert_ok(afn_zoo_find(&arch, name));
    return arch;
}

static const struct {
    const char *arch, *timm, *ours;
    int rank;
} pairs[] = {
    { "vgg16", "pre_logits.fc1.weight", "classifier.0.weight", 2 },
    { "vgg16", "pre_logits.fc1.bias", "classifier.0.bias", 0 },
    { "vgg16", "pre_logits.fc2.weight", "classifier.3.weight", 2 },
    { "vgg16", "head.fc.bias", "classifier.6.bias", 0 },
    { "regnet_y_400mf", "stem.bn.running_var", "stem.1.running_var", 0 },
    { "regnet_y_400mf", "s4.b12.conv3.bn.num_batches_tracked",
      "trunk_output.block4.block4-11.f.c.1.num_batches_tracked", 0 },
    { "regnet_y_400mf", "s1.b1.downsample.conv.weight",
      "trunk_output.block1.block1-0.proj.0.weight", 0 },
    { "regnet_y_400mf", "s2.b3.se.fc2.bias",
      "trunk_output.block2.block2-2.f.se.fc2.bias", 0 },
    { "convnext_tiny", "stem.1.weight", "features.0.1.weight", 0 },
    { "convnext_tiny", "stages.2.downsample.1.bias", "features.4.1.bias", 0 },
    { "convnext_tiny", "stages.3.blocks.10.gamma", "features.7.10.layer_scale", 3 },
    { "convnext_tiny", "stages.0.blocks.2.mlp.fc2.weight",
      "features.1.2.block.5.weight", 0 },
    { "convnext_tiny", "head.norm.weight", "classifier.0.weight", 0 },
    { "mobilenet_v2", "blocks.0.0.conv_pw.weight", "features.1.conv.1.weight", 0 },
    { "mobilenet_v2", "blocks.1.0.conv_pw.weight", "features.2.conv.0.0.weight", 0 },
    { "mobilenet_v2", "blocks.6.0.bn3.running_mean", "features.17.conv.3.running_mean",
      0 },
    { "mobilenet_v2", "bn2.weight", "features.18.1.weight", 0 },
    { "mnasnet1_0", "blocks.6.0.conv_pwl.weight", "layers.13.0.layers.6.weight", 0 },
    { "efficientnet_b0", "bn1.weight", "features.0.1.weight", 0 },
    { "efficientnet_b0", "blocks.0.1.conv_pw.weight", "features.1.1.block.2.0.weight",
      0 },
    { "efficientnet_b0", "blocks.5.3.se.conv_expand.bias",
      "features.6.3.block.2.fc2.bias", 0 },
    { "efficientnet_b0", "classifier.weight", "classifier.1.weight", 0 },
};

static void every_name_has_its_twin(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(pairs); i++) {
        const afn_arch arch = find(pairs[i].arch);
        afn_timm_name got;
        assert_true(afn_zoo_timm_name(&got, &arch, pairs[i].timm));
        assert_string_equal(got.name, pairs[i].ours);
        assert_int_equal(got.rank, pairs[i].rank);
    }
}

static void names_that_no_rule_knows_have_none(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        { "convnext_tiny", "stages.0.blocks.0.mlp.grn.weight" },
        { "convnext_tiny", "stages.0.blocks.x.gamma" },
        { "regnet_y_400mf", "s1.b1.conv1.conv2.weight" },
        { "efficientnet_b0", "blocks.0.0" },
        { "resnet50", "layer1.0.conv1.weight" },
    };
    for (size_t i = 0; i < AFN_COUNT(names); i++) {
        const afn_arch arch = find(names[i][0]);
        afn_timm_name got;
        assert_false(afn_zoo_timm_name(&got, &arch, names[i][1]));
    }
}

static void a_name_longer_than_any_is_cut(void **state)
{
    (void)state;
    char name[600] = "conv_stem.";
    memset(name + strlen(name), 'x', 500);
    const afn_arch arch = find("mobilenet_v2");
    afn_timm_name got;
    assert_true(afn_zoo_timm_name(&got, &arch, name));
    assert_int_equal(strlen(got.name), sizeof got.name - 1);
    assert_false(afn_zoo_timm_name(&got, &arch, "blocks.99999999.7.conv_pw.weight"));
}

static void networks_that_only_look_alike_are_refused(void **state)
{
    (void)state;
    const afn_arch b0 = find("efficientnet_b0"), b5 = find("efficientnet_b5");
    const afn_arch v3 = find("mobilenet_v3_large"), resnet = find("resnet50");
    assert_null(afn_zoo_timm_refusal(&b0, "efficientnet_b0_ra-3dd342df.pth", true));
    assert_non_null(afn_zoo_timm_refusal(&b0, "x/tf_efficientnet_b0.pth", true));
    assert_non_null(afn_zoo_timm_refusal(&b5, "efficientnet_b5.pth", true));
    assert_null(afn_zoo_timm_refusal(&b5, "efficientnet_b5.pth", false));
    assert_non_null(afn_zoo_timm_refusal(&v3, "mobilenetv3_large_100.pth", true));
    assert_non_null(afn_zoo_timm_refusal(&resnet, "resnetaa50.pth", false));
    assert_null(afn_zoo_timm_refusal(&resnet, "resnet50.pth", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_has_its_twin),
        cmocka_unit_test(names_that_no_rule_knows_have_none),
        cmocka_unit_test(a_name_longer_than_any_is_cut),
        cmocka_unit_test(networks_that_only_look_alike_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
