/* SPDX-License-Identifier: Apache-2.0 */
/* SGD with momentum, as torch.optim.SGD with dampening 0:
 *   d = g + weight_decay w;   v = momentum v + d;   w -= lr (nesterov ? d + momentum v
 * : v) w, g, v are flat blocks of n floats; v starts at zero, which makes the first
 * step the same as PyTorch's, where it starts as a copy of d. */
#include "train/optim.h"

static void sgd_step(int64_t n, float *restrict w, const float *restrict g,
                     float *const *state, const afn_step_args *h)
{
    float *restrict v = state[0];
    const float lr = h->lr, momentum = h->momentum, decay = h->weight_decay;
    const float use_d = h->nesterov ? 1.0f : 0.0f;
    const float use_v = h->nesterov ? momentum : 1.0f;
    for (int64_t i = 0; i < n; i++) {
        const float d = g[i] + decay * w[i];
        v[i] = momentum * v[i] + d;
        w[i] -= lr * (use_d * d + use_v * v[i]);
    }
}

const afn_optimizer afn_optim_sgd = { .name = "sgd", .n_state = 1, .step = sgd_step };
