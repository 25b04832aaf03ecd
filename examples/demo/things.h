/* SPDX-License-Identifier: Apache-2.0 */
/* What the demo's pictures show: outlines of everyday things, as tables of parts.
 * Hides how an outline is measured; draw.c adds pose, light and surroundings. */
#ifndef DEMO_THINGS_H
#define DEMO_THINGS_H

#include <stdint.h>

typedef enum part_kind {
    DISC,   /* x, y, radius */
    BAR,    /* x0, y0, x1, y1, half width: a line with round ends */
    OVAL,   /* x, y, half width, half height, turned by degrees */
    QUAD,   /* four corners x, y, counter-clockwise; a triangle repeats its last */
    PETALS, /* x, y, radius, how many, depth: radius varies as 1 + depth cos */
} part_kind;

/* What a part does to the thing so far. */
typedef enum part_layer { BODY, DETAIL, CUT } part_layer;

/* Numbers lie in [-1, 1], x to the right and y upwards. */
typedef struct part {
    part_kind kind;
    part_layer layer;
    float v[8];
} part;

enum { MAX_PARTS = 9 };

typedef struct thing {
    const char *name;
    int n;
    part part[MAX_PARTS];
} thing;

/* The things of "pretrain" or of "exercise"; NULL for another name. */
const thing *things_of(const char *set, int *n);

/* How far (x, y) is from the outline, negative inside.
 *   layer    BODY or DETAIL: what lies on top there */
float thing_distance(const thing *t, float x, float y, part_layer *layer);

#endif
