/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation with fault injection.  Counting is always on: one relaxed atomic add per
 * allocation costs nothing beside malloc itself. */
#define _DEFAULT_SOURCE /* madvise() */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/* Large blocks begin on a huge page, and ask for such pages where the system has them:
 * kernels that stream through gigabytes wait less for the page table. */
enum { HUGE_PAGE = 2 << 20 };

void *afn_alloc_aligned(size_t bytes)
{
    const size_t unit = bytes >= 2 * (size_t)HUGE_PAGE ? HUGE_PAGE : 64;
    if (refused() || bytes > SIZE_MAX - unit) return NULL;
    const size_t rounded = (bytes + 64) / 64 * 64;
    void *p = aligned_alloc(unit, (rounded + unit - 1) / unit * unit);
#ifdef MADV_HUGEPAGE
    if (p && unit == HUGE_PAGE)
        (void)madvise(p, rounded / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return p;
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
