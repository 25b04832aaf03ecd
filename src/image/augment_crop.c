/* SPDX-License-Identifier: Apache-2.0 */
/* torchvision's RandomResizedCrop: a part of the picture, of random area and aspect
 * ratio, resized to the network's input with the filter of the preprocessing. */
#include <math.h>
#include <string.h>

#include "image/augment.h"

enum { AREA_LOW, AREA_HIGH, RATIO_LOW, RATIO_HIGH }; /* values */
enum { TOP, LEFT, HEIGHT, WIDTH };                   /* drawn */
enum { TRIES = 10 };

static void set_part(afn_drawn *d, const double part[4])
{
    for (int i = 0; i < 4; i++) afn_drawn_add(d, part[i]);
}

/* Where ten tries find nothing that fits: the middle, as much as the ratios allow. */
static void draw_middle(afn_drawn *d, const double *param, const afn_image *size)
{
    const double w = (double)size->width, h = (double)size->height;
    double part[4] = { 0, 0, h, w };
    if (w / h < param[RATIO_LOW]) part[HEIGHT] = fmax(1, rint(w / param[RATIO_LOW]));
    if (w / h > param[RATIO_HIGH]) part[WIDTH] = fmax(1, rint(h * param[RATIO_HIGH]));
    part[TOP] = floor((h - part[HEIGHT]) / 2);
    part[LEFT] = floor((w - part[WIDTH]) / 2);
    set_part(d, part);
}

static void draw(afn_drawn *d, const double *param, afn_rng *rng, const afn_image *size)
{
    const double all = (double)(size->width * size->height);
    const double low = log(param[RATIO_LOW]), high = log(param[RATIO_HIGH]);
    for (int i = 0; i < TRIES; i++) {
        const double area =
            all * afn_draw_between(rng, param[AREA_LOW], param[AREA_HIGH]);
        const double ratio = exp(afn_draw_between(rng, low, high));
        const double w = rint(sqrt(area * ratio)), h = rint(sqrt(area / ratio));
        const int64_t spare_w = size->width - (int64_t)w;
        const int64_t spare_h = size->height - (int64_t)h;
        if (w < 1 || h < 1 || spare_w < 0 || spare_h < 0) continue;
        const double top = (double)afn_rng_below(rng, spare_h + 1);
        const double left = (double)afn_rng_below(rng, spare_w + 1);
        set_part(d, (double[4]){ top, left, h, w });
        return;
    }
    draw_middle(d, param, size);
}

/* The resampler sees the part alone: nothing outside weighs in at its borders. */
static afn_status cut(uint8_t *out, const afn_preprocess *p, const afn_image *in,
                      const afn_drawn *d)
{
    afn_status st = AFN_OK;
    afn_image part = { 0 };
    const int64_t top = (int64_t)d->v[TOP], left = (int64_t)d->v[LEFT];
    const afn_resize_part all = { .width = p->crop,
                                  .height = p->crop,
                                  .w = p->crop,
                                  .h = p->crop,
                                  .filter = p->filter };
    const int64_t n = afn_image_channels(in);
    AFN_TRY(afn_image__alloc_channels(&part, (int64_t)d->v[WIDTH],
                                      (int64_t)d->v[HEIGHT], (int)n));
    const size_t row = (size_t)(part.width * n);
    for (int64_t y = 0; y < part.height; y++)
        memcpy(part.pixels + row * (size_t)y,
               in->pixels + n * (in->width * (top + y) + left), row);
    AFN_TRY(afn_image__resize_part(out, (size_t)(p->crop * n), &part, &all));
done:
    afn_image_free(&part);
    return st;
}

const afn_step_kind afn_step_crop = {
    .name = "crop",
    .param = { { .name = "area", .low = 0.001, .high = 1, .initial = 0.08 },
               { .name = "largest area",
                 .low = 0.001,
                 .high = 1,
                 .initial = 1,
                 .ascends = true },
               { .name = "ratio", .low = 0.1, .high = 10, .initial = 3.0 / 4.0 },
               { .name = "largest ratio",
                 .low = 0.1,
                 .high = 10,
                 .initial = 4.0 / 3.0,
                 .ascends = true } },
    .draw = draw,
    .cut = cut,
};
