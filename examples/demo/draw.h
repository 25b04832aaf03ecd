/* SPDX-License-Identifier: Apache-2.0 */
/* One picture of a thing: pose, colours, light, clutter, blur and noise by chance. */
#ifndef DEMO_DRAW_H
#define DEMO_DRAW_H

#include <stdint.h>

#include "things.h"

enum { SIDE = 80 }; /* pixels */

/* Draw a thing; the same seed gives the same picture.
 *   rgb      (SIDE, SIDE, 3), written
 *   plain    in [0, 1]: how plain a picture may be; at 1 some show little but a bright
 *            outline on a dark ground, at 0 all have everything that chance may add */
void draw_picture(uint8_t *rgb, const thing *t, float plain, uint64_t seed);

#endif
