/* SPDX-License-Identifier: Apache-2.0 */
/* A plan where the k-th allocation fails, for every k: AFN_ENOMEM, no crash, and (under
 * the leak checker of -Db_sanitize=address) nothing left behind. */
#include "afn_test.h"
#include "engine/engine.h"

enum { SAMPLES = 2, CLASSES = 3 };

typedef struct network {
    afn_graph *g;
    afn_params *params;
    bool trainable[32];
} network;

/* One of everything. */
static void build(network *t)
{
    afn_graph *g;
    *t = (network){ 0 };
    assert_ok(afn_graph_new(&g, 3, 6, 6));
    t->g = g;
    const afn_value in = afn_input(g);
    const afn_value c = afn_conv2d(g, in, "c", (afn_conv){ .oc = 4, .k = 3, .pad = 1 });
    const afn_value b = afn_batch_norm(g, c, "b", (afn_bn){ 0 });
    const afn_value r = afn_relu(g, b);
    const afn_value s = afn_add(g, r, b);
    const afn_value m = afn_max_pool(g, s, (afn_pool){ .k = 2 });
    const afn_value a = afn_avg_pool(g, s, (afn_pool){ .k = 2 });
    const afn_value cat = afn_concat(g, 2, (afn_value[]){ m, a });
    const afn_value mean = afn_mean_hw(g, cat);
    const afn_value d = afn_dropout(g, mean, 0.5f);
    assert_ok(afn_graph_finish(g, afn_linear(g, d, "fc", CLASSES)));
    assert_ok(afn_params_new(&t->params, g));
    afn_params_init_all(t->params, g, 1);
    for (int i = 0; i < afn_graph_n_params(g); i++)
        t->trainable[i] = !afn_graph_param(g, i)->buffer;
}

static void sgd(int64_t n, float *restrict w, const float *restrict g,
                float *const *state, const afn_step_args *h)
{
    for (int64_t i = 0; i < n; i++) {
        state[0][i] = h->momentum * state[0][i] + g[i];
        w[i] -= h->lr * state[0][i];
    }
}

/* Two batch sizes, so that a plan also compiles late. */
static afn_status use_plan(afn_plan *p)
{
    const afn_optimizer opt = { .name = "sgd", .n_state = 1, .step = sgd };
    const afn_step_args args = { .lr = 0.1f, .momentum = 0.9f };
    static const float x[(SAMPLES + 1) * 3 * 6 * 6] = { 1 };
    float y[(SAMPLES + 1) * CLASSES];
    afn_status st = AFN_OK;
    for (int n = SAMPLES; n <= SAMPLES + 1; n++) {
        AFN_TRY(afn_plan_forward_f32(p, x, n, y));
        AFN_TRY(afn_plan_backward(p, y));
        AFN_TRY(afn_plan_update(p, &opt, &args, NULL));
    }
    AFN_TRY(afn_plan_refresh(p));
    AFN_TRY(afn_plan_sync(p));
done:
    return st;
}

static afn_status new_and_use(const network *t, const char *backend, bool train)
{
    afn_plan *p;
    const afn_plan_opts o = { .batch = SAMPLES,
                              .train = train,
                              .trainable = t->trainable,
                              .bn = AFN_BN_BATCH,
                              .input_gradient = true,
                              .seed = 1,
                              .threads = 1,
                              .backend = backend };
    afn_status st = afn_plan_new(&p, t->g, t->params, &o);
    if (st != AFN_OK) assert_null(p);
    float y[SAMPLES * CLASSES];
    static const float x[SAMPLES * 3 * 6 * 6] = { 1 };
    if (st == AFN_OK) st = train ? use_plan(p) : afn_plan_forward_f32(p, x, SAMPLES, y);
    afn_plan_free(p);
    return st;
}

static void fail_every_allocation(const char *backend, bool train)
{
    network t;
    build(&t);
    const int64_t before = afn_alloc_count();
    assert_ok(new_and_use(&t, backend, train));
    const int64_t calls = afn_alloc_count() - before;
    assert_true(calls > 10);
    for (int64_t k = 1; k <= calls; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = new_and_use(&t, backend, train);
        afn_alloc_fail_at(0);
        if (st != AFN_ENOMEM)
            fail_msg("allocation %lld of %lld: %s", (long long)k, (long long)calls,
                     afn_status_name(st));
    }
    assert_ok(new_and_use(&t, backend, train));
    afn_params_free(t.params);
    afn_graph_free(t.g);
}

static void training_on_the_naive_backend_survives(void **state)
{
    (void)state;
    fail_every_allocation("ref", true);
}

static void inference_on_the_naive_backend_survives(void **state)
{
    (void)state;
    fail_every_allocation("ref", false);
}

static void training_on_the_fast_backend_survives(void **state)
{
    (void)state;
    fail_every_allocation("cpu", true);
}

static void inference_on_the_fast_backend_survives(void **state)
{
    (void)state;
    fail_every_allocation("cpu", false);
}

/* A plan that failed once serves the next call. */
static void a_plan_recovers_from_a_failed_call(void **state)
{
    (void)state;
    network t;
    afn_plan *p;
    build(&t);
    const afn_plan_opts o = { .batch = SAMPLES,
                              .train = true,
                              .trainable = t.trainable,
                              .threads = 1,
                              .backend = "ref" };
    assert_ok(afn_plan_new(&p, t.g, t.params, &o));
    for (int64_t k = 1;; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = use_plan(p);
        afn_alloc_fail_at(0);
        assert_ok(use_plan(p));
        if (st == AFN_OK) break;
        assert_int_equal(st, AFN_ENOMEM);
    }
    afn_plan_free(p);
    afn_params_free(t.params);
    afn_graph_free(t.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_on_the_naive_backend_survives),
        cmocka_unit_test(inference_on_the_naive_backend_survives),
        cmocka_unit_test(training_on_the_fast_backend_survives),
        cmocka_unit_test(inference_on_the_fast_backend_survives),
        cmocka_unit_test(a_plan_recovers_from_a_failed_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
