/* SPDX-License-Identifier: Apache-2.0 */
/* SGD against torch.optim.SGD, and how an optimiser is found. */
#include "three_steps.h"

static void plain_sgd_follows_the_gradient(void **state)
{
    (void)state;
    EXPECT_AFTER(&afn_optim_sgd, 0.85, -2.075, .lr = 0.1f);
    const afn_step_args plain = { .lr = 0.1f }, heavy = { .momentum = 0.9f };
    assert_false(afn_optim_sgd.uses(&plain, 0));
    assert_true(afn_optim_sgd.uses(&heavy, 0));
}

static void momentum_and_weight_decay_are_pytorchs(void **state)
{
    (void)state;
    EXPECT_AFTER(&afn_optim_sgd, 0.848984778, -2.25688481, .lr = 0.1f, .momentum = 0.9f,
                 .weight_decay = 0.01f);
}

static void nesterov_is_pytorchs(void **state)
{
    (void)state;
    EXPECT_AFTER(&afn_optim_sgd, 0.711168468, -2.29946041, .lr = 0.1f, .momentum = 0.9f,
                 .weight_decay = 0.01f, .nesterov = true);
}

static void dampening_is_pytorchs(void **state)
{
    (void)state;
    EXPECT_AFTER(&afn_optim_sgd, 0.859499991, -2.26974988, .lr = 0.1f, .momentum = 0.9f,
                 .dampening = 0.5f);
}

static void an_unknown_optimizer_is_named(void **state)
{
    (void)state;
    const afn_optimizer *o;
    assert_ok(afn_optimizer_find(&o, "sgd"));
    assert_string_equal(o->name, "sgd");
    assert_fails(AFN_ENOTFOUND,
                 "lion: no such optimizer, there is sgd, adam, adamw, rmsprop",
                 afn_optimizer_find(&o, "lion"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_sgd_follows_the_gradient),
        cmocka_unit_test(momentum_and_weight_decay_are_pytorchs),
        cmocka_unit_test(nesterov_is_pytorchs),
        cmocka_unit_test(dampening_is_pytorchs),
        cmocka_unit_test(an_unknown_optimizer_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
