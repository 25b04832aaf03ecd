/* SPDX-License-Identifier: Apache-2.0 */
/* torchvision's RandomErasing: a rectangle set to 0.  There 0 is a normalised value;
 * here, before normalising, it is the mean colour rounded to 8 bits, which is within
 * 0.009 of it with ImageNet's deviations. */
#include <math.h>
#include <string.h>

#include "image/augment.h"

enum { PROBABILITY, AREA_LOW, AREA_HIGH, RATIO_LOW, RATIO_HIGH }; /* values */
enum { TOP, LEFT, HEIGHT, WIDTH };                                /* drawn */
enum { TRIES = 10 };

/* A rectangle is smaller than the picture both ways, and may be empty; where ten tries
 * find none, nothing is erased. */
static void draw(afn_drawn *d, const double *param, afn_rng *rng, const afn_image *size)
{
    const double all = (double)(size->width * size->height);
    const double low = log(param[RATIO_LOW]), high = log(param[RATIO_HIGH]);
    d->on = afn_rng_double(rng) < param[PROBABILITY];
    for (int i = 0; d->on && i < TRIES; i++) {
        const double area =
            all * afn_draw_between(rng, param[AREA_LOW], param[AREA_HIGH]);
        const double ratio = exp(afn_draw_between(rng, low, high));
        const int64_t h = (int64_t)rint(sqrt(area * ratio));
        const int64_t w = (int64_t)rint(sqrt(area / ratio));
        if (h >= size->height || w >= size->width) continue;
        afn_drawn_add(d, (double)afn_rng_below(rng, size->height - h + 1));
        afn_drawn_add(d, (double)afn_rng_below(rng, size->width - w + 1));
        afn_drawn_add(d, (double)h);
        afn_drawn_add(d, (double)w);
        return;
    }
    d->on = false;
}

static afn_status change(afn_canvas *c, const double *param, const afn_drawn *d)
{
    const int64_t top = (int64_t)d->v[TOP], left = (int64_t)d->v[LEFT];
    (void)param;
    for (int64_t y = top; y < top + (int64_t)d->v[HEIGHT]; y++) {
        uint8_t *p = c->image.pixels + 3 * (c->image.width * y + left);
        for (int64_t x = 0; x < (int64_t)d->v[WIDTH]; x++, p += 3)
            memcpy(p, c->fill, 3);
    }
    return AFN_OK;
}

const afn_step_kind afn_step_erase = {
    .name = "erase",
    .param = { { .name = "probability", .low = 0, .high = 1, .initial = 0.5 },
               { .name = "area", .low = 0, .high = 1, .initial = 0.02 },
               { .name = "largest area",
                 .low = 0,
                 .high = 1,
                 .initial = 0.33,
                 .ascends = true },
               { .name = "ratio", .low = 0.05, .high = 20, .initial = 0.3 },
               { .name = "largest ratio",
                 .low = 0.05,
                 .high = 20,
                 .initial = 3.3,
                 .ascends = true } },
    .draw = draw,
    .change = change,
};
