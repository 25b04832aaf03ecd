/* SPDX-License-Identifier: Apache-2.0 */
/* One picture of a thing: pose, colours, light, clutter, blur and noise by chance. */
#ifndef DEMO_DRAW_H
#define DEMO_DRAW_H

#include <stdint.h>

#include "things.h"

enum { SIDE = 80 }; /* pixels */

/* Draw a thing; the same seed gives the same picture.
 *   rgb      (SIDE, SIDE, 3), written */
void draw_picture(uint8_t *rgb, const thing *t, uint64_t seed);

#endif
