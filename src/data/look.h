/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/data: what a picture looks like in few bytes, for finding
 * near-duplicates: the same picture stored again, resized, lighter, slightly cropped.
 */
#ifndef AFN_DATA_LOOK_H
#define AFN_DATA_LOOK_H

#include "image/image.h"

enum { AFN_LOOK_SIDE = 16 };

typedef struct afn_look {
    uint64_t hash; /* which of the 63 lowest frequencies are above their median */
    bool usable;   /* false: unreadable, or too plain to be compared */
    uint8_t gray[AFN_LOOK_SIDE * AFN_LOOK_SIDE]; /* the picture, squashed to a square */
} afn_look;

/* Errors     AFN_ENOMEM */
afn_status afn_data__look(afn_look *out, const afn_image *image);

/* Are they near-duplicates? */
bool afn_data__alike(const afn_look *a, const afn_look *b);

/* Put near-duplicates, and near-duplicates of those, into groups.
 *   group    (n), filled: the lowest sample of the group that each is in, often itself
 * Errors     AFN_ENOMEM */
afn_status afn_data__group_alike(int64_t *group, const afn_look *look, int64_t n);

/* Joined sets over 0 .. n-1, each known by its lowest member. */
int64_t afn_data__set_of(int64_t *set, int64_t i);
void afn_data__join_sets(int64_t *set, int64_t a, int64_t b);

#endif
