/* SPDX-License-Identifier: Apache-2.0 */
/* A plan that takes over parameters, optimiser state and the count of calls goes on bit
 * for bit as the one before would have. */
#include "afn_test.h"
#include "engine/engine.h"

enum { BATCH = 3, CLASSES = 3, SIDE = 9, STEPS = 3 };

/* Channels that no vector is filled by, batch norm, and dropout. */
static void build(afn_graph **g, afn_params **params, bool *trainable)
{
    assert_ok(afn_graph_new(g, 3, SIDE, SIDE));
    const afn_value in = afn_input(*g);
    const afn_value c =
        afn_conv2d(*g, in, "c", (afn_conv){ .oc = 21, .k = 3, .pad = 1 });
    const afn_value b = afn_batch_norm(*g, c, "b", (afn_bn){ 0 });
    const afn_value r = afn_relu(*g, b);
    const afn_value d =
        afn_conv2d(*g, r, "d", (afn_conv){ .oc = 5, .k = 3, .pad = 1, .bias = true });
    const afn_value mean = afn_mean_hw(*g, d);
    const afn_value drop = afn_dropout(*g, mean, 0.5f);
    assert_ok(afn_graph_finish(*g, afn_linear(*g, drop, "fc", CLASSES)));
    assert_ok(afn_params_new(params, *g));
    afn_params_init_all(*params, *g, 1);
    for (int i = 0; i < afn_graph_n_params(*g); i++)
        trainable[i] = !afn_graph_param(*g, i)->buffer;
}

/* Two states, so that both are seen to be carried. */
static void update(int64_t n, float *restrict w, const float *restrict g,
                   float *const *state, const afn_step_args *h)
{
    for (int64_t i = 0; i < n; i++) {
        state[0][i] = 0.9f * state[0][i] + g[i];
        state[1][i] = 0.99f * state[1][i] + g[i] * g[i];
        w[i] -= h->lr * (state[0][i] + state[1][i]);
    }
}

static const afn_optimizer optimizer = { .name = "two", .n_state = 2, .step = update };

static afn_plan *new_plan(const afn_graph *g, afn_params *params, const bool *trainable,
                          const char *backend)
{
    afn_plan *p;
    const afn_plan_opts o = { .batch = BATCH,
                              .train = true,
                              .update_at_once = true,
                              .trainable = trainable,
                              .seed = 5,
                              .threads = 1,
                              .backend = backend };
    assert_ok(afn_plan_new(&p, g, params, &o));
    return p;
}

static void steps(afn_plan *p, int from, int to)
{
    static float x[BATCH * 3 * SIDE * SIDE];
    float y[BATCH * CLASSES];
    const afn_step_args args = { .lr = 0.1f };
    for (int s = from; s < to; s++) {
        for (int i = 0; i < (int)AFN_COUNT(x); i++)
            x[i] = (float)((i * 7 + s) % 19) / 19;
        assert_ok(afn_plan_forward_f32(p, x, BATCH, y));
        assert_ok(afn_plan_backward_update(p, y, &optimizer, &args, NULL));
    }
    assert_ok(afn_plan_sync(p));
}

static void carry(const afn_graph *g, const afn_plan *from, afn_plan *to)
{
    float v[4096];
    for (int i = 0; i < afn_graph_n_params(g); i++)
        for (int k = 0; k < AFN_MAX_STATE; k++) {
            if (!afn_plan_has_state(from, i, k)) continue;
            assert_true(afn_shape_count(&afn_graph_param(g, i)->shape) <= 4096);
            assert_ok(afn_plan_read_state(from, i, k, v));
            assert_ok(afn_plan_write_state(to, i, k, v));
        }
    afn_plan_set_calls(to, afn_plan_calls(from));
}

static void assert_same(const afn_graph *g, const afn_params *a, const afn_params *b)
{
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        const afn_param *p = afn_graph_param(g, i);
        const size_t bytes = (size_t)afn_params_size(a, i) * sizeof(float);
        if (p->dtype == AFN_F32 &&
            memcmp(afn_params_f32(a, i), afn_params_f32(b, i), bytes) != 0)
            fail_msg("%s differs", p->name);
    }
}

static void go_on_in_another(const char *backend)
{
    afn_graph *g, *g2;
    afn_params *whole, *parted;
    bool trainable[32];
    build(&g, &whole, trainable);
    build(&g2, &parted, trainable);
    afn_plan *p = new_plan(g, whole, trainable, backend);
    steps(p, 0, 2 * STEPS);

    afn_plan *first = new_plan(g2, parted, trainable, backend);
    steps(first, 0, STEPS);
    afn_plan *second = new_plan(g2, parted, trainable, backend);
    carry(g2, first, second);
    assert_int_equal(afn_plan_calls(second), STEPS);
    afn_plan_free(first);
    steps(second, STEPS, 2 * STEPS);
    assert_same(g, whole, parted);

    afn_plan_free(p);
    afn_plan_free(second);
    afn_params_free(whole);
    afn_params_free(parted);
    afn_graph_free(g);
    afn_graph_free(g2);
}

static void the_naive_backend_goes_on_in_another_plan(void **state)
{
    (void)state;
    go_on_in_another("ref");
}

static void the_fast_backend_goes_on_in_another_plan(void **state)
{
    (void)state;
    go_on_in_another("cpu");
}

static void state_is_only_of_what_trains(void **state)
{
    (void)state;
    afn_graph *g;
    afn_params *params;
    bool trainable[32];
    float v[4096] = { 0 };
    build(&g, &params, trainable);
    trainable[0] = false;
    afn_plan *p = new_plan(g, params, trainable, "cpu");
    assert_false(afn_plan_has_state(p, 1, 0));
    assert_false(afn_plan_has_state(p, -1, 0));
    assert_false(afn_plan_has_state(p, 1, AFN_MAX_STATE));
    assert_fails(AFN_EINVAL, "no state", afn_plan_read_state(p, 1, 0, v));
    assert_fails(AFN_EINVAL, "not trained", afn_plan_write_state(p, 0, 0, v));
    assert_ok(afn_plan_write_state(p, 1, 0, v));
    assert_true(afn_plan_has_state(p, 1, 0));
    afn_plan_free(p);
    afn_params_free(params);
    afn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_naive_backend_goes_on_in_another_plan),
        cmocka_unit_test(the_fast_backend_goes_on_in_another_plan),
        cmocka_unit_test(state_is_only_of_what_trains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
