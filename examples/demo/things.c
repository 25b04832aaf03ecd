/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of things.h and the distance to each kind of part. */
#include "things.h"

#include <math.h>
#include <string.h>

static const thing pretrain[] = {
    { "arrow",
      2,
      { { BAR, BODY, { -0.8f, 0, 0.3f, 0, 0.13f } },
        { QUAD, BODY, { 0.2f, -0.5f, 0.9f, 0, 0.2f, 0.5f, 0.2f, 0.5f } } } },
    { "bell",
      4,
      { { DISC, BODY, { 0, 0.25f, 0.42f } },
        { QUAD, BODY, { -0.75f, -0.5f, 0.75f, -0.5f, 0.4f, 0.3f, -0.4f, 0.3f } },
        { DISC, DETAIL, { 0, -0.62f, 0.17f } },
        { DISC, DETAIL, { 0, 0.75f, 0.13f } } } },
    { "boat",
      3,
      { { QUAD, BODY, { -0.5f, -0.7f, 0.5f, -0.7f, 0.85f, -0.25f, -0.85f, -0.25f } },
        { BAR, BODY, { 0, -0.3f, 0, 0.85f, 0.05f } },
        { QUAD, DETAIL, { 0.1f, -0.15f, 0.7f, -0.15f, 0.1f, 0.8f, 0.1f, 0.8f } } } },
    { "bottle",
      4,
      { { QUAD, BODY, { -0.35f, -0.85f, 0.35f, -0.85f, 0.35f, 0.2f, -0.35f, 0.2f } },
        { OVAL, BODY, { 0, 0.2f, 0.35f, 0.25f, 0 } },
        { BAR, BODY, { 0, 0.3f, 0, 0.75f, 0.13f } },
        { QUAD, DETAIL, { -0.35f, -0.5f, 0.35f, -0.5f, 0.35f, 0, -0.35f, 0 } } } },
    { "car",
      5,
      { { QUAD, BODY, { -0.9f, -0.35f, 0.9f, -0.35f, 0.85f, 0.05f, -0.9f, 0.05f } },
        { QUAD, BODY, { -0.6f, 0, 0.55f, 0, 0.3f, 0.45f, -0.4f, 0.45f } },
        { DISC, DETAIL, { -0.5f, -0.38f, 0.22f } },
        { DISC, DETAIL, { 0.5f, -0.38f, 0.22f } },
        { QUAD, DETAIL, { -0.4f, 0.08f, 0.3f, 0.08f, 0.2f, 0.34f, -0.3f, 0.34f } } } },
    { "chair",
      4,
      { { BAR, BODY, { -0.45f, -0.85f, -0.45f, 0.85f, 0.08f } },
        { BAR, BODY, { 0.45f, -0.85f, 0.45f, -0.05f, 0.08f } },
        { BAR, BODY, { -0.45f, -0.05f, 0.5f, -0.05f, 0.12f } },
        { QUAD, DETAIL, { -0.52f, 0.3f, -0.38f, 0.3f, -0.25f, 0.8f, -0.6f, 0.8f } } } },
    { "cloud",
      4,
      { { DISC, BODY, { -0.45f, -0.1f, 0.35f } },
        { DISC, BODY, { 0, 0.15f, 0.45f } },
        { DISC, BODY, { 0.5f, -0.1f, 0.33f } },
        { BAR, BODY, { -0.5f, -0.25f, 0.55f, -0.25f, 0.2f } } } },
    { "crescent",
      2,
      { { DISC, BODY, { 0, 0, 0.8f } }, { DISC, CUT, { 0.4f, 0.1f, 0.65f } } } },
    { "cross",
      2,
      { { BAR, BODY, { -0.75f, 0, 0.75f, 0, 0.2f } },
        { BAR, BODY, { 0, -0.75f, 0, 0.75f, 0.2f } } } },
    { "cup",
      4,
      { { DISC, BODY, { 0.5f, 0, 0.38f } },
        { DISC, CUT, { 0.5f, 0, 0.22f } },
        { QUAD, BODY, { -0.5f, -0.65f, 0.35f, -0.65f, 0.5f, 0.6f, -0.65f, 0.6f } },
        { OVAL, DETAIL, { -0.07f, 0.58f, 0.56f, 0.14f, 0 } } } },
    { "fir",
      4,
      { { BAR, DETAIL, { 0, -0.85f, 0, -0.3f, 0.11f } },
        { QUAD, BODY, { -0.75f, -0.55f, 0.75f, -0.55f, 0, 0.2f, 0, 0.2f } },
        { QUAD, BODY, { -0.58f, -0.1f, 0.58f, -0.1f, 0, 0.55f, 0, 0.55f } },
        { QUAD, BODY, { -0.4f, 0.3f, 0.4f, 0.3f, 0, 0.9f, 0, 0.9f } } } },
    { "fish",
      4,
      { { OVAL, BODY, { -0.15f, 0, 0.65f, 0.38f, 0 } },
        { QUAD, BODY, { 0.35f, 0, 0.9f, -0.45f, 0.9f, 0.45f, 0.9f, 0.45f } },
        { DISC, DETAIL, { -0.5f, 0.1f, 0.09f } },
        { BAR, DETAIL, { -0.2f, -0.25f, -0.2f, 0.25f, 0.04f } } } },
    { "flower",
      2,
      { { PETALS, BODY, { 0, 0, 0.62f, 6, 0.35f } },
        { DISC, DETAIL, { 0, 0, 0.27f } } } },
    { "gear",
      2,
      { { PETALS, BODY, { 0, 0, 0.7f, 11, 0.13f } }, { DISC, CUT, { 0, 0, 0.28f } } } },
    { "glasses",
      6,
      { { DISC, BODY, { -0.48f, 0, 0.4f } },
        { DISC, BODY, { 0.48f, 0, 0.4f } },
        { BAR, BODY, { -0.2f, 0.1f, 0.2f, 0.1f, 0.06f } },
        { DISC, CUT, { -0.48f, 0, 0.29f } },
        { DISC, CUT, { 0.48f, 0, 0.29f } },
        { BAR, BODY, { 0.85f, 0.15f, 0.95f, 0.4f, 0.06f } } } },
    { "hammer",
      3,
      { { BAR, DETAIL, { 0, -0.85f, 0, 0.5f, 0.09f } },
        { QUAD, BODY, { -0.55f, 0.35f, 0.45f, 0.35f, 0.45f, 0.75f, -0.55f, 0.75f } },
        { QUAD, BODY, { 0.45f, 0.4f, 0.8f, 0.3f, 0.45f, 0.72f, 0.45f, 0.72f } } } },
    { "heart",
      3,
      { { DISC, BODY, { -0.36f, 0.25f, 0.42f } },
        { DISC, BODY, { 0.36f, 0.25f, 0.42f } },
        { QUAD, BODY, { 0, -0.8f, 0.7f, 0.02f, 0, 0.5f, -0.7f, 0.02f } } } },
    { "house",
      4,
      { { QUAD, BODY, { -0.6f, -0.75f, 0.6f, -0.75f, 0.6f, 0.1f, -0.6f, 0.1f } },
        { QUAD, DETAIL, { -0.8f, 0.08f, 0.8f, 0.08f, 0, 0.8f, 0, 0.8f } },
        { QUAD,
          DETAIL,
          { -0.35f, -0.75f, -0.05f, -0.75f, -0.05f, -0.2f, -0.35f, -0.2f } },
        { QUAD,
          DETAIL,
          { 0.15f, -0.4f, 0.42f, -0.4f, 0.42f, -0.13f, 0.15f, -0.13f } } } },
    { "key",
      5,
      { { DISC, BODY, { 0, 0.5f, 0.36f } },
        { DISC, CUT, { 0, 0.55f, 0.17f } },
        { BAR, BODY, { 0, 0.2f, 0, -0.85f, 0.08f } },
        { BAR, BODY, { 0, -0.75f, 0.3f, -0.75f, 0.08f } },
        { BAR, BODY, { 0, -0.45f, 0.25f, -0.45f, 0.08f } } } },
    { "ladder",
      6,
      { { BAR, BODY, { -0.35f, -0.9f, -0.3f, 0.9f, 0.07f } },
        { BAR, BODY, { 0.35f, -0.9f, 0.3f, 0.9f, 0.07f } },
        { BAR, BODY, { -0.33f, -0.6f, 0.33f, -0.6f, 0.06f } },
        { BAR, BODY, { -0.33f, -0.2f, 0.33f, -0.2f, 0.06f } },
        { BAR, BODY, { -0.33f, 0.2f, 0.33f, 0.2f, 0.06f } },
        { BAR, BODY, { -0.33f, 0.6f, 0.33f, 0.6f, 0.06f } } } },
    { "leaf",
      3,
      { { BAR, BODY, { 0, -0.9f, 0, -0.4f, 0.05f } },
        { OVAL, BODY, { 0, 0.15f, 0.4f, 0.7f, 0 } },
        { BAR, DETAIL, { 0, -0.5f, 0, 0.7f, 0.04f } } } },
    { "mushroom",
      5,
      { { BAR, DETAIL, { 0, -0.75f, 0, 0.1f, 0.2f } },
        { OVAL, BODY, { 0, 0.15f, 0.8f, 0.6f, 0 } },
        { QUAD, CUT, { -0.9f, -0.6f, -0.22f, -0.6f, -0.22f, 0, -0.9f, 0 } },
        { QUAD, CUT, { 0.22f, -0.6f, 0.9f, -0.6f, 0.9f, 0, 0.22f, 0 } },
        { DISC, DETAIL, { 0.2f, 0.4f, 0.13f } } } },
    { "ring", 2, { { DISC, BODY, { 0, 0, 0.8f } }, { DISC, CUT, { 0, 0, 0.5f } } } },
    { "snowman",
      5,
      { { DISC, BODY, { 0, -0.45f, 0.45f } },
        { DISC, BODY, { 0, 0.25f, 0.33f } },
        { BAR, DETAIL, { -0.35f, 0.55f, 0.35f, 0.55f, 0.06f } },
        { BAR, DETAIL, { 0, 0.6f, 0, 0.75f, 0.2f } },
        { BAR, BODY, { -0.75f, 0.05f, 0.75f, 0.05f, 0.05f } } } },
    { "star",
      5,
      { { QUAD, BODY, { 0, 0.85f, -0.25f, 0.1f, 0, -0.3f, 0.25f, 0.1f } },
        { QUAD, BODY, { 0.81f, 0.26f, 0.17f, 0.27f, -0.29f, -0.09f, 0.17f, -0.21f } },
        { QUAD, BODY, { -0.81f, 0.26f, -0.17f, -0.21f, 0.29f, -0.09f, -0.17f, 0.27f } },
        { QUAD, BODY, { 0.5f, -0.69f, 0.26f, 0.06f, -0.18f, 0.24f, -0.14f, -0.23f } },
        { QUAD,
          BODY,
          { -0.5f, -0.69f, 0.14f, -0.23f, 0.18f, 0.24f, -0.26f, 0.06f } } } },
    { "umbrella",
      4,
      { { DISC, BODY, { 0, 0, 0.85f } },
        { QUAD, CUT, { -1, -1, 1, -1, 1, 0.05f, -1, 0.05f } },
        { BAR, DETAIL, { 0, -0.75f, 0, 0.1f, 0.05f } },
        { BAR, DETAIL, { 0, -0.8f, 0.25f, -0.7f, 0.06f } } } },
};

/* Kept from pretraining: what the demo learns from a few pictures. */
static const thing exercise[] = {
    { "anchor",
      7,
      { { DISC, BODY, { 0, -0.1f, 0.7f } },
        { DISC, CUT, { 0, -0.02f, 0.58f } },
        { QUAD, CUT, { -1, -0.3f, 1, -0.3f, 1, 1, -1, 1 } },
        { BAR, BODY, { 0, -0.7f, 0, 0.5f, 0.08f } },
        { BAR, BODY, { -0.35f, 0.35f, 0.35f, 0.35f, 0.07f } },
        { DISC, BODY, { 0, 0.7f, 0.22f } },
        { DISC, CUT, { 0, 0.7f, 0.1f } } } },
    { "butterfly",
      7,
      { { OVAL, BODY, { -0.45f, 0.35f, 0.48f, 0.36f, -35 } },
        { OVAL, BODY, { 0.45f, 0.35f, 0.48f, 0.36f, 35 } },
        { OVAL, BODY, { -0.35f, -0.35f, 0.4f, 0.3f, 40 } },
        { OVAL, BODY, { 0.35f, -0.35f, 0.4f, 0.3f, -40 } },
        { BAR, DETAIL, { 0, -0.55f, 0, 0.5f, 0.08f } },
        { DISC, DETAIL, { -0.48f, 0.37f, 0.15f } },
        { DISC, DETAIL, { 0.48f, 0.37f, 0.15f } } } },
    { "cactus",
      6,
      { { BAR, BODY, { 0, -0.6f, 0, 0.65f, 0.19f } },
        { BAR, BODY, { 0, -0.1f, -0.5f, -0.1f, 0.12f } },
        { BAR, BODY, { -0.5f, -0.1f, -0.5f, 0.35f, 0.12f } },
        { BAR, BODY, { 0, 0.1f, 0.5f, 0.1f, 0.12f } },
        { BAR, BODY, { 0.5f, 0.1f, 0.5f, 0.5f, 0.12f } },
        { QUAD,
          DETAIL,
          { -0.3f, -0.9f, 0.3f, -0.9f, 0.42f, -0.5f, -0.42f, -0.5f } } } },
    { "guitar",
      5,
      { { DISC, BODY, { 0, -0.5f, 0.43f } },
        { DISC, BODY, { 0, 0, 0.3f } },
        { BAR, DETAIL, { 0, 0.1f, 0, 0.75f, 0.07f } },
        { BAR, BODY, { 0, 0.75f, 0, 0.85f, 0.12f } },
        { DISC, DETAIL, { 0, -0.25f, 0.15f } } } },
    { "teapot",
      6,
      { { DISC, BODY, { -0.55f, 0, 0.34f } },
        { DISC, CUT, { -0.55f, 0, 0.2f } },
        { OVAL, BODY, { 0, -0.1f, 0.55f, 0.48f, 0 } },
        { QUAD, BODY, { 0.3f, -0.3f, 0.45f, 0.05f, 0.9f, 0.45f, 0.75f, 0.45f } },
        { BAR, DETAIL, { -0.28f, 0.32f, 0.28f, 0.32f, 0.06f } },
        { DISC, DETAIL, { 0, 0.48f, 0.12f } } } },
};

const thing *things_of(const char *set, int *n)
{
    if (strcmp(set, "pretrain") == 0) {
        *n = (int)(sizeof pretrain / sizeof pretrain[0]);
        return pretrain;
    }
    if (strcmp(set, "exercise") == 0) {
        *n = (int)(sizeof exercise / sizeof exercise[0]);
        return exercise;
    }
    *n = 0;
    return NULL;
}

/* Distance to the segment from v[0], v[1] to v[2], v[3]. */
static float segment(const float *v, float x, float y)
{
    const float dx = v[2] - v[0], dy = v[3] - v[1];
    const float along = ((x - v[0]) * dx + (y - v[1]) * dy) / (dx * dx + dy * dy);
    const float t = fminf(fmaxf(along, 0), 1);
    return hypotf(x - v[0] - t * dx, y - v[1] - t * dy);
}

static float oval(const float *v, float x, float y)
{
    const float a = v[4] * 0.01745329f; /* degrees to radians */
    const float px = (x - v[0]) * cosf(a) + (y - v[1]) * sinf(a);
    const float py = (y - v[1]) * cosf(a) - (x - v[0]) * sinf(a);
    return (hypotf(px / v[2], py / v[3]) - 1) * fminf(v[2], v[3]);
}

/* The largest distance to an edge's line: exact near the edges, low at corners. */
static float quad(const float *v, float x, float y)
{
    float most = -INFINITY;
    for (int i = 0; i < 4; i++) {
        const float *a = v + 2 * i, *b = v + 2 * ((i + 1) % 4);
        const float dx = b[0] - a[0], dy = b[1] - a[1];
        const float length = hypotf(dx, dy);
        if (length == 0) continue; /* the repeated corner of a triangle */
        most = fmaxf(most, ((x - a[0]) * dy - (y - a[1]) * dx) / length);
    }
    return most;
}

static float part_distance(const part *p, float x, float y)
{
    const float *v = p->v;
    switch (p->kind) {
    case DISC:
        return hypotf(x - v[0], y - v[1]) - v[2];
    case BAR:
        return segment(v, x, y) - v[4];
    case OVAL:
        return oval(v, x, y);
    case QUAD:
        return quad(v, x, y);
    case PETALS:
        return hypotf(x - v[0], y - v[1]) -
               v[2] * (1 + v[4] * cosf(v[3] * atan2f(y - v[1], x - v[0])));
    }
    return INFINITY;
}

float thing_distance(const thing *t, float x, float y, part_layer *layer)
{
    float d = INFINITY;
    *layer = BODY;
    for (int i = 0; i < t->n; i++) {
        const part *p = &t->part[i];
        const float e = part_distance(p, x, y);
        if (p->layer == CUT) {
            d = fmaxf(d, -e);
            continue;
        }
        if (e < 0) *layer = p->layer;
        d = fminf(d, e);
    }
    return d;
}
