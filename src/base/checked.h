/* SPDX-License-Identifier: Apache-2.0 */
/* Size arithmetic that says when it overflows: for every size from a file or a shape.
 */
#ifndef AFN_BASE_CHECKED_H
#define AFN_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* out = a * b; false on overflow, out untouched. */
static inline bool afn_mul_size(size_t *out, size_t a, size_t b)
{
    if (b && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

/* out = a + b; false on overflow, out untouched. */
static inline bool afn_add_size(size_t *out, size_t a, size_t b)
{
    if (a > SIZE_MAX - b) return false;
    *out = a + b;
    return true;
}

#endif
