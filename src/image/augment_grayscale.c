/* SPDX-License-Identifier: Apache-2.0 */
/* torchvision's RandomGrayscale. */
#include "image/augment.h"

static void draw(afn_drawn *d, const double *param, afn_rng *rng, const afn_image *size)
{
    (void)size;
    d->on = afn_rng_double(rng) < param[0];
}

static afn_status change(afn_canvas *c, const double *param, const afn_drawn *d)
{
    (void)param;
    (void)d;
    afn_pixels__grayscale(&c->image);
    return AFN_OK;
}

const afn_step_kind afn_step_grayscale = {
    .name = "grayscale",
    .param = { { .name = "probability", .low = 0, .high = 1, .initial = 0.1 } },
    .draw = draw,
    .change = change,
    .of_colour = true,
};
