/* SPDX-License-Identifier: Apache-2.0 */
/* Activations on vectors, and what they pass of a gradient: for the files that are
 * compiled once per instruction set.
 *
 * Sigmoid and the normal distribution come from one exponential: 2^n by the exponent's
 * bits times a polynomial, within two units of the last place.  The distribution is
 * Abramowitz and Stegun 7.1.26, whose error of 1.5e-7 is that of a float. */
#ifndef AFN_CPU_KERN_ACT_H
#define AFN_CPU_KERN_ACT_H

#include "engine/backend.h"
#include "engine/cpu/kern_vec.h"

INLINE vec all(float x)
{
    return (vec){ 0 } + x;
}

/* a where the mask holds, else b. */
#define CHOOSE(mask, a, b) ((vec)((bits)WHERE(mask, a) | (bits)WHERE_NOT(mask, b)))

INLINE vec clip(vec x, int act)
{
    if (act == AFN_NO_ACT) return x;
    const vec positive = WHERE_NOT(x < 0.0f, x); /* NaN stays NaN */
    if (act != AFN_ACT_RELU6) return positive;
    const vec over = positive - positive + 6.0f; /* NaN where it is not over 6 either */
    return CHOOSE(positive > 6.0f, over, positive);
}

/* e^x for x <= 0, 0 far below; NaN stays NaN. */
INLINE vec exp_below(vec x)
{
    const vec z = CHOOSE(x < -87.0f, all(-87.0f), x);
    const float to_integer = 12582912.0f; /* 1.5 2^23: rounds what is added to it */
    const vec shifted = z * 1.44269504f + to_integer;
    const vec n = shifted - to_integer;
    const vec r = z - n * 0.693359375f + n * 2.12194440e-4f; /* ln 2 in two parts */
    vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;         /* Cephes, expf */
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    /* The integer is in the low bits of `shifted`. */
    const vec power = (vec)(((bits)shifted << 23) + (127u << 23));
    return WHERE_NOT(x < -87.0f, p * power);
}

INLINE vec magnitude(vec x)
{
    return (vec)((bits)x & 0x7fffffffu);
}

/* factor / (1 + e^-x) */
INLINE vec times_sigmoid(vec factor, vec x)
{
    const vec e = exp_below(-magnitude(x));
    return CHOOSE(x < 0.0f, e * factor, factor) / (1.0f + e);
}

INLINE vec sigmoid(vec x)
{
    return times_sigmoid(all(1.0f), x);
}

/* min(max(x + 3, 0), 6) / 6 */
INLINE vec hard(vec x)
{
    return clip(x + 3.0f, AFN_ACT_RELU6) * (1.0f / 6.0f);
}

/* P(X <= x) of a standard normal X, and e^(-x x / 2). */
INLINE vec normal_below(vec x, vec *density)
{
    const vec z = magnitude(x) * 0.70710678f, e = exp_below(-z * z);
    const vec t = 1.0f / (1.0f + z * 0.3275911f);
    vec p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const vec tail = p * t * e * 0.5f;
    *density = e;
    return CHOOSE(x < 0.0f, tail, 1.0f - tail);
}

INLINE vec act_value(vec x, int act)
{
    vec density;
    switch (act) {
    case AFN_ACT_SILU:
        return times_sigmoid(x, x);
    case AFN_ACT_SIGMOID:
        return sigmoid(x);
    case AFN_ACT_HARDSWISH:
        return x * hard(x);
    case AFN_ACT_HARDSIGMOID:
        return hard(x);
    case AFN_ACT_GELU:
        return x * normal_below(x, &density);
    default:
        return clip(x, act);
    }
}

/* What the activation passes of dy.  Of the kinked ones (AFN_ACT_RELU, AFN_ACT_RELU6) x
 * may be argument or result, of the smooth ones it is the argument. */
INLINE vec pass(vec dy, vec x, int act)
{
    vec density;
    switch (act) {
    case AFN_NO_ACT:
        return dy;
    case AFN_ACT_RELU:
        return WHERE(x > 0.0f, dy);
    case AFN_ACT_RELU6:
        return WHERE(x < 6.0f, WHERE(x > 0.0f, dy));
    case AFN_ACT_SILU: {
        const vec s = sigmoid(x);
        return dy * s * (1.0f + x * (1.0f - s));
    }
    case AFN_ACT_SIGMOID: {
        const vec s = sigmoid(x);
        return dy * s * (1.0f - s);
    }
    case AFN_ACT_HARDSWISH: {
        const vec inside = CHOOSE(x > 3.0f, dy, dy * (x * (1.0f / 3.0f) + 0.5f));
        return WHERE_NOT(x < -3.0f, inside);
    }
    case AFN_ACT_HARDSIGMOID:
        return WHERE(x > -3.0f, WHERE(x < 3.0f, dy)) * (1.0f / 6.0f);
    case AFN_ACT_GELU: {
        const vec below = normal_below(x, &density);
        return dy * (below + x * density * 0.39894228f);
    }
    default:
        return dy;
    }
}

/* Call f(..., activation) with a constant, so that each is compiled apart. */
#define FOR_EACH_ACT(act, f, ...)                                                      \
    do {                                                                               \
        switch (act) {                                                                 \
        case AFN_NO_ACT:                                                               \
            f(__VA_ARGS__, AFN_NO_ACT);                                                \
            break;                                                                     \
        case AFN_ACT_RELU:                                                             \
            f(__VA_ARGS__, AFN_ACT_RELU);                                              \
            break;                                                                     \
        case AFN_ACT_RELU6:                                                            \
            f(__VA_ARGS__, AFN_ACT_RELU6);                                             \
            break;                                                                     \
        case AFN_ACT_SILU:                                                             \
            f(__VA_ARGS__, AFN_ACT_SILU);                                              \
            break;                                                                     \
        case AFN_ACT_SIGMOID:                                                          \
            f(__VA_ARGS__, AFN_ACT_SIGMOID);                                           \
            break;                                                                     \
        case AFN_ACT_HARDSWISH:                                                        \
            f(__VA_ARGS__, AFN_ACT_HARDSWISH);                                         \
            break;                                                                     \
        case AFN_ACT_HARDSIGMOID:                                                      \
            f(__VA_ARGS__, AFN_ACT_HARDSIGMOID);                                       \
            break;                                                                     \
        case AFN_ACT_GELU:                                                             \
            f(__VA_ARGS__, AFN_ACT_GELU);                                              \
            break;                                                                     \
        }                                                                              \
    } while (0)

/* The same for those with a kink, which are known from their result. */
#define FOR_EACH_KINK(act, f, ...)                                                     \
    do {                                                                               \
        if ((act) == AFN_NO_ACT)                                                       \
            f(__VA_ARGS__, AFN_NO_ACT);                                                \
        else if ((act) == AFN_ACT_RELU)                                                \
            f(__VA_ARGS__, AFN_ACT_RELU);                                              \
        else                                                                           \
            f(__VA_ARGS__, AFN_ACT_RELU6);                                             \
    } while (0)

#endif
