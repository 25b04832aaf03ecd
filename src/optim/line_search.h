/* SPDX-License-Identifier: Apache-2.0 */
/* How far to go in one direction. */
#ifndef AFN_OPTIM_LINE_SEARCH_H
#define AFN_OPTIM_LINE_SEARCH_H

#include "base/base.h"

/* A place on the line, in units of the direction, with value and slope there. */
typedef struct afn_on_line {
    double a, f, slope;
} afn_on_line;

/* The function along the line: fills f and slope for a. */
typedef struct afn_line {
    afn_status (*at)(void *user, afn_on_line *p);
    void *user;
} afn_line;

/* Find a place that satisfies the strong Wolfe conditions: the function has fallen
 * enough, and it is a good part flatter there.
 *   p        on entry the first place to try (a above 0), at the end the last one tried
 *   start    a = 0; its slope is below 0
 *   found    false: p is none, in what floats can tell */
afn_status afn_line_search(afn_on_line *p, const afn_line *line, afn_on_line start,
                           bool *found);

#endif
