/* SPDX-License-Identifier: Apache-2.0 */
/* RMSprop, as torch.optim.RMSprop (Hinton's lecture 6e; centered: Graves 2013,
 * https://arxiv.org/abs/1308.0850):
 *   d = g + weight_decay w
 *   s = alpha s + (1 - alpha) d^2;   a = alpha a + (1 - alpha) d
 *   x = d / (sqrt(s - a^2) + eps);   without centered: d / (sqrt(s) + eps)
 *   b = momentum b + x;   w -= lr b
 * s, b and a start at zero; without centered there is no a, without momentum no b. */
#include <math.h>

#include "optim/optim.h"

enum { SQUARES, MOMENTUM, MEAN };

static bool rmsprop_uses(const afn_step_args *h, int k)
{
    return k == SQUARES || (k == MOMENTUM ? h->momentum != 0 : h->centered);
}

/* d over its deviation, which is 0 only without eps, where nothing was ever seen. */
static inline float scaled(float d, float variance, float eps)
{
    const float below = sqrtf(variance > 0 ? variance : 0) + eps;
    return d / (below > 0 ? below : 1);
}

static void rmsprop_step(int64_t n, float *restrict w, const float *restrict g,
                         float *const *state, const afn_step_args *h)
{
    float *restrict s = state[SQUARES], *restrict a = state[MEAN],
                    *restrict b = state[MOMENTUM];
    const float lr = h->lr, decay = h->weight_decay, eps = h->eps;
    const float alpha = h->alpha, part = (float)(1 - (double)h->alpha);
    const float momentum = h->momentum;
    const bool centered = h->centered;
    for (int64_t i = 0; i < n; i++) {
        const float d = g[i] + decay * w[i];
        float mean = 0;
        s[i] = alpha * s[i] + part * d * d;
        if (centered) mean = a[i] = alpha * a[i] + part * d;
        float x = scaled(d, s[i] - mean * mean, eps);
        if (momentum != 0) x = b[i] = momentum * b[i] + x;
        w[i] -= lr * x;
    }
}

const afn_optimizer afn_optim_rmsprop = {
    .name = "rmsprop", .n_state = 3, .uses = rmsprop_uses, .step = rmsprop_step
};
