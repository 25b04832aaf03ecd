/* SPDX-License-Identifier: Apache-2.0 */
/* torchvision's TrivialAugmentWide and RandAugment: one or some of fourteen operations,
 * chosen at random, of a strength that is one of 31.
 * Source: torchvision 0.14, autoaugment.py; Mueller and Hutter 2021, "TrivialAugment";
 * Cubuk et al. 2019, "RandAugment" */
#include <math.h>

#include "image/augment.h"

enum { LEVELS = 31, PER_OPERATION = 2 };

/* What a strength goes from at level 0, and to at the last. */
typedef struct range {
    double from, to;
    bool either_sign;
    bool of_side; /* of the picture: to is a part of it */
    bool bits;    /* whole numbers */
} range;

typedef struct operation {
    range wide, plain; /* TrivialAugmentWide's and RandAugment's; 0 to 0 = none */
    afn_status (*run)(afn_canvas *c, double strength);
    bool of_colour;
} operation;

/* ---- the operations ---- */

static afn_status identity(afn_canvas *c, double strength)
{
    (void)c;
    (void)strength;
    return AFN_OK;
}

/* torchvision takes strengths of shear as tangents, through degrees. */
static double shear_degrees(double tangent)
{
    return atan(tangent) * (180.0 / 3.14159265358979323846);
}

static afn_status shear_x(afn_canvas *c, double strength)
{
    afn_pixels__shear(c->spare, &c->image, shear_degrees(strength), 0);
    afn_canvas_swap(c);
    return AFN_OK;
}

static afn_status shear_y(afn_canvas *c, double strength)
{
    afn_pixels__shear(c->spare, &c->image, 0, shear_degrees(strength));
    afn_canvas_swap(c);
    return AFN_OK;
}

static afn_status translate_x(afn_canvas *c, double strength)
{
    afn_pixels__translate(c->spare, &c->image, (int64_t)strength, 0);
    afn_canvas_swap(c);
    return AFN_OK;
}

static afn_status translate_y(afn_canvas *c, double strength)
{
    afn_pixels__translate(c->spare, &c->image, 0, (int64_t)strength);
    afn_canvas_swap(c);
    return AFN_OK;
}

static afn_status rotate(afn_canvas *c, double strength)
{
    afn_pixels__rotate(c->spare, &c->image, strength, false);
    afn_canvas_swap(c);
    return AFN_OK;
}

static afn_status brightness(afn_canvas *c, double strength)
{
    afn_pixels__brightness(&c->image, 1 + strength);
    return AFN_OK;
}

static afn_status saturation(afn_canvas *c, double strength)
{
    afn_pixels__saturation(&c->image, 1 + strength);
    return AFN_OK;
}

static afn_status contrast(afn_canvas *c, double strength)
{
    afn_pixels__contrast(&c->image, 1 + strength);
    return AFN_OK;
}

static afn_status sharpness(afn_canvas *c, double strength)
{
    afn_pixels__sharpness(c->spare, &c->image, 1 + strength);
    afn_canvas_swap(c);
    return AFN_OK;
}

static afn_status posterize(afn_canvas *c, double strength)
{
    afn_pixels__posterize(&c->image, (int)strength);
    return AFN_OK;
}

static afn_status solarize(afn_canvas *c, double strength)
{
    afn_pixels__solarize(&c->image, strength);
    return AFN_OK;
}

static afn_status autocontrast(afn_canvas *c, double strength)
{
    (void)strength;
    afn_pixels__autocontrast(&c->image);
    return AFN_OK;
}

static afn_status equalize(afn_canvas *c, double strength)
{
    (void)strength;
    afn_pixels__equalize(&c->image);
    return AFN_OK;
}

#define SIGNED(most)                                                                   \
    {                                                                                  \
        .to = most, .either_sign = true                                                \
    }
#define OF_SIDE(most)                                                                  \
    {                                                                                  \
        .to = most, .either_sign = true, .of_side = true                               \
    }

/* In torchvision's order. */
static const operation operations[] = {
    { .run = identity },
    { .wide = SIGNED(0.99), .plain = SIGNED(0.3), .run = shear_x },
    { .wide = SIGNED(0.99), .plain = SIGNED(0.3), .run = shear_y },
    { .wide = SIGNED(32), .plain = OF_SIDE(150.0 / 331.0), .run = translate_x },
    { .wide = SIGNED(32), .plain = OF_SIDE(150.0 / 331.0), .run = translate_y },
    { .wide = SIGNED(135), .plain = SIGNED(30), .run = rotate },
    { .wide = SIGNED(0.99),
      .plain = SIGNED(0.9),
      .run = brightness,
      .of_colour = true },
    { .wide = SIGNED(0.99),
      .plain = SIGNED(0.9),
      .run = saturation,
      .of_colour = true },
    { .wide = SIGNED(0.99), .plain = SIGNED(0.9), .run = contrast, .of_colour = true },
    { .wide = SIGNED(0.99), .plain = SIGNED(0.9), .run = sharpness, .of_colour = true },
    { .wide = { .from = 8, .to = 2, .bits = true },
      .plain = { .from = 8, .to = 4, .bits = true },
      .run = posterize,
      .of_colour = true },
    { .wide = { .from = 255 },
      .plain = { .from = 255 },
      .run = solarize,
      .of_colour = true },
    { .run = autocontrast, .of_colour = true },
    { .run = equalize, .of_colour = true },
};

/* ---- drawing ---- */

/* Strength at a level; in single precision, as torch's tensors hold them. */
static double strength_at(const range *r, int64_t level, double side)
{
    const double part = (double)level / (LEVELS - 1);
    const double to = r->of_side ? r->to * side : r->to;
    if (r->bits) return r->from - rint((r->from - to) * part);
    return (double)(float)(r->from + (to - r->from) * part);
}

/* Draws the operation, where it has a strength that (level < 0: too), and where it has
 * one its sign. */
static void draw_one(afn_drawn *d, afn_rng *rng, const range *r, int64_t level,
                     double side)
{
    double strength = 0;
    if (r->from != r->to) {
        if (level < 0) level = afn_rng_below(rng, LEVELS);
        strength = strength_at(r, level, side);
    }
    if (r->either_sign && afn_rng_below(rng, 2)) strength = -strength;
    afn_drawn_add(d, strength);
}

static void draw_trivial(afn_drawn *d, const double *param, afn_rng *rng,
                         const afn_image *size)
{
    (void)param;
    (void)size;
    const int64_t which = afn_rng_below(rng, AFN_COUNT(operations));
    afn_drawn_add(d, (double)which);
    draw_one(d, rng, &operations[which].wide, -1, 0);
}

enum { OPERATIONS, MAGNITUDE }; /* values of rand */

static void draw_rand(afn_drawn *d, const double *param, afn_rng *rng,
                      const afn_image *size)
{
    for (int i = 0; i < (int)param[OPERATIONS]; i++) {
        const int64_t which = afn_rng_below(rng, AFN_COUNT(operations));
        const bool down = operations[which].run == translate_y;
        afn_drawn_add(d, (double)which);
        draw_one(d, rng, &operations[which].plain, (int64_t)param[MAGNITUDE],
                 (double)(down ? size->height : size->width));
    }
}

static afn_status change(afn_canvas *c, const double *param, const afn_drawn *d)
{
    (void)param;
    for (int i = 0; i < d->n; i += PER_OPERATION) {
        const operation *o = &operations[(int)d->v[i]];
        if (c->alpha && o->of_colour) continue;
        const afn_status st = o->run(c, d->v[i + 1]);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

const afn_step_kind afn_step_trivial = {
    .name = "trivial",
    .draw = draw_trivial,
    .change = change,
};

const afn_step_kind afn_step_rand = {
    .name = "rand",
    .param = { { .name = "operations",
                 .low = 1,
                 .high = AFN_MAX_DRAWN / PER_OPERATION,
                 .initial = 2,
                 .whole = true },
               { .name = "magnitude",
                 .low = 0,
                 .high = LEVELS - 1,
                 .initial = 9,
                 .whole = true } },
    .draw = draw_rand,
    .change = change,
};
