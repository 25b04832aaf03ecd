/* SPDX-License-Identifier: Apache-2.0 */
/* Adam and AdamW against torch.optim. */
#include "three_steps.h"

#define BETAS .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f

static void adam_is_pytorchs(void **state)
{
    (void)state;
    EXPECT_AFTER(&afn_optim_adam, 0.894644856, -2.21291494, .lr = 0.1f, BETAS);
    EXPECT_AFTER(&afn_optim_adam, 0.880141735, -2.15682006, .lr = 0.1f, .beta1 = 0.8f,
                 .beta2 = 0.9f, .eps = 1e-3f, .weight_decay = 0.1f);
}

static void adamw_decays_beside_the_gradient(void **state)
{
    (void)state;
    EXPECT_AFTER(&afn_optim_adamw, 0.866567791, -2.15069246, .lr = 0.1f,
                 .weight_decay = 0.1f, BETAS);
}

/* What pads a packed weight has no gradient, and must stay 0. */
static void what_has_no_gradient_stays_without_eps_too(void **state)
{
    (void)state;
    const afn_optimizer *const opt[] = { &afn_optim_adam, &afn_optim_adamw };
    for (size_t i = 0; i < AFN_COUNT(opt); i++) {
        float w[2] = { 0, 3 }, g[2] = { 0 }, m[2] = { 0 }, v[2] = { 0 };
        float *blocks[AFN_N_STATES] = { m, v };
        opt[i]->step(
            2, w, g, blocks,
            &(afn_step_args){ .lr = 0.1f, .beta1 = 0.9f, .beta2 = 0.999f, .t = 1 });
        assert_true(w[0] == 0 && w[1] == 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam_is_pytorchs),
        cmocka_unit_test(adamw_decays_beside_the_gradient),
        cmocka_unit_test(what_has_no_gradient_stays_without_eps_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
