/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of resampling.  sample_kern.c is compiled once per instruction set;
 * all tables give the same bits, as all arithmetic is in integers.
 *
 * Both passes are the same sum: out[i] = sum over t of k[t] in[t * stride + i], for n
 * bytes side by side.  Down a picture the bytes are those of a row.  Across, sixteen
 * rows are turned into columns first (a band), so that the bytes are one channel of
 * sixteen rows. */
#ifndef AFN_IMAGE_SAMPLE_KERN_H
#define AFN_IMAGE_SAMPLE_KERN_H

#include <stddef.h>
#include <stdint.h>

enum {
    AFN_SAMPLE_PRECISION = 32 - 8 - 2, /* bits behind the point: 8 are of the result, 2
                                        * for sums beyond 0 .. 1 */
    AFN_SAMPLE_BAND = 16               /* rows */
};

typedef struct afn_sample_kern {
    const char *name;

    /* out (n) = the sum above, rounded and clipped to 8 bits; taps >= 1. */
    void (*sum)(uint8_t *out, const uint8_t *in, size_t stride, size_t n,
                const int32_t *k, int64_t taps);

    /* The same for one pixel of a band: 48 bytes, pixels side by side. */
    void (*sum_band)(uint8_t *out, const uint8_t *in, const int32_t *k, int64_t taps);

    /* Rows to a band: out (n, 16) from 16 rows of n bytes. */
    void (*to_band)(uint8_t *out, const uint8_t *const *row, size_t n);
    /* And back. */
    void (*from_band)(uint8_t *const *row, const uint8_t *in, size_t n);
} afn_sample_kern;

extern const afn_sample_kern afn_sample_base, afn_sample_avx2, afn_sample_avx512;

#endif
