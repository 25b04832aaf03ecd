/* SPDX-License-Identifier: Apache-2.0 */
/* The line search of Nocedal and Wright, Numerical Optimization, algorithms 3.5 and
 * 3.6, as one loop: the place looked for lies between `low`, the lowest so far, and
 * `high`, which is infinitely far until the function rises.
 *
 * Close to a minimum the function's own rounding hides that it falls, its slope still
 * shows it: "fallen enough" has a second form there, of the slope alone (Hager and
 * Zhang 2005, doi:10.1137/030601880, the approximate Wolfe conditions). */
#include "optim/line_search.h"

#include <math.h>

enum { MAX_TRIES = 15 };

static const double c1 = 1e-4, c2 = 0.9; /* Nocedal and Wright's for quasi-Newton */
static const double rounding = 1e-6;     /* of a mean over logits in float */
static const double grow = 4;            /* at most, while the function falls */
static const double margin = 0.1;        /* of an interval, at both ends */

static bool fell_enough(const afn_on_line *p, const afn_on_line *start)
{
    if (!isfinite(p->f) || !isfinite(p->slope)) return false;
    if (p->f <= start->f + c1 * p->a * start->slope) return true;
    return fabs(p->f - start->f) <= rounding * fabs(start->f) &&
           p->slope <= (2 * c1 - 1) * start->slope;
}

/* Minimum of the cubic through both places, ibid. (3.59); NaN where it has none. */
static double cubic(const afn_on_line *p, const afn_on_line *q)
{
    const double d1 = p->slope + q->slope - 3 * (p->f - q->f) / (p->a - q->a);
    const double d2 = (q->a > p->a ? 1 : -1) * sqrt(d1 * d1 - p->slope * q->slope);
    return q->a - (q->a - p->a) * (q->slope + d2 - d1) / (q->slope - p->slope + 2 * d2);
}

/* Between both, not too close to either. */
static double inside(const afn_on_line *low, const afn_on_line *high)
{
    const double from = fmin(low->a, high->a), to = fmax(low->a, high->a);
    const double a = cubic(low, high);
    if (!isfinite(a)) return (from + to) / 2;
    return fmin(fmax(a, from + margin * (to - from)), to - margin * (to - from));
}

/* Behind p, where the function still falls. */
static double beyond(const afn_on_line *before, const afn_on_line *p)
{
    const double a = cubic(before, p);
    if (!isfinite(a) || a > grow * p->a) return grow * p->a;
    return fmax(a, p->a + margin * (p->a - before->a));
}

afn_status afn_line_search(afn_on_line *p, const afn_line *line, afn_on_line start,
                           bool *found)
{
    afn_on_line low = start, high = { .a = INFINITY };
    *found = false;
    for (int i = 0; i < MAX_TRIES && p->a > 0; i++) {
        const afn_status st = line->at(line->user, p);
        if (st != AFN_OK) return st;
        const bool fell = fell_enough(p, &start);
        *found = fell && fabs(p->slope) <= -c2 * start.slope;
        if (*found) break;
        const afn_on_line before = low;
        if (!fell || p->f > low.f) {
            high = *p;
        } else {
            if (p->slope * (high.a - low.a) >= 0) high = low;
            low = *p;
        }
        p->a = isinf(high.a) ? beyond(&before, &low) : inside(&low, &high);
    }
    return AFN_OK;
}
