/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of pixels against digests of what Pillow and torchvision make of the same. */
#ifndef AFN_TEST_PIXEL_GOLDENS_H
#define AFN_TEST_PIXEL_GOLDENS_H

#include "afn_test.h"
#include "image/pixels.h"

typedef struct pixels_golden {
    const char *name;
    int width, height;
    double a, b;     /* arguments */
    uint64_t digest; /* FNV-1a of the pixels */
} pixels_golden;

#include "../../golden/pixels_golden.h"

/* Changes *image in place or by way of a copy. */
typedef void (*test_change)(afn_image *image, double a, double b);

/* A gradient with edges and hashed noise: as make_resize.py makes it. */
static inline afn_image test_picture(int width, int height)
{
    afn_image image;
    assert_ok(afn_image__alloc(&image, width, height));
    uint8_t *p = image.pixels;
    for (uint32_t y = 0; y < (uint32_t)height; y++)
        for (uint32_t x = 0; x < (uint32_t)width; x++)
            for (uint32_t c = 0; c < 3; c++) {
                uint32_t h = x * 2654435761u ^ y * 2246822519u ^ c * 3266489917u;
                h = (h ^ h >> 15) * 2246822519u;
                *p++ = (uint8_t)((x + 2 * y) % 92 + (x / 16 + y / 16) % 2 * 100 +
                                 (h >> 26 & 63));
            }
    return image;
}

static inline uint64_t test_digest(const afn_image *image)
{
    uint64_t h = 0xcbf29ce484222325;
    for (int64_t i = 0; i < image->width * image->height * 3; i++)
        h = (h ^ image->pixels[i]) * 0x100000001b3;
    return h;
}

static inline void assert_same_pixels(const afn_image *a, const afn_image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_memory_equal(a->pixels, b->pixels, (size_t)(a->width * a->height * 3));
}

/* All rows of this name. */
static inline void check_goldens(const char *name, test_change change)
{
    int rows = 0;
    for (size_t i = 0; i < AFN_COUNT(pixels_goldens); i++) {
        const pixels_golden *g = &pixels_goldens[i];
        if (strcmp(g->name, name) != 0) continue;
        afn_image image = test_picture(g->width, g->height);
        change(&image, g->a, g->b);
        if (test_digest(&image) != g->digest)
            fail_msg("%s(%g, %g) of %dx%d: wrong digest", name, g->a, g->b, g->width,
                     g->height);
        afn_image_free(&image);
        rows++;
    }
    assert_true(rows >= 6);
}

/* Replace the picture by one that `into` fills. */
#define CHANGE_INTO(image, call_with_out)                                              \
    do {                                                                               \
        afn_image new_;                                                                \
        assert_ok(afn_image__alloc(&new_, (image)->width, (image)->height));           \
        uint8_t *out = new_.pixels;                                                    \
        call_with_out;                                                                 \
        afn_image_free(image);                                                         \
        *(image) = new_;                                                               \
    } while (0)

#endif
