/* SPDX-License-Identifier: Apache-2.0 */
/* Adam, as torch.optim.Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980):
 *   d = g + weight_decay w
 *   m = beta1 m + (1 - beta1) d;   v = beta2 v + (1 - beta2) d^2;   both from 0
 *   w -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 * and AdamW, as torch.optim.AdamW (Loshchilov and Hutter 2019,
 * https://arxiv.org/abs/1711.05101), where d = g, and w is first made smaller by lr
 * weight_decay w. */
#include <math.h>

#include "optim/optim.h"

/* What differs: the decay that joins the gradient, and what w is multiplied by first.
 */
typedef struct decays {
    float joins, keeps;
} decays;

static void step(int64_t n, float *restrict w, const float *restrict g,
                 float *const *state, const afn_step_args *h, decays decay)
{
    float *restrict m = state[0], *restrict v = state[1];
    const double b1 = (double)h->beta1, b2 = (double)h->beta2, t = (double)h->t;
    const float rate = (float)((double)h->lr / (1 - pow(b1, t)));
    const float root = (float)sqrt(1 - pow(b2, t));
    const float beta1 = h->beta1, beta2 = h->beta2, eps = h->eps;
    const float part1 = (float)(1 - b1), part2 = (float)(1 - b2);
    for (int64_t i = 0; i < n; i++) {
        const float d = g[i] + decay.joins * w[i];
        m[i] = beta1 * m[i] + part1 * d;
        v[i] = beta2 * v[i] + part2 * d * d;
        const float below = sqrtf(v[i]) / root + eps; /* 0: so is m, without eps */
        w[i] = decay.keeps * w[i] - rate * m[i] / (below > 0 ? below : 1);
    }
}

static void adam_step(int64_t n, float *restrict w, const float *restrict g,
                      float *const *state, const afn_step_args *h)
{
    step(n, w, g, state, h, (decays){ h->weight_decay, 1 });
}

static void adamw_step(int64_t n, float *restrict w, const float *restrict g,
                       float *const *state, const afn_step_args *h)
{
    const double keeps = 1 - (double)h->lr * (double)h->weight_decay;
    step(n, w, g, state, h, (decays){ 0, (float)keeps });
}

const afn_optimizer afn_optim_adam = { .name = "adam",
                                       .n_state = 2,
                                       .step = adam_step };
const afn_optimizer afn_optim_adamw = { .name = "adamw",
                                        .n_state = 2,
                                        .step = adamw_step };
