/* SPDX-License-Identifier: Apache-2.0 */
/* Three steps of an optimiser on w = (1, -2) with gradients (0.5, 1), (-1, 0.25),
 * (2, -0.5), whose end the tests have from PyTorch 1.13.1 in float32. */
#ifndef THREE_STEPS_H
#define THREE_STEPS_H

#include "afn_test.h"
#include "optim/optim.h"

static inline void three_steps(float w[2], const afn_optimizer *opt, afn_step_args args)
{
    static const float gradient[3][2] = { { 0.5f, 1 }, { -1, 0.25f }, { 2, -0.5f } };
    float block[AFN_MAX_STATE][2] = { { 0 } }, *state[AFN_N_STATES] = { NULL };
    for (int k = 0; k < opt->n_state; k++)
        if (!opt->uses || opt->uses(&args, k)) state[k] = block[k];
    w[0] = 1;
    w[1] = -2;
    for (args.t = 1; args.t <= 3; args.t++)
        opt->step(2, w, gradient[args.t - 1], state, &args);
}

#define EXPECT_AFTER(opt, first, second, ...)                                          \
    do {                                                                               \
        float w_[2];                                                                   \
        three_steps(w_, opt, (afn_step_args){ __VA_ARGS__ });                          \
        assert_float_equal(w_[0], first, 2e-6);                                        \
        assert_float_equal(w_[1], second, 2e-6);                                       \
    } while (0)

#endif
