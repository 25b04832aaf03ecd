/* SPDX-License-Identifier: Apache-2.0 */
/* With b = 1 / temperature the cross-entropy is convex in b: its first derivative is
 * what probabilities expect of a logit minus what the labels have, the second the
 * variance of the logits.  Newton's steps, held inside a bracket that shrinks. */
#include <math.h>
#include <stdlib.h>

#include "train/score/metrics.h"

enum { MOST_STEPS = 100 };

/* First and second derivative at b, of one image: the label counts n+1 of n+2, the rest
 * is spread over the other classes. */
static void add_image(double d[2], const afn_scores *s, int64_t i, double b)
{
    const float *z = s->logits + i * s->classes;
    const double n = (double)s->count, others = 1 / (n + 2);
    double max = -INFINITY, sum = 0, mean = 0, square = 0, all = 0;
    for (int c = 0; c < s->classes; c++) {
        if ((double)z[c] > max) max = (double)z[c];
        all += (double)z[c];
    }
    for (int c = 0; c < s->classes; c++) {
        const double p = exp(b * ((double)z[c] - max));
        sum += p;
        mean += p * (double)z[c];
        square += p * (double)z[c] * (double)z[c];
    }
    mean /= sum;
    const double own = (double)z[s->labels[i]];
    const double other = s->classes > 1 ? (all - own) / (s->classes - 1) : own;
    d[0] += (mean - (1 - others) * own - others * other) / n;
    d[1] += (square / sum - mean * mean) / n;
}

static void derive(double d[2], const afn_scores *s, double b)
{
    d[0] = d[1] = 0;
    for (int64_t i = 0; i < s->count; i++) add_image(d, s, i, b);
}

static double find_temperature(const afn_scores *s)
{
    double low = 0.01, high = 100, b = 1, d[2];
    for (int k = 0; k < MOST_STEPS && high / low > 1 + 1e-12; k++) {
        derive(d, s, b);
        if (d[0] == 0) break;
        if (d[0] < 0)
            low = b;
        else
            high = b;
        const double newton = b - d[0] / d[1];
        const double next = newton > low && newton < high ? newton : sqrt(low * high);
        if (fabs(next - b) < 1e-12 * b) break;
        b = next;
    }
    return 1 / b;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* numpy.quantile(): linear between two neighbours. */
static double quantile_of(const double *sorted, int64_t n, double q)
{
    const double at = q * (double)(n - 1);
    const int64_t k = (int64_t)at;
    if (k + 1 >= n) return sorted[n - 1];
    return sorted[k] + (at - (double)k) * (sorted[k + 1] - sorted[k]);
}

/* The quantile of probabilities of right answers; 0 where none is right. */
static afn_status find_threshold(double *out, const afn_scores *s, double temperature,
                                 double q)
{
    int64_t n = 0;
    double *p = afn_alloc_array((size_t)s->count, sizeof *p);
    if (!p) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < s->count; i++) {
        double confidence;
        if (afn_scores_best(s, i, temperature, &confidence) == s->labels[i])
            p[n++] = confidence;
    }
    qsort(p, (size_t)n, sizeof *p, by_size);
    *out = n ? quantile_of(p, n, q) : 0;
    afn_free(p);
    return AFN_OK;
}

static bool all_finite(const afn_scores *s)
{
    for (int64_t i = 0; i < s->count * s->classes; i++)
        if (!isfinite(s->logits[i])) return false;
    return true;
}

afn_status afn_calibrate(afn_calibration *out, const afn_scores *s, double quantile)
{
    afn_status st = AFN_OK;
    afn_calibration c = { .quantile = quantile, .images = s->count };

    *out = (afn_calibration){ .temperature = 1 };
    AFN_REQUIRE(s->count > 0, AFN_EINVAL, "no images to calibrate with");
    AFN_REQUIRE(quantile >= 0 && quantile < 1, AFN_EINVAL,
                "quantile is %g, need 0 to below 1", quantile);
    AFN_REQUIRE(all_finite(s), AFN_EINVAL, "the model's output is no number");
    c.temperature = find_temperature(s);
    AFN_TRY(find_threshold(&c.unknown_below, s, c.temperature, quantile));
    *out = c;
done:
    return st;
}
