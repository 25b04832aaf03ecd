/* SPDX-License-Identifier: Apache-2.0 */
/* For kernels: EACH (i, n) is a loop of constant length, unrolled, so that an array
 * that it indexes can be registers. */
#ifndef AFN_CPU_UNROLL_H
#define AFN_CPU_UNROLL_H

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define EACH(i, n) UNROLL for (int i = 0; i < (n); i++)

#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#endif

#endif
