/* SPDX-License-Identifier: Apache-2.0 */
/* torchvision's RandomHorizontalFlip and RandomVerticalFlip. */
#include "image/augment.h"

static void draw(afn_drawn *d, const double *param, afn_rng *rng, const afn_image *size)
{
    (void)size;
    d->on = afn_rng_double(rng) < param[0];
}

static afn_status flip_horizontal(afn_canvas *c, const double *param,
                                  const afn_drawn *d)
{
    (void)param;
    (void)d;
    afn_pixels__flip_horizontal(&c->image);
    return AFN_OK;
}

static afn_status flip_vertical(afn_canvas *c, const double *param, const afn_drawn *d)
{
    (void)param;
    (void)d;
    afn_pixels__flip_vertical(&c->image);
    return AFN_OK;
}

const afn_step_kind afn_step_hflip = {
    .name = "hflip",
    .param = { { .name = "probability", .low = 0, .high = 1, .initial = 0.5 } },
    .draw = draw,
    .change = flip_horizontal,
};

const afn_step_kind afn_step_vflip = {
    .name = "vflip",
    .param = { { .name = "probability", .low = 0, .high = 1, .initial = 0.5 } },
    .draw = draw,
    .change = flip_vertical,
};
