/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of sample_kern.h: meson.build compiles this file once per instruction set
 * with AFN_SAMPLE_TABLE, the name of the table.  In the compiler's vector types, but
 * for the way from bytes to sums and back, where compilers miss the instruction. */
#include "image/sample_kern.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Rows of a band, and sums that a vector of the processor holds. */
#if defined(__AVX512BW__)
enum { W = 16 };
#elif defined(__AVX2__)
enum { W = 8 };
#else
enum { W = 16 }; /* of this the compiler makes what it likes */
#endif
enum { LANES = AFN_SAMPLE_BAND, HALF = 1 << (AFN_SAMPLE_PRECISION - 1) };

typedef uint8_t bytes __attribute__((vector_size(LANES)));

#if defined(__AVX2__)
typedef int32_t sums __attribute__((vector_size(W * 4)));
#endif

/* load: W bytes, each to 32 bits.
 * store: the sums without their fraction, clipped to 8 bits; rounding is in them
 * already, as a half that they begin with. */
#if defined(__AVX512BW__)
INLINE sums load(const uint8_t *p)
{
    return (sums)_mm512_cvtepu8_epi32(
        _mm_loadu_si128((const __m128i *)(const void *)p));
}

INLINE void store(uint8_t *p, sums s)
{
    const __m512i v = _mm512_srai_epi32((__m512i)s, AFN_SAMPLE_PRECISION);
    const __m128i b =
        _mm512_cvtusepi32_epi8(_mm512_max_epi32(v, _mm512_setzero_si512()));
    memcpy(p, &b, W);
}
#elif defined(__AVX2__)
INLINE sums load(const uint8_t *p)
{
    return (sums)_mm256_cvtepu8_epi32(
        _mm_loadl_epi64((const __m128i *)(const void *)p));
}

INLINE void store(uint8_t *p, sums s)
{
    const __m256i v = _mm256_srai_epi32((__m256i)s, AFN_SAMPLE_PRECISION);
    const __m128i w =
        _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const __m128i b = _mm_packus_epi16(w, w);
    memcpy(p, &b, W);
}
#endif

enum { MANY = 64 / W }; /* vectors that sum() makes at once */

/* W times `count` bytes; count is known where it is inlined. */
#if defined(__AVX2__)
INLINE void sum_some(uint8_t *out, const uint8_t *in, size_t stride, const int32_t *k,
                     int64_t taps, int count)
{
    sums s[MANY];
    for (int i = 0; i < count; i++) s[i] = (sums){ 0 } + HALF;
    for (int64_t t = 0; t < taps; t++, in += stride)
        for (int i = 0; i < count; i++) s[i] += load(in + i * W) * k[t];
    for (int i = 0; i < count; i++) store(out + i * W, s[i]);
}
#else
INLINE void sum_some(uint8_t *out, const uint8_t *in, size_t stride, const int32_t *k,
                     int64_t taps, int count)
{
    int32_t s[MANY * W];
    for (int i = 0; i < count * W; i++) s[i] = HALF;
    for (int64_t t = 0; t < taps; t++, in += stride)
        for (int i = 0; i < count * W; i++) s[i] += in[i] * k[t];
    for (int i = 0; i < count * W; i++) {
        const int32_t v = s[i] >> AFN_SAMPLE_PRECISION;
        out[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}
#endif

static void sum_one(uint8_t *out, const uint8_t *in, size_t stride, const int32_t *k,
                    int64_t taps)
{
    int32_t s = HALF;
    for (int64_t t = 0; t < taps; t++) s += in[(size_t)t * stride] * k[t];
    s >>= AFN_SAMPLE_PRECISION;
    *out = (uint8_t)(s < 0 ? 0 : s > 255 ? 255 : s);
}

static void sum(uint8_t *out, const uint8_t *in, size_t stride, size_t n,
                const int32_t *k, int64_t taps)
{
    size_t i = 0;
    for (; i + MANY * W <= n; i += MANY * W)
        sum_some(out + i, in + i, stride, k, taps, MANY);
    for (; i + W <= n; i += W) sum_some(out + i, in + i, stride, k, taps, 1);
    for (; i < n; i++) sum_one(out + i, in + i, stride, k, taps);
}

static void sum_band(uint8_t *out, const uint8_t *in, const int32_t *k, int64_t taps)
{
    sum_some(out, in, (size_t)3 * LANES, k, taps, 3 * LANES / W);
}

/* ---- rows and bands ---- */

/* Bytes of a and b in turn, of their lower or upper halves. */
INLINE bytes low(bytes a, bytes b)
{
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                   22, 7, 23);
}

INLINE bytes high(bytes a, bytes b)
{
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                                   14, 30, 15, 31);
}

/* Rows to columns of 16 x 16 bytes: four rounds of pairing row i with row i + 8, each
 * of which moves one bit of the row's number into that of the column. */
INLINE void transpose(bytes v[LANES])
{
    for (int round = 0; round < 4; round++) {
        bytes w[LANES];
        for (int i = 0; i < LANES / 2; i++) {
            w[2 * i] = low(v[i], v[i + LANES / 2]);
            w[2 * i + 1] = high(v[i], v[i + LANES / 2]);
        }
        for (int i = 0; i < LANES; i++) v[i] = w[i];
    }
}

/* The last block overlaps the one before where 16 does not divide n. */
INLINE size_t block_at(size_t i, size_t n)
{
    return i + LANES <= n ? i : n - LANES;
}

static void to_band(uint8_t *out, const uint8_t *const *row, size_t n)
{
    for (size_t i = 0; n < LANES && i < n; i++)
        for (int r = 0; r < LANES; r++) out[i * LANES + (size_t)r] = row[r][i];
    for (size_t i = 0; n >= LANES && i < n; i += LANES) {
        const size_t at = block_at(i, n);
        bytes v[LANES];
        for (int r = 0; r < LANES; r++) memcpy(&v[r], row[r] + at, LANES);
        transpose(v);
        memcpy(out + at * LANES, v, sizeof v);
    }
}

static void from_band(uint8_t *const *row, const uint8_t *in, size_t n)
{
    for (size_t i = 0; n < LANES && i < n; i++)
        for (int r = 0; r < LANES; r++) row[r][i] = in[i * LANES + (size_t)r];
    for (size_t i = 0; n >= LANES && i < n; i += LANES) {
        const size_t at = block_at(i, n);
        bytes v[LANES];
        memcpy(v, in + at * LANES, sizeof v);
        transpose(v);
        for (int r = 0; r < LANES; r++) memcpy(row[r] + at, &v[r], LANES);
    }
}

#define TEXT_OF(name) #name
#define NAME_OF(name) TEXT_OF(name)

const afn_sample_kern AFN_SAMPLE_TABLE = { .name = NAME_OF(AFN_SAMPLE_TABLE),
                                           .sum = sum,
                                           .sum_band = sum_band,
                                           .to_band = to_band,
                                           .from_band = from_band };
