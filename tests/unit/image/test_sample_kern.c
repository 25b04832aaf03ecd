/* SPDX-License-Identifier: Apache-2.0 */
/* Every table of kernels that this processor can run, against the sum as it is written
 * down, on random and on extreme weights. */
#include "afn_test.h"

#include "image/sample_kern.h"

enum { MAX_TAPS = 40, MAX_N = 300 };

static const afn_sample_kern *const tables[] = {
    [AFN_ISA_BASE] = &afn_sample_base,
    [AFN_ISA_AVX2] = &afn_sample_avx2,
    [AFN_ISA_AVX512] = &afn_sample_avx512,
};

static uint8_t expected(const uint8_t *in, size_t stride, const int32_t *k, int taps)
{
    int64_t s = 1 << (AFN_SAMPLE_PRECISION - 1);
    for (int t = 0; t < taps; t++) s += (int64_t)in[(size_t)t * stride] * k[t];
    s >>= AFN_SAMPLE_PRECISION;
    return (uint8_t)(s < 0 ? 0 : s > 255 ? 255 : s);
}

/* Weights whose sum is 1, of both signs, as far out as any filter's. */
static void draw_weights(afn_rng *r, int32_t *k, int taps)
{
    int32_t rest = 1 << AFN_SAMPLE_PRECISION;
    for (int t = 0; t < taps - 1; t++) {
        k[t] = (int32_t)((afn_rng_float(r) - 0.4f) *
                         (float)(1 << AFN_SAMPLE_PRECISION) / (float)taps);
        rest -= k[t];
    }
    k[taps - 1] = rest;
}

static void sums_are_exact(void **state)
{
    (void)state;
    static uint8_t in[MAX_TAPS * MAX_N], out[MAX_N + 1];
    int32_t k[MAX_TAPS];
    afn_rng r = afn_rng_new(3, afn_rng_stream(AFN_RNG_TEST, 0, 0));
    for (int i = 0; i < 600; i++) {
        const int taps = 1 + (int)afn_rng_below(&r, MAX_TAPS);
        const size_t n = 1 + (size_t)afn_rng_below(&r, MAX_N);
        for (size_t j = 0; j < sizeof in; j++)
            in[j] = i % 3 ? (uint8_t)afn_rng_u32(&r) : i % 2 ? 255 : 0;
        draw_weights(&r, k, taps);
        for (int isa = 0; isa <= (int)afn_best_isa(); isa++) {
            out[n] = 77;
            tables[isa]->sum(out, in, MAX_N, n, k, taps);
            for (size_t j = 0; j < n; j++)
                assert_int_equal(out[j], expected(in + j, MAX_N, k, taps));
            assert_int_equal(out[n], 77); /* nothing behind the end is written */
            tables[isa]->sum_band(out, in, k, taps);
            for (size_t j = 0; j < 48; j++)
                assert_int_equal(out[j], expected(in + j, 48, k, taps));
        }
    }
}

static void bands_are_rows_turned(void **state)
{
    (void)state;
    static uint8_t in[AFN_SAMPLE_BAND][MAX_N], back[AFN_SAMPLE_BAND][MAX_N];
    static uint8_t band[MAX_N * AFN_SAMPLE_BAND];
    const uint8_t *from[AFN_SAMPLE_BAND];
    uint8_t *to[AFN_SAMPLE_BAND];
    for (size_t r = 0; r < AFN_SAMPLE_BAND; r++) {
        from[r] = in[r];
        to[r] = back[r];
        for (size_t i = 0; i < MAX_N; i++)
            in[r][i] = (uint8_t)(r * 17 + i * 101 + i / 7);
    }
    for (int isa = 0; isa <= (int)afn_best_isa(); isa++)
        for (size_t n = 1; n < MAX_N; n++) {
            memset(back, 0, sizeof back);
            tables[isa]->to_band(band, from, n);
            tables[isa]->from_band(to, band, n);
            for (size_t r = 0; r < AFN_SAMPLE_BAND; r++) {
                for (size_t i = 0; i < n; i++)
                    assert_int_equal(band[i * AFN_SAMPLE_BAND + r], in[r][i]);
                assert_memory_equal(back[r], in[r], n);
                assert_int_equal(back[r][n], 0);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(bands_are_rows_turned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
