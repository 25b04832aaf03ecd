/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting a plan at its frozen prefix: where it may, and that features are the same
 * bits whatever batch they were made in. */
#include "zoo_net.h"

enum { BATCH = 6 };

static afn_plan *new_plan(const net *n, bool train, afn_bn_mode bn, const char *backend)
{
    afn_plan *p;
    const afn_plan_opts o = { .batch = BATCH,
                              .train = train,
                              .trainable = n->trainable,
                              .bn = bn,
                              .seed = 3,
                              .backend = backend,
                              .mean = { 0.485f, 0.456f, 0.406f },
                              .std = { 0.229f, 0.224f, 0.225f } };
    assert_ok(afn_plan_new(&p, n->g, n->params, &o));
    return p;
}

/* ---- where ---- */

typedef struct place {
    const char *arch, *trained;
    afn_bn_mode bn;
    const char *before, *before_infer; /* NULL = not split */
    int64_t floats;                    /* of a sample's features in the training plan */
} place;

static const place places[] = {
    { "resnet18", "fc.*", AFN_BN_AUTO, "fc", "fc", 512 },
    { "resnet50", "fc.*", AFN_BN_FROZEN, "fc", "fc", 2048 },
    { "resnet50", "layer4.*", AFN_BN_AUTO, "layer4.0.conv1", "layer4.0.conv1",
      1024 * 4 * 4 },
    /* inside a block two values cross: the cut goes back to where it begins */
    { "resnet18", "layer4.1.conv2.weight", AFN_BN_AUTO, "layer4.1.conv1",
      "layer4.1.conv1", 512 * 2 * 2 },
    /* frozen norms that use the batch are no function of the sample; theirs follows */
    { "resnet18", "fc.*", AFN_BN_BATCH, "bn1", NULL, 64 * 32 * 32 },
    { "resnet18", "*", AFN_BN_AUTO, NULL, NULL, 0 },
    { "resnet18", "conv1.weight", AFN_BN_AUTO, NULL, NULL, 0 },
    /* dropout ends it where it is active, and only there */
    { "vgg11", "classifier.6.*", AFN_BN_AUTO, "classifier.3", "classifier.6", 4096 },
    { "squeezenet1_1", "classifier.*", AFN_BN_AUTO, "classifier.1", "classifier.1",
      512 * 3 * 3 },
    { "mobilenet_v2", "classifier.*", AFN_BN_AUTO, "classifier.1", "classifier.1",
      1280 },
};

static void check_place(const place *at, const afn_prefix *found, const char *before)
{
    if (!before && found->bytes)
        fail_msg("%s %s: before %s", at->arch, at->trained, found->before);
    if (!before) return;
    assert_true(found->bytes > 0);
    assert_string_equal(found->before, before);
    assert_true(found->macs > 0);
}

static void the_cut_is_as_late_as_one_value_carries_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < AFN_COUNT(places); i++) {
        const place *at = &places[i];
        net n = open_net(at->arch, at->trained, 2 * BATCH);
        afn_plan *train = new_plan(&n, true, at->bn, "cpu");
        afn_plan *infer = new_plan(&n, false, at->bn, "cpu");
        afn_prefix found;
        bool *changes = test_calloc((size_t)afn_graph_n_params(n.g), sizeof *changes);
        afn_plan_changes(train, changes);
        assert_ok(afn_plan_split(train, changes, &found));
        check_place(at, &found, at->before);
        if (at->before) assert_int_equal(found.bytes, at->floats * 4);
        assert_ok(afn_plan_split(infer, changes, &found));
        check_place(at, &found, at->before_infer);
        test_free(changes);
        afn_plan_free(train);
        afn_plan_free(infer);
        close_net(&n);
    }
}

/* ---- the same bits ---- */

static void same_features_in_every_batch(const net *n, afn_plan *p, size_t bytes)
{
    uint8_t *whole = test_malloc(2 * BATCH * bytes), *part = test_malloc(BATCH * bytes);
    assert_ok(afn_plan_run_prefix(p, n->pixels, 2 * BATCH, whole));
    for (int from = 0; from < BATCH + 2; from += 3)
        for (int count = 1; count <= BATCH; count += 2) {
            assert_ok(
                afn_plan_run_prefix(p, n->pixels + (size_t)from * PIXELS, count, part));
            assert_memory_equal(part, whole + (size_t)from * bytes,
                                (size_t)count * bytes);
        }
    test_free(whole);
    test_free(part);
}

static void features_do_not_depend_on_their_batch(void **state)
{
    (void)state;
    static const char *const nets[][2] = {
        { "resnet18", "fc.*" },
        { "resnet50", "layer4.*" },
        { "squeezenet1_1", "classifier.*" },
        { "mobilenet_v2", "classifier.*" },
        { "alexnet", "classifier.6.*" },
    };
    for (size_t i = 0; i < AFN_COUNT(nets); i++) {
        net n = open_net(nets[i][0], nets[i][1], 2 * BATCH);
        for (int train = 0; train < 2; train++) {
            afn_plan *p = new_plan(&n, train, AFN_BN_AUTO, "cpu");
            afn_prefix found;
            assert_ok(afn_plan_split(p, n.trainable, &found));
            assert_true(found.bytes > 0);
            same_features_in_every_batch(&n, p, found.bytes);
            afn_plan_free(p);
        }
        close_net(&n);
    }
}

/* Logits and the gradient of one parameter, in one piece or in two. */
static void step(const net *n, afn_plan *p, size_t bytes, float *logits, float *grad)
{
    void *features = test_malloc(BATCH * bytes + 1);
    if (bytes) {
        assert_ok(afn_plan_run_prefix(p, n->pixels, BATCH, features));
        assert_ok(afn_plan_run_rest(p, features, BATCH, logits));
    } else {
        assert_ok(afn_plan_forward(p, n->pixels, BATCH, logits));
    }
    assert_ok(afn_plan_backward(p, logits));
    int last = afn_graph_n_params(n->g) - 1;
    while (!n->trainable[last] || afn_graph_param(n->g, last)->buffer) last--;
    assert_ok(afn_plan_gradient(p, last, grad));
    test_free(features);
}

static void two_parts_give_what_the_whole_gives(void **state)
{
    (void)state;
    static const char *const backends[] = { "cpu", "ref" };
    static const char *const nets[][2] = { { "resnet18", "layer4.*" },
                                           { "squeezenet1_1", "classifier.*" } };
    for (int i = 0; i < 4; i++) {
        net n = open_net(nets[i / 2][0], nets[i / 2][1], 2 * BATCH);
        static float logits[2][BATCH * CLASSES], grad[2][CLASSES * 512];
        for (int k = 0; k < 2; k++) {
            afn_plan *p = new_plan(&n, true, AFN_BN_AUTO, backends[i % 2]);
            afn_prefix found;
            assert_ok(afn_plan_split(p, n.trainable, &found));
            step(&n, p, k ? found.bytes : 0, logits[k], grad[k]);
            afn_plan_free(p);
        }
        assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
        assert_memory_equal(grad[0], grad[1], CLASSES * sizeof(float));
        close_net(&n);
    }
}

static void refreshing_the_rest_takes_what_may_change(void **state)
{
    (void)state;
    net n = open_net("resnet18", "layer4.*", 2 * BATCH);
    afn_plan *p = new_plan(&n, false, AFN_BN_AUTO, "cpu");
    afn_prefix found;
    float rest[BATCH * CLASSES], whole[BATCH * CLASSES];
    assert_ok(afn_plan_split(p, n.trainable, &found));
    void *features = test_malloc(BATCH * found.bytes);
    assert_ok(afn_plan_run_prefix(p, n.pixels, BATCH, features));
    for (int i = 0; i < afn_graph_n_params(n.g); i++)
        if (n.trainable[i] && afn_params_f32(n.params, i))
            afn_params_f32(n.params, i)[0] += 0.5f;
    assert_ok(afn_plan_refresh_rest(p));
    assert_ok(afn_plan_run_rest(p, features, BATCH, rest));
    afn_plan *fresh = new_plan(&n, false, AFN_BN_AUTO, "cpu");
    assert_ok(afn_plan_forward(fresh, n.pixels, BATCH, whole));
    assert_memory_equal(rest, whole, sizeof whole);
    test_free(features);
    afn_plan_free(p);
    afn_plan_free(fresh);
    close_net(&n);
}

static void a_plan_that_is_not_split_says_so(void **state)
{
    (void)state;
    net n = open_net("squeezenet1_1", "*", 2 * BATCH);
    afn_plan *p = new_plan(&n, true, AFN_BN_AUTO, "cpu");
    float logits[BATCH * CLASSES];
    assert_fails(AFN_EINVAL, "not split", afn_plan_run_prefix(p, n.pixels, 1, logits));
    assert_fails(AFN_EINVAL, "not split", afn_plan_run_rest(p, logits, 1, logits));
    afn_plan_free(p);
    close_net(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cut_is_as_late_as_one_value_carries_on),
        cmocka_unit_test(features_do_not_depend_on_their_batch),
        cmocka_unit_test(two_parts_give_what_the_whole_gives),
        cmocka_unit_test(refreshing_the_rest_takes_what_may_change),
        cmocka_unit_test(a_plan_that_is_not_split_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
