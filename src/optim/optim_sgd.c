/* SPDX-License-Identifier: Apache-2.0 */
/* SGD with momentum, as torch.optim.SGD:
 *   d = g + weight_decay w
 *   v = momentum v + (1 - dampening) d;   in the first step v = d
 *   w -= lr (nesterov ? d + momentum v : v)
 * w, g, v are flat blocks of n floats; v starts at zero, which makes it d in the first
 * step.  Without momentum there is no v, and d takes its place. */
#include "optim/optim.h"

static void plain_step(int64_t n, float *restrict w, const float *restrict g,
                       const afn_step_args *h)
{
    const float lr = h->lr, decay = h->weight_decay;
    for (int64_t i = 0; i < n; i++) w[i] -= lr * (g[i] + decay * w[i]);
}

static bool sgd_uses(const afn_step_args *h, int k)
{
    (void)k;
    return h->momentum != 0;
}

static void sgd_step(int64_t n, float *restrict w, const float *restrict g,
                     float *const *state, const afn_step_args *h)
{
    float *restrict v = state[0];
    const float lr = h->lr, momentum = h->momentum, decay = h->weight_decay;
    const float part = h->t > 1 ? 1 - h->dampening : 1;
    const float use_d = h->nesterov ? 1.0f : 0.0f;
    const float use_v = h->nesterov ? momentum : 1.0f;
    if (momentum == 0) {
        plain_step(n, w, g, h);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const float d = g[i] + decay * w[i];
        v[i] = momentum * v[i] + part * d;
        w[i] -= lr * (use_d * d + use_v * v[i]);
    }
}

const afn_optimizer afn_optim_sgd = {
    .name = "sgd", .n_state = 1, .uses = sgd_uses, .step = sgd_step
};
