/* SPDX-License-Identifier: Apache-2.0 */
/* Which layer a parameter belongs to, and at what rate and decay it learns. */
#include "afn_test.h"
#include "train/param_groups.h"

static int index_of(const afn_model *m, const char *name)
{
    const afn_graph *g = afn_model__graph(m);
    for (int i = 0; i < afn_graph_n_params(g); i++)
        if (!strcmp(afn_graph_param(g, i)->name, name)) return i;
    fail_msg("%s: no such parameter", name);
    return -1;
}

/* An architecture, its layers, and the layer of some of its parameters. */
typedef struct example {
    const char *arch;
    int layers;
    struct {
        const char *param;
        int layer;
    } of[8];
} example;

static const example examples[] = {
    { "resnet18",
      10,
      { { "conv1.weight", 0 },
        { "bn1.bias", 0 },
        { "layer1.0.conv1.weight", 1 },
        { "layer2.0.downsample.1.weight", 3 },
        { "layer4.1.bn2.weight", 8 },
        { "fc.bias", 9 } } },
    { "alexnet",
      8,
      { { "features.0.weight", 0 },
        { "features.3.bias", 1 },
        { "features.10.weight", 4 },
        { "classifier.1.weight", 5 },
        { "classifier.4.weight", 6 },
        { "classifier.6.weight", 7 } } },
    { "squeezenet1_1",
      10,
      { { "features.0.weight", 0 },
        { "features.3.expand3x3.bias", 1 },
        { "features.12.squeeze.weight", 8 },
        { "classifier.1.weight", 9 } } },
    { "mobilenet_v2",
      20,
      { { "features.0.1.weight", 0 },
        { "features.1.conv.0.0.weight", 1 },
        { "features.18.0.weight", 18 },
        { "classifier.1.bias", 19 } } },
    { "efficientnet_b0",
      19,
      { { "features.0.0.weight", 0 },
        { "features.0.1.weight", 0 },
        { "features.1.0.block.0.0.weight", 1 },
        { "features.2.1.block.1.0.weight", 3 },
        { "features.8.1.weight", 17 },
        { "classifier.1.weight", 18 } } },
    { "densenet121",
      63,
      { { "features.norm0.weight", 0 },
        { "features.denseblock1.denselayer1.norm1.weight", 1 },
        { "features.denseblock1.denselayer6.conv2.weight", 6 },
        { "features.transition1.conv.weight", 7 },
        { "features.norm5.weight", 61 },
        { "classifier.weight", 62 } } },
    { "regnet_y_400mf",
      18,
      { { "stem.1.weight", 0 },
        { "trunk_output.block1.block1-0.proj.0.weight", 1 },
        { "trunk_output.block4.block4-5.f.se.fc1.bias", 16 },
        { "fc.weight", 17 } } },
    { "shufflenet_v2_x0_5",
      19,
      { { "conv1.1.weight", 0 },
        { "stage2.0.branch1.0.weight", 1 },
        { "conv5.1.bias", 17 },
        { "fc.weight", 18 } } },
    { "convnext_tiny",
      23,
      { { "features.0.1.weight", 0 },
        { "features.1.0.block.0.weight", 1 },
        { "features.2.0.weight", 3 },
        { "features.2.1.weight", 4 },
        { "classifier.0.weight", 21 },
        { "classifier.2.weight", 22 } } },
    { "inception_v3",
      17,
      { { "Conv2d_1a_3x3.bn.weight", 0 },
        { "Mixed_5b.branch5x5_1.conv.weight", 5 },
        { "Mixed_6e.branch1x1.bn.weight", 12 },
        { "Mixed_7c.branch_pool.conv.weight", 15 },
        { "AuxLogits.conv0.conv.weight", 16 },
        { "fc.weight", 16 } } },
};

static void layers_are_blocks_from_the_stem_to_the_head(void **state)
{
    (void)state;
    for (size_t k = 0; k < AFN_COUNT(examples); k++) {
        const example *e = &examples[k];
        afn_model *m;
        assert_ok(afn_model_new(&m, e->arch, 10, 1));
        const size_t n = (size_t)afn_graph_n_params(afn_model__graph(m));
        int *layer = test_calloc(n, sizeof *layer);
        bool *norm = test_calloc(n, sizeof *norm);
        const int layers = afn_param_layers(layer, norm, m);
        if (layers != e->layers) fail_msg("%s: %d layers", e->arch, layers);
        for (int i = 0; e->of[i].param; i++) {
            const int got = layer[index_of(m, e->of[i].param)];
            if (got != e->of[i].layer)
                fail_msg("%s: %s is of layer %d", e->arch, e->of[i].param, got);
        }
        test_free(layer);
        test_free(norm);
        afn_model_free(m);
    }
}

static const afn_param_group *group_of(const afn_param_groups *g, const afn_model *m,
                                       const char *param)
{
    return &g->group[g->of[index_of(m, param)]];
}

static void rates_and_decay_follow_the_options(void **state)
{
    (void)state;
    afn_model *m;
    afn_param_groups g = { 0 };
    afn_optim_opts o = afn_optim_defaults("sgd");
    assert_ok(afn_model_new(&m, "resnet18", 10, 1));
    assert_ok(afn_param_groups_new(&g, m, &o));
    assert_int_equal(g.n, 1);
    assert_true(g.group[0].lr == 1 && g.group[0].decays);
    afn_param_groups_free(&g);

    o.layer_decay = 0.5f;
    o.head_lr_factor = 10;
    o.no_decay_norm_bias = true;
    assert_ok(afn_param_groups_new(&g, m, &o));
    assert_int_equal(g.n, 20);
    assert_true(group_of(&g, m, "fc.weight")->lr == 10);
    assert_true(group_of(&g, m, "fc.weight")->decays);
    assert_false(group_of(&g, m, "fc.bias")->decays);
    assert_true(group_of(&g, m, "layer4.1.conv2.weight")->lr == 0.5);
    assert_true(group_of(&g, m, "layer4.1.conv2.weight")->decays);
    assert_false(group_of(&g, m, "layer4.1.bn2.weight")->decays);
    assert_true(group_of(&g, m, "conv1.weight")->lr == 1.0 / 512);
    afn_param_groups_free(&g);
    afn_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_blocks_from_the_stem_to_the_head),
        cmocka_unit_test(rates_and_decay_follow_the_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
