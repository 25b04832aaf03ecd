/* SPDX-License-Identifier: Apache-2.0 */
/* torchvision's ColorJitter: brightness, contrast, saturation and hue, each by a random
 * amount, in random order. */
#include "image/augment.h"

enum { BRIGHTNESS, CONTRAST, SATURATION, HUE, FOUR }; /* values, and who is who */

/* Drawn: the order, then the four amounts; those of value 0 are drawn too, and change
 * nothing. */
static void draw(afn_drawn *d, const double *param, afn_rng *rng, const afn_image *size)
{
    int64_t order[FOUR] = { BRIGHTNESS, CONTRAST, SATURATION, HUE };
    (void)size;
    afn_rng_shuffle(rng, order, FOUR);
    for (int i = 0; i < FOUR; i++) afn_drawn_add(d, (double)order[i]);
    for (int i = 0; i < HUE; i++)
        afn_drawn_add(
            d, afn_draw_between(rng, param[i] < 1 ? 1 - param[i] : 0, 1 + param[i]));
    afn_drawn_add(d, afn_draw_between(rng, -param[HUE], param[HUE]));
}

static afn_status change(afn_canvas *c, const double *param, const afn_drawn *d)
{
    static void (*const adjust[])(afn_image *, double) = {
        [BRIGHTNESS] = afn_pixels__brightness,
        [CONTRAST] = afn_pixels__contrast,
        [SATURATION] = afn_pixels__saturation,
        [HUE] = afn_pixels__hue,
    };
    for (int i = 0; i < FOUR; i++) {
        const int which = (int)d->v[i];
        if (param[which] > 0) adjust[which](&c->image, d->v[FOUR + which]);
    }
    return AFN_OK;
}

const afn_step_kind afn_step_color = {
    .name = "color",
    .param = { { .name = "brightness", .low = 0, .high = 10, .initial = 0.2 },
               { .name = "contrast", .low = 0, .high = 10, .as_first = true },
               { .name = "saturation", .low = 0, .high = 10, .as_first = true },
               { .name = "hue", .low = 0, .high = 0.5, .initial = 0 } },
    .draw = draw,
    .change = change,
    .of_colour = true,
};
