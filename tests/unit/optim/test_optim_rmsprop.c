/* SPDX-License-Identifier: Apache-2.0 */
/* RMSprop against torch.optim.RMSprop. */
#include "three_steps.h"

static void rmsprop_is_pytorchs(void **state)
{
    (void)state;
    EXPECT_AFTER(&afn_optim_rmsprop, 0.021204114, -2.80379629, .lr = 0.1f,
                 .alpha = 0.99f, .eps = 1e-8f);
}

static void momentum_and_weight_decay_are_pytorchs(void **state)
{
    (void)state;
    EXPECT_AFTER(&afn_optim_rmsprop, 0.568307936, -2.33705354, .lr = 0.1f,
                 .alpha = 0.9f, .eps = 1e-8f, .momentum = 0.5f, .weight_decay = 0.1f);
}

static void centered_is_pytorchs(void **state)
{
    (void)state;
    EXPECT_AFTER(&afn_optim_rmsprop, 0.0151980519, -2.80972981, .lr = 0.1f,
                 .alpha = 0.99f, .eps = 1e-8f, .centered = true);
    EXPECT_AFTER(&afn_optim_rmsprop, -0.263925314, -3.66902089, .lr = 0.1f,
                 .alpha = 0.99f, .eps = 1e-3f, .centered = true, .momentum = 0.5f);
}

static void no_more_state_than_is_needed(void **state)
{
    (void)state;
    const afn_step_args plain = { .alpha = 0.99f },
                        all = { .momentum = 0.9f, .centered = true };
    for (int k = 0; k < afn_optim_rmsprop.n_state; k++) {
        assert_int_equal(afn_optim_rmsprop.uses(&plain, k), k == 0);
        assert_true(afn_optim_rmsprop.uses(&all, k));
    }
}

static void what_has_no_gradient_stays_without_eps_too(void **state)
{
    (void)state;
    float w[2] = { 0, 3 }, g[2] = { 0 }, s[2] = { 0 };
    float *blocks[AFN_N_STATES] = { s };
    afn_optim_rmsprop.step(2, w, g, blocks,
                           &(afn_step_args){ .lr = 0.1f, .alpha = 0.9f });
    assert_true(w[0] == 0 && w[1] == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rmsprop_is_pytorchs),
        cmocka_unit_test(momentum_and_weight_decay_are_pytorchs),
        cmocka_unit_test(centered_is_pytorchs),
        cmocka_unit_test(no_more_state_than_is_needed),
        cmocka_unit_test(what_has_no_gradient_stays_without_eps_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
