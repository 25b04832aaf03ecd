/* SPDX-License-Identifier: Apache-2.0 */
/* Layer norm over the channels of some pixels, compiled like kern.c.  Channels lie in
 * blocks, some values apart; the pixels of one call are few, so that all of their
 * channels stay in the cache between the passes over them. */
#include "engine/cpu/kern.h"

#include <math.h>

#include "engine/cpu/kern_vec.h"

INLINE float total(vec x)
{
    float all[B];
    memcpy(all, &x, sizeof all);
    for (int half = B / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) all[i] += all[i + half];
    return all[0];
}

/* Channels of a block that exist. */
INLINE int64_t lanes(const afn_norm_pixels *n, int64_t block)
{
    return least(B, n->channels - block * B);
}

/* All ones in the lanes that exist. */
INLINE vec lane_mask(int64_t count)
{
    bits m;
    for (int i = 0; i < B; i++) m[i] = i < count ? ~0u : 0;
    return (vec)m;
}

INLINE vec masked(vec x, vec mask)
{
    return (vec)((bits)x & (bits)mask);
}

INLINE int64_t place(const afn_norm_pixels *n, int64_t block, int64_t p)
{
    return block * n->step + p * B;
}

/* Padding in memory is written as 0 where there is any. */
INLINE void store_lanes(const afn_norm_pixels *n, void *to, int64_t at, vec x, vec mask,
                        int64_t count)
{
    if (n->padded)
        set(to, at, masked(x, mask));
    else
        set_some(to, at, x, count);
}

static void statistics(const afn_norm_pixels *n)
{
    vec sum[AFN_LAYER_NORM_PIXELS] = { { 0 } },
        square[AFN_LAYER_NORM_PIXELS] = { { 0 } };
    const int64_t blocks = (n->channels + B - 1) / B;
    for (int64_t b = 0; b < blocks; b++)
        for (int64_t p = 0; p < n->pixels; p++)
            sum[p] += get_some(n->x, place(n, b, p), lanes(n, b));
    for (int64_t p = 0; p < n->pixels; p++)
        n->mean[p] = total(sum[p]) / (float)n->channels;
    for (int64_t b = 0; b < blocks; b++) {
        const vec mask = lane_mask(lanes(n, b));
        for (int64_t p = 0; p < n->pixels; p++) {
            const vec d =
                masked(get_some(n->x, place(n, b, p), lanes(n, b)) - n->mean[p], mask);
            square[p] += d * d;
        }
    }
    for (int64_t p = 0; p < n->pixels; p++)
        n->r[p] = 1.0f / sqrtf(total(square[p]) / (float)n->channels + n->eps);
}

static void apply(const afn_norm_pixels *n)
{
    const int64_t blocks = (n->channels + B - 1) / B;
    for (int64_t b = 0; b < blocks; b++) {
        const vec weight = load_vec(n->weight + b * B),
                  bias = load_vec(n->bias + b * B);
        const vec mask = lane_mask(lanes(n, b));
        for (int64_t p = 0; p < n->pixels; p++) {
            const vec x = get_some(n->x, place(n, b, p), lanes(n, b));
            const vec y = (x - n->mean[p]) * (weight * n->r[p]) + bias;
            store_lanes(n, n->y, place(n, b, p), y, mask, lanes(n, b));
        }
    }
}

/* Sums of g = weight dy and g h over the channels of each pixel, of dy h and dy over
 * the pixels of each channel. */
static void sums(const afn_norm_pixels *n, vec *g, vec *gh)
{
    const int64_t blocks = (n->channels + B - 1) / B;
    for (int64_t b = 0; b < blocks; b++) {
        const vec weight = load_vec(n->weight + b * B);
        const vec mask = lane_mask(lanes(n, b));
        vec dweight = { 0 }, dbias = { 0 };
        for (int64_t p = 0; p < n->pixels; p++) {
            const vec x = get_some(n->x, place(n, b, p), lanes(n, b));
            const vec dy = get_some(n->dy, place(n, b, p), lanes(n, b));
            const vec h = masked((x - n->mean[p]) * n->r[p], mask);
            dweight += dy * h;
            dbias += dy;
            g[p] += weight * dy;
            gh[p] += weight * dy * h;
        }
        add_sums(n->dweight + b * B, dweight);
        add_sums(n->dbias + b * B, dbias);
    }
}

static void backward(const afn_norm_pixels *n)
{
    vec g[AFN_LAYER_NORM_PIXELS] = { { 0 } }, gh[AFN_LAYER_NORM_PIXELS] = { { 0 } };
    float mean_g[AFN_LAYER_NORM_PIXELS], mean_gh[AFN_LAYER_NORM_PIXELS];
    const int64_t blocks = (n->channels + B - 1) / B;
    sums(n, g, gh);
    if (!n->dx) return;
    for (int64_t p = 0; p < n->pixels; p++) {
        mean_g[p] = total(g[p]) / (float)n->channels;
        mean_gh[p] = total(gh[p]) / (float)n->channels;
    }
    for (int64_t b = 0; b < blocks; b++) {
        const vec weight = load_vec(n->weight + b * B);
        const vec mask = lane_mask(lanes(n, b));
        for (int64_t p = 0; p < n->pixels; p++) {
            const int64_t at = place(n, b, p);
            const vec h = (get_some(n->x, at, lanes(n, b)) - n->mean[p]) * n->r[p];
            const vec dy = get_some(n->dy, at, lanes(n, b));
            vec dx = (weight * dy - mean_g[p] - h * mean_gh[p]) * n->r[p];
            if (n->add) dx += get_some(n->dx, at, lanes(n, b));
            store_lanes(n, n->dx, at, dx, mask, lanes(n, b));
        }
    }
}

const afn_kern_layer_norm AFN_LAYER_NORM_TABLE = {
    .statistics = statistics,
    .apply = apply,
    .backward = backward,
};
