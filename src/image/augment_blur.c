/* SPDX-License-Identifier: Apache-2.0 */
/* torchvision's GaussianBlur, with the probability of a RandomApply around it. */
#include "image/augment.h"

enum { TAPS, FROM, TO, PROBABILITY }; /* values */

static void draw(afn_drawn *d, const double *param, afn_rng *rng, const afn_image *size)
{
    (void)size;
    d->on = afn_rng_double(rng) < param[PROBABILITY];
    afn_drawn_add(d, afn_draw_between(rng, param[FROM], param[TO]));
}

static afn_status change(afn_canvas *c, const double *param, const afn_drawn *d)
{
    const afn_status st =
        afn_pixels__blur(c->spare, &c->image, (int)param[TAPS], d->v[0]);
    if (st == AFN_OK) afn_canvas_swap(c);
    return st;
}

const afn_step_kind afn_step_blur = {
    .name = "blur",
    .param = { { .name = "taps", .low = 1, .high = 101, .initial = 5, .odd = true },
               { .name = "deviation", .low = 0.01, .high = 100, .initial = 0.1 },
               { .name = "largest deviation",
                 .low = 0.01,
                 .high = 100,
                 .initial = 2,
                 .ascends = true },
               { .name = "probability", .low = 0, .high = 1, .initial = 1 } },
    .draw = draw,
    .change = change,
};
