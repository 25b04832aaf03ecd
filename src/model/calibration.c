/* SPDX-License-Identifier: Apache-2.0 */
/* Temperature scaling: Guo et al. 2017, https://arxiv.org/abs/1706.04599.  How it is
 * learned is in src/train. */
#include <math.h>

#include "model/state.h"

afn_status afn_model__check_calibration(const afn_calibration *c, afn_status code)
{
    if (!(c->temperature >= 0.01 && c->temperature <= 100))
        return afn_fail(code, "temperature is %g, need 0.01 to 100", c->temperature);
    if (!(c->unknown_below >= 0 && c->unknown_below <= 1))
        return afn_fail(code, "unknown_below is %g, need 0 to 1", c->unknown_below);
    if (!(c->quantile >= 0 && c->quantile < 1))
        return afn_fail(code, "quantile is %g, need 0 to below 1", c->quantile);
    if (c->images < 1)
        return afn_fail(code, "learned from %lld images, need at least 1",
                        (long long)c->images);
    return AFN_OK;
}

afn_calibration afn_model_calibration(const afn_model *m)
{
    if (m->calibration.images) return m->calibration;
    return (afn_calibration){ .temperature = 1 };
}

afn_status afn_model_set_calibration(afn_model *m, const afn_calibration *c)
{
    const afn_status st = c ? afn_model__check_calibration(c, AFN_EINVAL) : AFN_OK;
    if (st == AFN_OK) m->calibration = c ? *c : (afn_calibration){ 0 };
    return st;
}

void afn_softmax_at(const float *logits, int n, double temperature, double *p)
{
    float max = -INFINITY;
    double sum = 0;
    for (int i = 0; i < n; i++) max = logits[i] > max ? logits[i] : max;
    for (int i = 0; i < n; i++)
        sum += p[i] = exp(((double)logits[i] - (double)max) / temperature);
    for (int i = 0; i < n; i++) p[i] /= sum;
}
