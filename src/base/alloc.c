/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation with fault injection.  Counting is always on: one relaxed atomic add per
 * allocation costs nothing beside malloc itself. */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

static atomic_int_fast64_t count;
static atomic_int_fast64_t
    fail_at; /* absolute number of the call that fails, 0 = none */

static bool refused(void)
{
    const int_fast64_t n =
        atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) + 1;
    return n == atomic_load_explicit(&fail_at, memory_order_relaxed);
}

void *afn_alloc(size_t bytes)
{
    return refused() ? NULL : calloc(1, bytes ? bytes : 1);
}

void *afn_alloc_array(size_t n, size_t size)
{
    size_t bytes;
    return afn_mul_size(&bytes, n, size) ? afn_alloc(bytes) : NULL;
}

void *afn_realloc(void *p, size_t bytes)
{
    return refused() ? NULL : realloc(p, bytes ? bytes : 1);
}

void *afn_alloc_aligned(size_t bytes)
{
    if (refused() || bytes > SIZE_MAX - 64) return NULL;
    return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

char *afn_strdup(const char *s)
{
    const size_t bytes = strlen(s) + 1;
    char *copy = afn_alloc(bytes);
    return copy ? memcpy(copy, s, bytes) : NULL;
}

void afn_free(void *p)
{
    free(p);
}

void afn_alloc_fail_at(int64_t k)
{
    atomic_store(&fail_at, k > 0 ? atomic_load(&count) + k : 0);
}

int64_t afn_alloc_count(void)
{
    return atomic_load(&count);
}
