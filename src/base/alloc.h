/* SPDX-License-Identifier: Apache-2.0 */
/* Memory.  All of the library allocates here, so that tests can make the k-th
 * allocation fail and see that nothing leaks or crashes. */
#ifndef AFN_BASE_ALLOC_H
#define AFN_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory, or NULL.  A size of 0 gives a unique pointer. */
void *afn_alloc(size_t bytes);

/* Zeroed array of n elements; NULL also where n * size overflows. */
void *afn_alloc_array(size_t n, size_t size);

/* Resize; new bytes are not zeroed.  On NULL the old block lives on. */
void *afn_realloc(void *p, size_t bytes);

/* 64-byte aligned, for vector code; contents undefined.  Free with afn_free(). */
void *afn_alloc_aligned(size_t bytes);

/* Copy of s, or NULL where memory ran out. */
char *afn_strdup(const char *s);

void afn_free(void *p); /* NULL is a no-op */

/* Tests only: fail the k-th allocation from now on (1 = the next), 0 = never. */
void afn_alloc_fail_at(int64_t k);

/* Tests only: allocations made so far by this process, to know how far k may go. */
int64_t afn_alloc_count(void);

#endif
