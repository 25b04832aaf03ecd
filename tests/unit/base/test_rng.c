/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "afn_test.h"

/* Known-answer vectors of philox4x32-10 from Random123's tests/kat_vectors: counter
 * words 0..3, key words 0..1, result. */
static void the_block_matches_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], result[4];
    } row[] = {
        { { 0, 0, 0, 0 },
          { 0, 0 },
          { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
          { 0xffffffff, 0xffffffff },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
          { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        uint32_t out[4];
        const uint32_t *c = row[i].counter, *k = row[i].key;
        afn_rng_block(out, k[0] | (uint64_t)k[1] << 32, c[2] | (uint64_t)c[3] << 32,
                      c[0] | (uint64_t)c[1] << 32);
        assert_memory_equal(out, row[i].result, sizeof out);
    }
}

static void numbers_are_the_blocks_in_order(void **state)
{
    (void)state;
    afn_rng r = afn_rng_new(5, 9);
    for (uint64_t position = 0; position < 3; position++) {
        uint32_t block[4];
        afn_rng_block(block, 5, 9, position);
        for (int i = 0; i < 4; i++) assert_int_equal(afn_rng_u32(&r), block[i]);
    }
}

static void streams_of_two_uses_differ(void **state)
{
    (void)state;
    assert_true(afn_rng_stream(AFN_RNG_SHUFFLE, 1, 0) !=
                afn_rng_stream(AFN_RNG_AUGMENT, 1, 0));
    assert_true(afn_rng_stream(AFN_RNG_AUGMENT, 1, 2) !=
                afn_rng_stream(AFN_RNG_AUGMENT, 2, 1));
    afn_rng a = afn_rng_new(1, afn_rng_stream(AFN_RNG_TEST, 0, 0));
    afn_rng b = afn_rng_new(1, afn_rng_stream(AFN_RNG_TEST, 0, 1));
    assert_true(afn_rng_u32(&a) != afn_rng_u32(&b));
}

static void fractions_lie_in_zero_to_one(void **state)
{
    (void)state;
    afn_rng r = afn_rng_new(1, 2);
    double sum = 0;
    for (int i = 0; i < 10000; i++) {
        const float f = afn_rng_float(&r);
        const double d = afn_rng_double(&r);
        assert_true(f >= 0 && f < 1 && d >= 0 && d < 1);
        sum += f + d;
    }
    assert_true(fabs(sum / 20000 - 0.5) < 0.01); /* five deviations of the mean */
}

static void normal_numbers_have_mean_zero_and_deviation_one(void **state)
{
    (void)state;
    enum { N = 20000 };
    afn_rng r = afn_rng_new(3, 4);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        const double v = afn_rng_normal(&r);
        assert_true(isfinite(v));
        sum += v;
        squares += v * v;
    }
    assert_true(fabs(sum / N) < 0.035);        /* five deviations: 5 / sqrt(N) */
    assert_true(fabs(squares / N - 1) < 0.05); /* five deviations: 5 sqrt(2/N) */
}

/* Mean and variance of n draws, held to what they should be by five deviations of each
 * (of the variance: by the fourth moment of the sample). */
static void assert_moments(const double *v, int n, double mean, double variance)
{
    double sum = 0, m2 = 0, m4 = 0;
    for (int i = 0; i < n; i++) sum += v[i];
    for (int i = 0; i < n; i++) {
        const double d = v[i] - mean;
        m2 += d * d;
        m4 += d * d * d * d;
    }
    m2 /= n;
    m4 /= n;
    assert_true(fabs(sum / n - mean) < 5 * sqrt(variance / n));
    const double spread = sqrt(fmax(0, m4 - m2 * m2) / n);
    assert_true(fabs(m2 - variance) < 5 * spread + 1e-4 * variance);
}

enum { MANY = 20000 };

static void gamma_numbers_have_the_moments_of_their_shape(void **state)
{
    (void)state;
    static const double shapes[] = { 0.1, 0.5, 1, 2.5, 40 };
    static double v[MANY];
    for (size_t k = 0; k < AFN_COUNT(shapes); k++) {
        afn_rng r = afn_rng_new(k, 9);
        for (int i = 0; i < MANY; i++) {
            v[i] = afn_rng_gamma(&r, shapes[k]);
            assert_true(v[i] >= 0 && isfinite(v[i]));
        }
        assert_moments(v, MANY, shapes[k], shapes[k]);
    }
}

static void beta_numbers_have_the_moments_of_their_shapes(void **state)
{
    (void)state;
    static const double shapes[][2] = { { 0.2, 0.2 },  { 1, 1 }, { 0.4, 3 },
                                        { 8, 8 },      { 2, 5 }, { 1e-5, 1e-5 },
                                        { 1e-5, 3e-5 } };
    static double v[MANY];
    for (size_t k = 0; k < AFN_COUNT(shapes); k++) {
        const double a = shapes[k][0], b = shapes[k][1], all = a + b;
        afn_rng r = afn_rng_new(k, 10);
        for (int i = 0; i < MANY; i++) {
            v[i] = afn_rng_beta(&r, a, b);
            assert_true(v[i] >= 0 && v[i] <= 1);
        }
        assert_moments(v, MANY, a / all, a * b / (all * all * (all + 1)));
    }
}

static void below_gives_every_number_about_as_often(void **state)
{
    (void)state;
    int count[7] = { 0 };
    afn_rng r = afn_rng_new(1, 1);
    for (int i = 0; i < 7000; i++) count[afn_rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++) assert_true(count[i] > 850 && count[i] < 1150);
    assert_true(afn_rng_below(&r, 1) == 0);
    assert_true(afn_rng_below(&r, INT64_MAX) >= 0);
}

static void a_shuffle_is_a_permutation_that_depends_on_the_seed_alone(void **state)
{
    (void)state;
    int64_t a[50], b[50];
    bool seen[50] = { 0 };
    for (int i = 0; i < 50; i++) a[i] = b[i] = i;
    afn_rng ra = afn_rng_new(8, 0), rb = afn_rng_new(8, 0);
    afn_rng_shuffle(&ra, a, 50);
    afn_rng_shuffle(&rb, b, 50);
    assert_memory_equal(a, b, sizeof a);
    int moved = 0;
    for (int i = 0; i < 50; i++) {
        assert_true(a[i] >= 0 && a[i] < 50 && !seen[a[i]]);
        seen[a[i]] = true;
        moved += a[i] != i;
    }
    assert_true(moved > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_block_matches_the_published_vectors),
        cmocka_unit_test(numbers_are_the_blocks_in_order),
        cmocka_unit_test(streams_of_two_uses_differ),
        cmocka_unit_test(fractions_lie_in_zero_to_one),
        cmocka_unit_test(normal_numbers_have_mean_zero_and_deviation_one),
        cmocka_unit_test(gamma_numbers_have_the_moments_of_their_shape),
        cmocka_unit_test(beta_numbers_have_the_moments_of_their_shapes),
        cmocka_unit_test(below_gives_every_number_about_as_often),
        cmocka_unit_test(a_shuffle_is_a_permutation_that_depends_on_the_seed_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
