/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "tensor/tensor.h"

int64_t afn_shape_count(const afn_shape *s)
{
    int64_t n = 1;
    for (int i = 0; i < s->rank; i++) { /* zero first: (0, huge) has no elements */
        if (s->dim[i] < 0) return -1;
        if (s->dim[i] == 0) n = 0;
    }
    for (int i = 0; n > 0 && i < s->rank; i++) {
        if (n > INT64_MAX / s->dim[i]) return -1;
        n *= s->dim[i];
    }
    return n;
}

int afn_shape_equal(const afn_shape *a, const afn_shape *b)
{
    if (a->rank != b->rank) return 0;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return 0;
    return 1;
}

char *afn_shape_text(const afn_shape *s, char *buf, size_t bytes)
{
    size_t used = 0;
    if (!bytes) return buf;
    buf[0] = 0;
    for (int i = 0; i <= s->rank && used < bytes; i++) {
        const char *before = i == 0 ? "(" : i < s->rank ? "," : "";
        const int n =
            i < s->rank
                ? snprintf(buf + used, bytes - used, "%s%" PRId64, before, s->dim[i])
                : snprintf(buf + used, bytes - used, "%s)", s->rank ? "" : "(");
        if (n < 0) break;
        used += (size_t)n;
    }
    return buf;
}
