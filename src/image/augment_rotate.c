/* SPDX-License-Identifier: Apache-2.0 */
/* torchvision's RandomRotation: about the centre, black where nothing comes from. */
#include "image/augment.h"

enum { DEGREES, FILTER }; /* values */

static const char *const filters[] = { "nearest", "bilinear", NULL };

static void draw(afn_drawn *d, const double *param, afn_rng *rng, const afn_image *size)
{
    (void)size;
    afn_drawn_add(d, afn_draw_between(rng, -param[DEGREES], param[DEGREES]));
}

static afn_status change(afn_canvas *c, const double *param, const afn_drawn *d)
{
    afn_pixels__rotate(c->spare, &c->image, d->v[0], param[FILTER] != 0);
    afn_canvas_swap(c);
    return AFN_OK;
}

const afn_step_kind afn_step_rotate = {
    .name = "rotate",
    .param = { { .name = "degrees", .low = 0, .high = 180, .initial = 15 },
               { .name = "filter", .word = filters } },
    .draw = draw,
    .change = change,
};
