/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of pixels and their products, against plain loops. */
#include <math.h>

#include "afn_test.h"
#include "engine/cpu/dnn.h"
#include "engine/cpu/kern.h"

enum { B = 16, WIDTH = 11 };

static const afn_kern_pairs *const pairs = &afn_pairs_avx512_bf16;

/* Value c of pixel x: no two are equal, 0 is none of them. */
static uint16_t value_at(int64_t x, int c)
{
    return (uint16_t)(1 + x * B + c);
}

static void fill_row(uint16_t *row)
{
    for (int64_t x = 0; x < WIDTH; x++)
        for (int c = 0; c < B; c++) row[x * B + c] = value_at(x, c);
}

static void check_row(const uint16_t *row, int64_t first, int64_t step, int64_t count)
{
    enum { MOST = 16, STEP = 3, UNTOUCHED = 0xabcd };
    uint16_t to[MOST * STEP * 2 * B];
    for (size_t i = 0; i < AFN_COUNT(to); i++) to[i] = UNTOUCHED;
    pairs->pack(&(afn_pairs_row){ .x = row,
                                  .w = WIDTH,
                                  .first = first,
                                  .step = step,
                                  .count = count,
                                  .to = to,
                                  .to_step = STEP });
    for (int64_t v = 0; v < MOST * STEP; v++)
        for (int i = 0; i < 2 * B; i++) {
            const int64_t pixel = v / STEP * 2 + i % 2, x = first + pixel * step;
            const bool written = v % STEP == 0 && v / STEP < (count + 1) / 2;
            const bool inside = row && pixel < count && x >= 0 && x < WIDTH;
            assert_int_equal(to[v * 2 * B + i], !written ? UNTOUCHED
                                                : inside ? value_at(x, i / 2)
                                                         : 0);
        }
}

static void pixels_are_paired_and_zero_outside_the_row(void **state)
{
    (void)state;
    uint16_t *row = test_malloc(WIDTH * B * sizeof *row); /* the exact size: nothing
                                                           * beyond it is read */
    fill_row(row);
    for (int64_t first = -4; first <= WIDTH + 2; first++)
        for (int64_t step = 1; step <= 3; step++)
            for (int64_t count = 1; count <= 20; count++)
                check_row(row, first, step, count);
    check_row(NULL, 0, 1, 9);
    test_free(row);
}

/* Small whole numbers: products and sums of them are exact. */
static void fill_small(uint16_t *v, int64_t n, unsigned seed)
{
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        const float x = (float)(seed >> 28) - 7.0f;
        afn_kern_avx512_bf16.store(v + i, &x, 1);
    }
}

static float float_at(const uint16_t *v, int64_t i)
{
    float x;
    afn_kern_avx512_bf16.load(&x, v + i, 1);
    return x;
}

enum { RUNS = 2, RUN = 5, X_STEP = 7 };

static float expected(const uint16_t *dy, const uint16_t *x, int oc, int o, int i)
{
    float sum = 0;
    for (int run = 0; run < RUNS; run++)
        for (int k = 0; k < RUN; k++)
            for (int half = 0; half < 2; half++) {
                const int64_t y = ((run * RUN + k) * oc + o / B) * 2 * B + o % B * 2;
                const int64_t at = (run * X_STEP + k) * 2 * B + i * 2;
                sum += float_at(dy, y + half) * float_at(x, at + half);
            }
    return sum;
}

static void check_tile(int oc, bool add)
{
    enum { DW_STEP = 300 };
    uint16_t dy[RUNS * RUN * AFN_PAIRS_OC * 2 * B], x[RUNS * X_STEP * 2 * B];
    float dw[AFN_PAIRS_OC * DW_STEP];
    for (size_t i = 0; i < AFN_COUNT(dw); i++) dw[i] = 1000.0f;
    fill_small(dy, AFN_COUNT(dy), 1);
    fill_small(x, AFN_COUNT(x), 2);
    pairs->tile(&(afn_pairs_tile){ .dy = dy,
                                   .x = x,
                                   .runs = RUNS,
                                   .run = RUN,
                                   .x_step = X_STEP,
                                   .dw = dw,
                                   .dw_step = DW_STEP,
                                   .oc = oc,
                                   .add = add });
    for (int o = 0; o < AFN_PAIRS_OC; o++)
        for (int at = 0; at < DW_STEP; at++) {
            float e = 1000.0f;
            if (o < oc && at < B * B)
                e = expected(dy, x, oc, o * B + at % B, at / B) + (add ? 1000.0f : 0);
            assert_true(dw[o * DW_STEP + at] == e);
        }
}

static void a_tile_is_the_sum_of_its_products(void **state)
{
    (void)state;
    for (int oc = 1; oc <= AFN_PAIRS_OC; oc++) {
        check_tile(oc, false);
        check_tile(oc, true);
    }
}

static void a_sum_takes_both_of_each_pair(void **state)
{
    (void)state;
    enum { N = 6, STEP = 2 };
    uint16_t v[N * STEP * 2 * B];
    float s[B];
    fill_small(v, AFN_COUNT(v), 3);
    for (int c = 0; c < B; c++) s[c] = (float)c;
    pairs->sum(s, v, STEP, N);
    for (int c = 0; c < B; c++) {
        float e = (float)c;
        for (int k = 0; k < N; k++)
            e += float_at(v, k * STEP * 2 * B + 2 * c) +
                 float_at(v, k * STEP * 2 * B + 2 * c + 1);
        assert_true(s[c] == e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_paired_and_zero_outside_the_row),
        cmocka_unit_test(a_tile_is_the_sum_of_its_products),
        cmocka_unit_test(a_sum_takes_both_of_each_pair),
    };
    if (!dnn_has_bf16()) return 77; /* the kernels would not run here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
