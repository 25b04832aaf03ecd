/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients that wait for their step, and averages, in blocked layouts too. */
#include <math.h>

#include "afn_test.h"
#include "engine/engine.h"

enum { BATCH = 2, CLASSES = 3, SIDE = 7, FC = 3, MAX = 4096 };

typedef struct net {
    afn_graph *g;
    afn_params *params;
    afn_plan *plan;
    bool trainable[16];
} net;

/* Channels that no vector is filled by. */
static void begin(net *n, const char *backend, bool at_once)
{
    assert_ok(afn_graph_new(&n->g, 3, SIDE, SIDE));
    const afn_value in = afn_input(n->g);
    const afn_value c = afn_conv2d(
        n->g, in, "c", (afn_conv){ .oc = 21, .k = 3, .pad = 1, .bias = true });
    const afn_value mean = afn_mean_hw(n->g, afn_relu(n->g, c));
    assert_ok(afn_graph_finish(n->g, afn_linear(n->g, mean, "fc", CLASSES)));
    assert_ok(afn_params_new(&n->params, n->g));
    afn_params_init_all(n->params, n->g, 1);
    for (int i = 0; i < afn_graph_n_params(n->g); i++) n->trainable[i] = true;
    const afn_plan_opts o = { .batch = BATCH,
                              .train = true,
                              .update_at_once = at_once,
                              .trainable = n->trainable,
                              .threads = 1,
                              .backend = backend };
    assert_ok(afn_plan_new(&n->plan, n->g, n->params, &o));
}

static void end(net *n)
{
    afn_plan_free(n->plan);
    afn_params_free(n->params);
    afn_graph_free(n->g);
}

static void gather(net *n, int which, bool first)
{
    float x[BATCH * 3 * SIDE * SIDE], y[BATCH * CLASSES];
    for (int i = 0; i < (int)AFN_COUNT(x); i++)
        x[i] = (float)((i * 7 + which) % 19) / 19;
    assert_ok(afn_plan_forward_f32(n->plan, x, BATCH, y));
    assert_ok(afn_plan_backward_gather(n->plan, y, first));
}

/* State k of every parameter, one behind the other; returns how many. */
static int64_t states(const net *n, int k, float *out)
{
    int64_t at = 0;
    for (int i = 0; i < afn_graph_n_params(n->g); i++) {
        assert_true(at + afn_params_size(n->params, i) <= MAX);
        assert_ok(afn_plan_read_state(n->plan, i, k, out + at));
        at += afn_params_size(n->params, i);
    }
    return at;
}

static const struct {
    const char *backend;
    bool at_once;
} kinds[] = { { "ref", false }, { "ref", true }, { "cpu", false }, { "cpu", true } };

static void gradients_add_up(void **state)
{
    (void)state;
    for (size_t k = 0; k < AFN_COUNT(kinds); k++) {
        float one[MAX], other[MAX], both[MAX];
        net n;
        begin(&n, kinds[k].backend, kinds[k].at_once);
        gather(&n, 0, true);
        const int64_t count = states(&n, AFN_STATE_GATHERED, one);
        gather(&n, 5, true);
        (void)states(&n, AFN_STATE_GATHERED, other);
        gather(&n, 0, false);
        (void)states(&n, AFN_STATE_GATHERED, both);
        for (int64_t i = 0; i < count; i++) assert_true(both[i] == one[i] + other[i]);
        end(&n);
    }
}

static void the_norm_is_that_of_all_of_them(void **state)
{
    (void)state;
    for (size_t k = 0; k < AFN_COUNT(kinds); k++) {
        float before[MAX], after[MAX];
        double sum = 0;
        net n;
        begin(&n, kinds[k].backend, kinds[k].at_once);
        gather(&n, 0, true);
        const int64_t count = states(&n, AFN_STATE_GATHERED, before);
        for (int64_t i = 0; i < count; i++) sum += pow((double)before[i], 2);
        assert_float_equal(afn_plan_gathered_norm(n.plan), sqrt(sum), 1e-9 * sqrt(sum));
        const float limit = 0.01f;
        afn_plan_scale_gathered(n.plan, 0.5f, limit);
        (void)states(&n, AFN_STATE_GATHERED, after);
        int64_t limited = 0;
        for (int64_t i = 0; i < count; i++) {
            const float half = before[i] * 0.5f;
            assert_true(after[i] == fmaxf(-limit, fminf(limit, half)));
            limited += fabsf(half) > limit;
        }
        assert_true(limited > 0 && limited < count);
        end(&n);
    }
}

static void descend(int64_t n, float *restrict w, const float *restrict g,
                    float *const *state, const afn_step_args *h)
{
    (void)state;
    for (int64_t i = 0; i < n; i++) w[i] -= h->lr * g[i];
}

static const afn_optimizer descent = { .name = "descent", .step = descend };

static void averages_follow_values(void **state)
{
    (void)state;
    const afn_step_args args = { .lr = 0.5f };
    for (size_t k = 0; k < AFN_COUNT(kinds); k++) {
        float first[MAX], mean[MAX];
        net n;
        begin(&n, kinds[k].backend, kinds[k].at_once);
        assert_ok(afn_plan_average(n.plan, 0));
        const int64_t count = states(&n, AFN_STATE_AVERAGE, first);
        gather(&n, 0, true);
        assert_ok(afn_plan_update_gathered(n.plan, &descent, &args, NULL));
        assert_ok(afn_plan_average(n.plan, 0.75f));
        assert_int_equal(states(&n, AFN_STATE_AVERAGE, mean), count);
        assert_ok(afn_plan_sync(n.plan));
        const float *now = afn_params_f32(n.params, FC);
        const int64_t at = count - afn_params_size(n.params, FC);
        assert_true(now[0] != first[at]);
        assert_float_equal(mean[at], 0.75 * (double)first[at] + 0.25 * (double)now[0],
                           1e-7);
        assert_ok(afn_plan_sync_average(n.plan));
        assert_memory_equal(afn_params_f32(n.params, FC), mean + at,
                            (size_t)(count - at) * sizeof(float));
        end(&n);
    }
}

static void too_little_memory_is_said(void **state)
{
    (void)state;
    net n;
    float x[BATCH * 3 * SIDE * SIDE] = { 0 }, y[BATCH * CLASSES];
    begin(&n, "cpu", true);
    assert_ok(afn_plan_forward_f32(n.plan, x, BATCH, y));
    afn_alloc_fail_at(1);
    assert_fails(AFN_ENOMEM, "out of memory",
                 afn_plan_backward_gather(n.plan, y, true));
    afn_alloc_fail_at(1);
    assert_fails(AFN_ENOMEM, "out of memory", afn_plan_average(n.plan, 0));
    afn_alloc_fail_at(0);
    assert_ok(afn_plan_backward_gather(n.plan, y, true));
    end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_add_up),
        cmocka_unit_test(the_norm_is_that_of_all_of_them),
        cmocka_unit_test(averages_follow_values),
        cmocka_unit_test(too_little_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
