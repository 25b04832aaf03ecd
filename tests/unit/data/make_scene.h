/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that look different from each other: soft spots on a slope of light, all
 * drawn from a seed. */
#ifndef AFN_TEST_MAKE_SCENE_H
#define AFN_TEST_MAKE_SCENE_H

#include "make_tree.h"

#include <math.h>

enum { SCENE_SPOTS = 12 };

static inline void make_scene(afn_image *out, uint64_t seed, int width, int height)
{
    afn_rng rng = afn_rng_new(seed, afn_rng_stream(AFN_RNG_TEST, 0, 0));
    double spot[SCENE_SPOTS][5];
    assert_ok(afn_image__alloc(out, width, height));
    for (int s = 0; s < SCENE_SPOTS; s++)
        for (int k = 0; k < 5; k++) spot[s][k] = afn_rng_double(&rng);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double v = 0.5;
            for (int s = 0; s < SCENE_SPOTS; s++) {
                const double dx = (x + 0.5) / width - spot[s][0];
                const double dy = (y + 0.5) / height - spot[s][1];
                const double r = 0.05 + 0.2 * spot[s][2];
                v += (spot[s][3] - 0.5) * exp(-(dx * dx + dy * dy) / (r * r));
            }
            for (int c = 0; c < 3; c++)
                out->pixels[3 * (y * width + x) + c] = (uint8_t)(v < 0   ? 0
                                                                 : v > 1 ? 255
                                                                         : 255 * v);
        }
}

/* A scene as a gray PNG: its size and how much lighter it is may differ. */
static inline void put_scene(const char *root, const char *name, uint64_t seed,
                             int side, int lighter)
{
    afn_image image;
    afn_buf raw = { 0 }, png = { 0 };
    make_scene(&image, seed, side, side);
    for (int y = 0; y < side; y++) {
        afn_buf_add(&raw, "", 1);
        for (int x = 0; x < side; x++) {
            const int v = image.pixels[3 * (y * side + x)] * 3 / 4 + lighter;
            const uint8_t byte = (uint8_t)(v > 255 ? 255 : v);
            afn_buf_add(&raw, &byte, 1);
        }
    }
    make_png(&png, (png_head){ (uint32_t)side, (uint32_t)side, 8, 0, 0 },
             (const uint8_t *)raw.data, raw.size);
    put_file(root, name, png.data, png.size);
    afn_buf_free(&raw);
    afn_buf_free(&png);
    afn_image_free(&image);
}

#endif
