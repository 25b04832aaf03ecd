/* SPDX-License-Identifier: Apache-2.0 */
/* Renders a thing as a careless photograph would show it: anywhere near the middle,
 * turned, stretched, lit from one side, casting a shadow, in front of clutter, partly
 * hidden, out of focus and grainy.  Colours say nothing about the class. */
#include "draw.h"

#include <math.h>
#include <string.h>

enum { CLUTTER = 9, WAVES = 4, SAMPLES = 2 };

/* ---- chance: SplitMix64, Steele et al. 2014 ---- */

typedef struct chance {
    uint64_t state;
} chance;

static uint64_t next(chance *c)
{
    uint64_t z = (c->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static float between(chance *c, float low, float high)
{
    return low + (high - low) * (float)(next(c) >> 40) * 0x1p-24f;
}

/* Nearly normal, deviation 1: the sum of four uniform numbers. */
static float bell(chance *c)
{
    float sum = 0;
    for (int i = 0; i < 4; i++) sum += between(c, -0.5f, 0.5f);
    return sum * 1.7320508f;
}

/* ---- the scene ---- */

typedef struct colour {
    float c[3]; /* red, green, blue in [0, 1] */
} colour;

/* A soft plane wave that modulates brightness: the texture of a surface. */
typedef struct wave {
    float fx, fy, phase, depth;
} wave;

/* From picture coordinates in [-1, 1] to the thing's own. */
typedef struct pose {
    float x, y;       /* where its middle lies */
    float m[4];       /* inverse of turn, stretch and shear, row by row */
    float bend, wide; /* sideways bend of the outline and how long it is */
} pose;

typedef struct scene {
    const thing *thing;
    pose pose;
    colour body, detail, ground[2];
    wave ground_wave[WAVES], body_wave[2];
    float light_x, light_y, light; /* direction and strength */
    float shadow_x, shadow_y, shadow;
    int n_clutter, n_front; /* clutter behind the thing and in front of it */
    part clutter[CLUTTER];
    colour clutter_colour[CLUTTER];
} scene;

static colour any_colour(chance *c)
{
    colour out;
    const float grey = between(c, 0.1f, 0.9f), vivid = between(c, 0.2f, 0.9f);
    for (int k = 0; k < 3; k++)
        out.c[k] = grey + vivid * (between(c, 0.0f, 1.0f) - grey);
    return out;
}

/* A colour that can be told from another. */
static colour other_colour(chance *c, colour from, float apart)
{
    for (;;) {
        const colour out = any_colour(c);
        float d = 0;
        for (int k = 0; k < 3; k++) d += fabsf(out.c[k] - from.c[k]);
        if (d >= apart) return out;
    }
}

static void any_waves(wave *w, int n, float depth, chance *c)
{
    for (int i = 0; i < n; i++) {
        const float angle = between(c, 0, 6.2831853f), f = between(c, 2, 22);
        w[i] = (wave){ f * cosf(angle), f * sinf(angle), between(c, 0, 6.2831853f),
                       between(c, 0, depth) };
    }
}

/* How far from the plain picture: 0 is a bright thing, upright, on a dark ground; 1 has
 * all that chance may do. */
static pose any_pose(chance *c, float wild)
{
    pose p = { .x = between(c, -0.15f, 0.15f), .y = between(c, -0.15f, 0.15f) };
    const float turn = between(c, -0.4f, 0.4f) * wild;
    const float size = 0.8f + between(c, -0.15f, 0.15f) * wild;
    const float aspect = 1 + between(c, -0.2f, 0.25f) * wild;
    const float shear = between(c, -0.25f, 0.25f) * wild;
    const float mirror = next(c) & 1 && wild > 0.5f ? -1.0f : 1.0f;
    const float co = cosf(turn) / size, si = sinf(turn) / size;

    p.m[0] = mirror * (co * aspect - si * shear);
    p.m[1] = mirror * (si * aspect + co * shear);
    p.m[2] = -si / aspect;
    p.m[3] = co / aspect;
    p.bend = between(c, -0.1f, 0.1f) * wild;
    p.wide = between(c, 1.5f, 3.5f);
    return p;
}

/* A disc, bar, oval or box; one that lies in front is thin. */
static part any_clutter(chance *c, int front)
{
    part p = { .kind = (part_kind)(next(c) % 3), .layer = BODY };
    const float x = between(c, -1.1f, 1.1f), y = between(c, -1.1f, 1.1f);
    const float size = between(c, 0.08f, front ? 0.15f : 0.3f);
    const float angle = between(c, 0, 6.2831853f);

    if (front) p.kind = BAR;
    p.v[0] = x, p.v[1] = y;
    if (p.kind == DISC) p.v[2] = size;
    if (p.kind == BAR) {
        p.v[2] = x + 1.2f * cosf(angle), p.v[3] = y + 1.2f * sinf(angle);
        p.v[4] = 0.3f * size;
    }
    if (p.kind == OVAL) {
        p.v[2] = size, p.v[3] = size * between(c, 0.3f, 1);
        p.v[4] = angle * 57.29578f;
    }
    return p;
}

static colour mixed(colour a, colour b, float t)
{
    for (int k = 0; k < 3; k++) a.c[k] += t * (b.c[k] - a.c[k]);
    return a;
}

static void choose_colours(scene *s, chance *c, float wild)
{
    static const colour dark = { { 0.1f, 0.1f, 0.1f } };
    static const colour bright = { { 0.9f, 0.9f, 0.9f } };
    static const colour middle = { { 0.6f, 0.6f, 0.6f } };
    const colour ground = any_colour(c);

    s->ground[0] = mixed(dark, ground, wild);
    s->ground[1] = mixed(s->ground[0], any_colour(c), 0.4f * wild);
    s->body = mixed(bright, other_colour(c, ground, 0.9f), wild);
    s->detail = mixed(middle, other_colour(c, s->body, 0.7f), wild);
}

static scene any_scene(const thing *t, chance *c, float wild)
{
    scene s = { .thing = t, .pose = any_pose(c, wild) };
    const float angle = between(c, 0, 6.2831853f);

    choose_colours(&s, c, wild);
    any_waves(s.ground_wave, WAVES, 0.08f * wild, c);
    any_waves(s.body_wave, 2, 0.12f * wild, c);
    s.light = between(c, 0, 0.35f) * wild;
    s.light_x = cosf(angle), s.light_y = sinf(angle);
    s.shadow = between(c, 0, 0.6f) * wild;
    s.shadow_x = -0.12f * s.light_x, s.shadow_y = -0.12f * s.light_y;
    s.n_clutter = (int)(wild * (float)(next(c) % 5));
    s.n_front = next(c) % 3 == 0 && wild > 0.5f;
    for (int i = 0; i < s.n_clutter + s.n_front; i++) {
        s.clutter[i] = any_clutter(c, i >= s.n_clutter);
        s.clutter_colour[i] = any_colour(c);
    }
    return s;
}

/* ---- looking at one point ---- */

static float waves_at(const wave *w, int n, float x, float y)
{
    float sum = 0;
    for (int i = 0; i < n; i++)
        sum += w[i].depth * sinf(w[i].fx * x + w[i].fy * y + w[i].phase);
    return sum;
}

static float outline(const scene *s, float x, float y, part_layer *layer)
{
    const pose *p = &s->pose;
    const float dx = x - p->x, dy = y - p->y;
    const float u = p->m[0] * dx + p->m[1] * dy, v = p->m[2] * dx + p->m[3] * dy;
    return thing_distance(s->thing, u + p->bend * sinf(p->wide * v), v, layer);
}

static void lay_clutter(const scene *s, int from, int to, float x, float y, colour *out)
{
    for (int i = from; i < to; i++) {
        const thing one = { .n = 1, .part = { s->clutter[i] } };
        part_layer layer;
        if (thing_distance(&one, x, y, &layer) < 0) *out = s->clutter_colour[i];
    }
}

static void brighten(colour *out, float by)
{
    for (int k = 0; k < 3; k++) out->c[k] *= by;
}

static colour ground_at(const scene *s, float x, float y)
{
    part_layer layer;
    colour out;
    const float t = 0.5f + 0.35f * (x * s->light_y - y * s->light_x);
    for (int k = 0; k < 3; k++)
        out.c[k] = s->ground[0].c[k] + t * (s->ground[1].c[k] - s->ground[0].c[k]);
    lay_clutter(s, 0, s->n_clutter, x, y, &out);
    brighten(&out, 1 + waves_at(s->ground_wave, WAVES, x, y));
    const float d = outline(s, x - s->shadow_x, y - s->shadow_y, &layer);
    brighten(&out, 1 - s->shadow * fminf(fmaxf(0.5f - 3 * d, 0), 1));
    return out;
}

static colour colour_at(const scene *s, float x, float y)
{
    part_layer layer;
    const float d = outline(s, x, y, &layer);
    colour out;

    if (d < 0) {
        out = layer == DETAIL ? s->detail : s->body;
        brighten(&out, 1 + waves_at(s->body_wave, 2, x, y));
        brighten(&out, 1 - 0.35f * fmaxf(0, 1 + 8 * d)); /* darker towards the rim */
    } else {
        out = ground_at(s, x, y);
    }
    lay_clutter(s, s->n_clutter, s->n_clutter + s->n_front, x, y, &out);
    brighten(&out, 1 + s->light * (x * s->light_x + y * s->light_y));
    return out;
}

/* ---- the camera ---- */

/* Mean over SAMPLES x SAMPLES points of each pixel.
 *   out      (SIDE, SIDE) */
static void expose(colour *out, const scene *s)
{
    const float step = 2.0f / (SIDE * SAMPLES);
    for (int i = 0; i < SIDE * SAMPLES; i++)
        for (int j = 0; j < SIDE * SAMPLES; j++) {
            const colour c = colour_at(s, ((float)j + 0.5f) * step - 1,
                                       1 - ((float)i + 0.5f) * step);
            float *pixel = out[i / SAMPLES * SIDE + j / SAMPLES].c;
            for (int k = 0; k < 3; k++) pixel[k] += c.c[k] / (SAMPLES * SAMPLES);
        }
}

/* Mix each pixel with its two neighbours along a row or a column, in place.
 *   stride   from a pixel to the next of the line */
static void blur_line(colour *line, int stride, float mix)
{
    colour before = line[0];
    for (int i = 0; i < SIDE; i++) {
        colour *here = &line[i * stride];
        const colour now = *here, after = line[(i + 1 < SIDE ? i + 1 : i) * stride];
        for (int k = 0; k < 3; k++)
            here->c[k] = (1 - 2 * mix) * now.c[k] + mix * (before.c[k] + after.c[k]);
        before = now;
    }
}

static void blur(colour *pixels, chance *c)
{
    const int passes = (int)(next(c) % 3);
    const float mix = between(c, 0.1f, 0.28f);
    for (int p = 0; p < passes; p++)
        for (int i = 0; i < SIDE; i++) {
            blur_line(pixels + i * SIDE, 1, mix);
            blur_line(pixels + i, SIDE, mix);
        }
}

void draw_picture(uint8_t *rgb, const thing *t, float plain, uint64_t seed)
{
    chance c = { seed };
    colour pixels[SIDE * SIDE];
    memset(pixels, 0, sizeof pixels);
    const float wild = between(&c, 1 - plain, 1);
    const scene s = any_scene(t, &c, wild);
    expose(pixels, &s);
    blur(pixels, &c);

    const float gain = between(&c, 0.7f, 1.2f), grain = between(&c, 0, 0.04f) * wild;
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int k = 0; k < 3; k++) {
            const float v = gain * pixels[i].c[k] + grain * bell(&c);
            rgb[3 * i + k] = (uint8_t)(255 * fminf(fmaxf(v, 0), 1) + 0.5f);
        }
}
