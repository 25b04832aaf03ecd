/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean ...": what a misspelt name was likely to be. */
#ifndef AFINA_NEAREST_H
#define AFINA_NEAREST_H

#include <stddef.h>

#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Names likely meant by a misspelt one: those with the fewest letters to insert,
 * remove, change or swap with their neighbour, case ignored, where that is at most a
 * third of them; else those that it is a part of ("lr" of "head-lr").
 *
 *   out        (max) places of the nearest candidates, as many as are equally near, in
 *              their order
 *   candidate  (n)
 *
 * Returns how many there are, 0 = none is near; names over 63 bytes never are. */
AFN_API int afn_nearest_names(size_t *out, int max, const char *name,
                              const char *const *candidate, size_t n);

#ifdef __cplusplus
}
#endif
#endif
