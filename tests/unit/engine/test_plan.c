/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: memory of frozen layers, batches of other sizes, syncing, misuse. */
#include <math.h>

#include "zoo_net.h"

enum { BATCH = 4 };

static afn_plan *new_plan(const net *n, bool train)
{
    afn_plan *p;
    const afn_plan_opts o = { .batch = BATCH,
                              .train = train,
                              .trainable = n->trainable,
                              .mean = { 0.485f, 0.456f, 0.406f },
                              .std = { 0.229f, 0.224f, 0.225f } };
    assert_ok(afn_plan_new(&p, n->g, n->params, &o));
    return p;
}

static void frozen_layers_keep_no_activations_and_no_gradients(void **state)
{
    (void)state;
    net head = open_net("resnet18", "fc.*", BATCH),
        all = open_net("resnet18", "*", BATCH);
    afn_plan *small = new_plan(&head, true), *large = new_plan(&all, true);
    afn_plan *infer = new_plan(&head, false);
    assert_true(afn_plan_arena_bytes(small) * 2 < afn_plan_arena_bytes(large));
    assert_true(afn_plan_arena_bytes(small) <= afn_plan_arena_bytes(infer) + (1 << 16));
    assert_true(afn_plan_param_bytes(small) * 2 < afn_plan_param_bytes(large));
    afn_plan_free(small);
    afn_plan_free(large);
    afn_plan_free(infer);
    close_net(&head);
    close_net(&all);
}

static afn_status open_bf16(afn_plan **out, const net *n, const char *backend)
{
    const afn_plan_opts o = { .batch = BATCH,
                              .backend = backend,
                              .precision = AFN_PRECISION_BF16 };
    return afn_plan_new(out, n->g, n->params, &o);
}

static void bf16_halves_activations_and_the_naive_backend_refuses_it(void **state)
{
    (void)state;
    net n = open_net("resnet18", "*", BATCH);
    afn_plan *full = new_plan(&n, false), *half;
    assert_fails(AFN_EUNSUPPORTED, "backend ref computes in fp32 only",
                 open_bf16(&half, &n, "ref"));
    assert_null(half);
    assert_ok(open_bf16(&half, &n, "cpu"));
    if (afn_precision_here(AFN_PRECISION_BF16) == AFN_PRECISION_BF16)
        assert_true(afn_plan_arena_bytes(half) * 9 < afn_plan_arena_bytes(full) * 5);
    afn_plan_free(full);
    afn_plan_free(half);
    close_net(&n);
}

/* Results of convolutions, and nothing that can be made from them again. */
static void backward_finds_less_than_one_tensor_per_convolution(void **state)
{
    (void)state;
    net n = open_net("mobilenet_v2", "*", BATCH);
    afn_plan *p = new_plan(&n, true);
    size_t results = 0;
    for (int i = 0; i < afn_graph_n_nodes(n.g); i++) {
        const afn_node *node = afn_graph_node(n.g, i);
        if (node->op == AFN_OP_CONV2D)
            results += BATCH * (size_t)afn_shape_count(&node->shape) * sizeof(float);
    }
    assert_true(afn_plan_arena_bytes(p) < results);
    afn_plan_free(p);
    close_net(&n);
}

static void a_smaller_batch_gives_the_same_logits(void **state)
{
    (void)state;
    net n = open_net("squeezenet1_1", "*", BATCH);
    afn_plan *p = new_plan(&n, false);
    float four[BATCH * CLASSES], one[CLASSES];
    assert_ok(afn_plan_forward(p, n.pixels, BATCH, four));
    for (int i = 0; i < BATCH; i++) {
        assert_ok(afn_plan_forward(p, n.pixels + i * PIXELS, 1, one));
        for (int c = 0; c < CLASSES; c++)
            assert_float_equal(one[c], four[i * CLASSES + c], 1e-5);
    }
    afn_plan_free(p);
    close_net(&n);
}

static void many_batch_sizes_take_turns(void **state)
{
    (void)state;
    net n = open_net("squeezenet1_1", "*", BATCH);
    afn_plan *p = new_plan(&n, true);
    uint8_t *pixels = test_calloc(9, PIXELS);
    float logits[9 * CLASSES], again[9 * CLASSES];
    for (int round = 0; round < 2; round++)
        for (int k = 1; k <= 9; k++) /* more sizes than programs are kept */
            assert_ok(afn_plan_forward(p, pixels, k, k == 3 ? again : logits));
    for (int c = 0; c < CLASSES; c++) assert_true(isfinite(again[c]));
    assert_ok(afn_plan_backward(p, logits));
    test_free(pixels);
    afn_plan_free(p);
    close_net(&n);
}

static void descend(int64_t n, float *restrict w, const float *restrict g,
                    float *const *state, const afn_step_args *h)
{
    (void)state;
    for (int64_t i = 0; i < n; i++) w[i] -= h->lr * g[i];
}

static void sync_writes_what_training_changed_and_nothing_else(void **state)
{
    (void)state;
    net n = open_net("resnet18", "layer4.*,fc.*", BATCH);
    net before = open_net("resnet18", "*", BATCH);
    afn_plan *p = new_plan(&n, true);
    const afn_optimizer gd = { .name = "gd", .n_state = 0, .step = descend };
    const afn_step_args args = { .lr = 0.1f };
    float logits[BATCH * CLASSES];
    assert_ok(afn_plan_forward(p, n.pixels, BATCH, logits));
    assert_ok(afn_plan_backward(p, logits));
    assert_ok(afn_plan_update(p, &gd, &args, NULL));
    assert_ok(afn_plan_sync(p));
    for (int i = 0; i < afn_graph_n_params(n.g); i++) {
        const afn_param *d = afn_graph_param(n.g, i);
        const size_t bytes = (size_t)afn_params_size(n.params, i) * sizeof(float);
        const bool trained = n.trainable[i];
        if (d->dtype == AFN_I64) {
            assert_int_equal(*afn_params_i64(n.params, i), trained ? 1 : 0);
            continue;
        }
        const bool same = memcmp(afn_params_f32(n.params, i),
                                 afn_params_f32(before.params, i), bytes) == 0;
        if (same == trained) fail_msg("%s", d->name);
    }
    afn_plan_free(p);
    close_net(&n);
    close_net(&before);
}

static void momentum(int64_t n, float *restrict w, const float *restrict g,
                     float *const *state, const afn_step_args *h)
{
    for (int64_t i = 0; i < n; i++) {
        state[0][i] = h->momentum * state[0][i] + g[i];
        w[i] -= h->lr * state[0][i];
    }
}

/* Three steps in either way; the parameters after them. */
static size_t run_steps(net *n, bool at_once)
{
    const afn_plan_opts o = { .batch = BATCH,
                              .train = true,
                              .trainable = n->trainable,
                              .update_at_once = at_once };
    const afn_optimizer opt = { .name = "momentum", .n_state = 1, .step = momentum };
    const afn_step_args args = { .lr = 0.01f, .momentum = 0.9f };
    float logits[BATCH * CLASSES];
    afn_plan *p;
    assert_ok(afn_plan_new(&p, n->g, n->params, &o));
    for (int i = 0; i < 3; i++) {
        assert_ok(afn_plan_forward(p, n->pixels, i == 1 ? BATCH - 1 : BATCH, logits));
        for (int k = 0; k < BATCH * CLASSES; k++) logits[k] = 0.01f * (float)(k - 5);
        assert_ok(afn_plan_backward_update(p, logits, &opt, &args, NULL));
    }
    assert_ok(afn_plan_sync(p));
    const size_t bytes = afn_plan_param_bytes(p);
    if (at_once) {
        assert_fails(AFN_EINVAL, "keeps no gradients", afn_plan_backward(p, logits));
        assert_fails(AFN_EINVAL, "keeps no gradients",
                     afn_plan_update(p, &opt, &args, NULL));
    }
    afn_plan_free(p);
    return bytes;
}

static void updating_at_once_gives_the_same_bits_in_less_memory(void **state)
{
    (void)state;
    net a = open_net("resnet18", "*", BATCH), b = open_net("resnet18", "*", BATCH);
    const size_t kept = run_steps(&a, false), at_once = run_steps(&b, true);
    assert_true(at_once * 3 / 2 <= kept + kept / 20); /* two copies instead of three */
    for (int i = 0; i < afn_graph_n_params(a.g); i++)
        if (afn_graph_param(a.g, i)->dtype == AFN_F32)
            assert_memory_equal(afn_params_f32(a.params, i),
                                afn_params_f32(b.params, i),
                                (size_t)afn_params_size(a.params, i) * sizeof(float));
    close_net(&a);
    close_net(&b);
}

static void refresh_takes_values_changed_outside(void **state)
{
    (void)state;
    net n = open_net("resnet18", "*", BATCH);
    afn_plan *p = new_plan(&n, false);
    float first[BATCH * CLASSES], second[BATCH * CLASSES], fresh[BATCH * CLASSES];
    assert_ok(afn_plan_forward(p, n.pixels, BATCH, first));
    afn_params_init_all(n.params, n.g, 2);
    assert_ok(afn_plan_refresh(p));
    assert_ok(afn_plan_forward(p, n.pixels, BATCH, second));
    afn_plan *q = new_plan(&n, false);
    assert_ok(afn_plan_forward(q, n.pixels, BATCH, fresh));
    assert_memory_equal(second, fresh, sizeof fresh);
    assert_memory_not_equal(first, second, sizeof first);
    afn_plan_free(p);
    afn_plan_free(q);
    close_net(&n);
}

static void misuse_is_an_error_and_not_a_crash(void **state)
{
    (void)state;
    net n = open_net("squeezenet1_1", "classifier.*", BATCH);
    float logits[BATCH * CLASSES], grad[4096];
    afn_plan *p = NULL;
    const afn_plan_opts none = { .batch = 0 };
    const afn_plan_opts unknown = { .batch = 1, .backend = "gpu" };
    assert_fails(AFN_EINVAL, "batch is 0", afn_plan_new(&p, n.g, n.params, &none));
    assert_fails(AFN_ENOTFOUND, "gpu: no such backend",
                 afn_plan_new(&p, n.g, n.params, &unknown));
    p = new_plan(&n, true);
    assert_fails(AFN_EINVAL, "without a training forward",
                 afn_plan_backward(p, logits));
    assert_fails(AFN_EINVAL, "is not trained", afn_plan_gradient(p, 0, grad));
    assert_fails(AFN_EINVAL, "was not asked for", afn_plan_input_gradient(p, grad));
    assert_fails(AFN_EINVAL, "0 samples", afn_plan_forward(p, n.pixels, 0, logits));
    afn_plan_free(p);
    close_net(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_layers_keep_no_activations_and_no_gradients),
        cmocka_unit_test(bf16_halves_activations_and_the_naive_backend_refuses_it),
        cmocka_unit_test(backward_finds_less_than_one_tensor_per_convolution),
        cmocka_unit_test(a_smaller_batch_gives_the_same_logits),
        cmocka_unit_test(many_batch_sizes_take_turns),
        cmocka_unit_test(sync_writes_what_training_changed_and_nothing_else),
        cmocka_unit_test(updating_at_once_gives_the_same_bits_in_less_memory),
        cmocka_unit_test(refresh_takes_values_changed_outside),
        cmocka_unit_test(misuse_is_an_error_and_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
