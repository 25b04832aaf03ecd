/* SPDX-License-Identifier: Apache-2.0 */
/* A block of channels as one vector, for the files that meson.build compiles once per
 * instruction set: B channels, values in floats or (AFN_KERN_BF16) in bf16, the upper
 * half of a float, of which get() and set() are the only trace.
 *
 * The code is in the compiler's vector types and not left to its vectoriser, which
 * gives up on masks and on values that pass through a struct. */
#ifndef AFN_CPU_KERN_VEC_H
#define AFN_CPU_KERN_VEC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined(AFN_KERN_BF16) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#endif

/* A block of channels: floats, doubles, the bits of floats. */
typedef float vec __attribute__((vector_size(B * 4)));
typedef double wide __attribute__((vector_size(B * 8)));
typedef uint32_t bits __attribute__((vector_size(B * 4)));

INLINE vec load_vec(const float *from)
{
    vec x;
    memcpy(&x, from, sizeof x);
    return x;
}

INLINE void store_vec(float *to, vec x)
{
    memcpy(to, &x, sizeof x);
}

/* x where the mask, a comparison of vectors, holds, else 0; and the other way round. */
#define WHERE(mask, x)     ((vec)((bits)(mask) & (bits)(x)))
#define WHERE_NOT(mask, x) ((vec)(~(bits)(mask) & (bits)(x)))

/* Values as floats, and back: rounded to the nearest, ties to even. */
#ifdef AFN_KERN_BF16
typedef uint16_t value;
typedef uint16_t halves __attribute__((vector_size(B * 2)));

INLINE vec get(const void *v, int64_t i)
{
    halves h;
    memcpy(&h, (const value *)v + i, sizeof h);
    return (vec)(__builtin_convertvector(h, bits) << 16);
}

INLINE void set(void *v, int64_t i, vec x)
{
    const __m256bh h = _mm512_cvtneps_pbh((__m512)x);
    memcpy((value *)v + i, &h, sizeof h);
}
#else
typedef float value;

INLINE vec get(const void *v, int64_t i)
{
    return load_vec((const value *)v + i);
}

INLINE void set(void *v, int64_t i, vec x)
{
    store_vec((value *)v + i, x);
}
#endif

/* The same with the first n of them. */
INLINE vec get_some(const void *v, int64_t i, int64_t n)
{
    value all[B] = { 0 };
    if (n == B) return get(v, i);
    memcpy(all, (const value *)v + i, (size_t)n * sizeof *all);
    return get(all, 0);
}

INLINE void set_some(void *v, int64_t i, vec x, int64_t n)
{
    value all[B];
    if (n == B) {
        set(v, i, x);
        return;
    }
    set(all, 0, x);
    memcpy((value *)v + i, all, (size_t)n * sizeof *all);
}

INLINE int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

INLINE void add_sums(double *s, vec part)
{
    wide sum;
    memcpy(&sum, s, sizeof sum);
    sum += __builtin_convertvector(part, wide);
    memcpy(s, &sum, sizeof sum);
}

/* to = from, or to += from, for pixel p. */
INLINE void put(void *to, int64_t p, vec from, bool accumulate)
{
    set(to, p * B, accumulate ? get(to, p * B) + from : from);
}

/* Pixels that are summed in float before they join the double sum; even. */
enum { RUN = 32 };

#endif
