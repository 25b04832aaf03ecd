/* SPDX-License-Identifier: Apache-2.0 */
/* SGD against torch.optim.SGD: three steps on w = (1, -2) with gradients (0.5, 1),
 * (-1, 0.25), (2, -0.5); values from PyTorch 1.13.1 in float32. */
#include "afn_test.h"
#include "train/optim.h"

static const float gradient[3][2] = { { 0.5f, 1.0f },
                                      { -1.0f, 0.25f },
                                      { 2.0f, -0.5f } };

static void run(float w[2], const afn_step_args *args)
{
    float velocity[2] = { 0 };
    float *state[AFN_MAX_STATE] = { velocity };
    w[0] = 1.0f;
    w[1] = -2.0f;
    for (int i = 0; i < 3; i++) afn_optim_sgd.step(2, w, gradient[i], state, args);
}

static void plain_sgd_follows_the_gradient(void **state)
{
    (void)state;
    float w[2];
    run(w, &(afn_step_args){ .lr = 0.1f });
    assert_float_equal(w[0], 0.85, 1e-6);
    assert_float_equal(w[1], -2.075, 1e-6);
}

static void momentum_and_weight_decay_are_pytorchs(void **state)
{
    (void)state;
    float w[2];
    run(w, &(afn_step_args){ .lr = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f });
    assert_float_equal(w[0], 0.848984778, 1e-6);
    assert_float_equal(w[1], -2.25688481, 1e-6);
}

static void nesterov_is_pytorchs(void **state)
{
    (void)state;
    float w[2];
    run(w, &(afn_step_args){
               .lr = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f, .nesterov = true });
    assert_float_equal(w[0], 0.711168468, 1e-6);
    assert_float_equal(w[1], -2.29946041, 1e-6);
}

static void an_unknown_optimizer_is_named(void **state)
{
    (void)state;
    const afn_optimizer *o;
    assert_ok(afn_optimizer_find(&o, "sgd"));
    assert_string_equal(o->name, "sgd");
    assert_fails(AFN_ENOTFOUND, "lion: no such optimizer",
                 afn_optimizer_find(&o, "lion"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_sgd_follows_the_gradient),
        cmocka_unit_test(momentum_and_weight_decay_are_pytorchs),
        cmocka_unit_test(nesterov_is_pytorchs),
        cmocka_unit_test(an_unknown_optimizer_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
