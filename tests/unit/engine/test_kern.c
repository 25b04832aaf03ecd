/* SPDX-License-Identifier: Apache-2.0 */
/* Vector kernels on bf16: what a float becomes in memory, alone and in a sum. */
#include <math.h>
#include <string.h>

#include "afn_test.h"
#include "engine/cpu/dnn.h"
#include "engine/cpu/kern.h"

enum { N = 37 }; /* two blocks and a part of one */

static const afn_kern *const kern = &afn_kern_avx512_bf16;

static uint32_t bits_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The same, decided by comparing distances: the even one of two that are as near. */
static uint16_t nearest(float x)
{
    const uint16_t down = (uint16_t)(bits_of(x) >> 16), up = (uint16_t)(down + 1);
    const double low = fabs((double)x - (double)float_of((uint32_t)down << 16));
    const double high = fabs((double)float_of((uint32_t)up << 16) - (double)x);
    if (low == high) return down % 2 ? up : down;
    return low < high ? down : up;
}

static void floats_become_the_nearest_value(void **state)
{
    (void)state;
    static const uint32_t low[] = { 0x0000, 0x0001, 0x7fff, 0x8000, 0x8001, 0xffff };
    uint16_t v[N];
    float x[N];
    int n = 0;
    for (uint32_t high = 0x3f7f; high < 0x3f7f + 4; high++)
        for (size_t i = 0; i < AFN_COUNT(low) && n < N; i++)
            x[n++] = float_of((high | (high % 2 ? 0x8000u : 0u)) << 16 | low[i]);
    for (; n < N; n++) x[n] = 0.1f * (float)n - 3.0f;
    kern->store(v, x, N);
    for (int i = 0; i < N; i++) assert_int_equal(v[i], nearest(x[i]));
}

/* Values below the normal ones become 0, as they do in oneDNN's products. */
static bool is_tiny(uint16_t v)
{
    return (v & 0x7f80) == 0;
}

static void every_value_survives(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 0x10000; first += 16) {
        uint16_t v[16], back[16];
        float x[16];
        for (uint32_t i = 0; i < 16; i++) v[i] = (uint16_t)(first + i);
        kern->load(x, v, 16);
        kern->store(back, x, 16);
        for (int i = 0; i < 16; i++) {
            assert_int_equal(bits_of(x[i]), (uint32_t)v[i] << 16);
            if (!isnan(x[i]))
                assert_int_equal(back[i], is_tiny(v[i]) ? v[i] & 0x8000 : v[i]);
        }
    }
}

static void what_is_not_a_number_stays_so(void **state)
{
    (void)state;
    /* The last would become infinite or 0 if its payload carried. */
    const float x[] = { NAN,
                        -NAN,
                        float_of(0x7f800001),
                        float_of(0xff800001),
                        float_of(0x7fffffff),
                        float_of(0xffffffff) };
    uint16_t v[AFN_COUNT(x)];
    float back[AFN_COUNT(x)];
    kern->store(v, x, AFN_COUNT(x));
    kern->load(back, v, AFN_COUNT(x));
    for (size_t i = 0; i < AFN_COUNT(x); i++) {
        assert_true(isnan(back[i]));
        assert_int_equal(signbit(back[i]) != 0, signbit(x[i]) != 0);
    }
}

static void large_floats_become_infinite(void **state)
{
    (void)state;
    const float x[] = { 3.4028235e38f, -3.4028235e38f, INFINITY, 3.3895314e38f };
    uint16_t v[AFN_COUNT(x)];
    kern->store(v, x, AFN_COUNT(x));
    assert_int_equal(v[0], 0x7f80);
    assert_int_equal(v[1], 0xff80);
    assert_int_equal(v[2], 0x7f80);
    assert_int_equal(v[3], 0x7f7f); /* the largest there is */
}

/* Nothing is written behind the last value, and every one is worked on. */
static void any_number_of_values_works(void **state)
{
    (void)state;
    for (int n = 0; n <= N; n++) {
        uint16_t y[N + 1], x[N + 1];
        float got[N + 1], from[N + 1];
        for (int i = 0; i <= N; i++) from[i] = (float)(i - 8);
        kern->store(x, from, N + 1);
        kern->store(y, from, N + 1);
        kern->accumulate(y, x, n);
        kern->load(got, y, N + 1);
        for (int i = 0; i <= N; i++)
            assert_true(got[i] == from[i] * (i < n ? 2.0f : 1.0f));
        kern->act(y, x, n, AFN_ACT_RELU);
        kern->load(got, y, N + 1);
        for (int i = 0; i < n; i++)
            assert_true(got[i] == (from[i] > 0 ? from[i] : 0.0f));
    }
}

static void sums_are_not_rounded_on_the_way(void **state)
{
    (void)state;
    enum { PIXELS = 1000, BLOCK = 16 };
    static uint16_t x[PIXELS * BLOCK];
    float one[BLOCK], mean[BLOCK];
    for (int c = 0; c < BLOCK; c++) one[c] = 1.0f + (float)c / 128;
    for (int p = 0; p < PIXELS; p++) kern->store(x + p * BLOCK, one, BLOCK);
    kern->mean(mean, x, PIXELS);
    for (int c = 0; c < BLOCK; c++) assert_true(mean[c] == one[c]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_become_the_nearest_value),
        cmocka_unit_test(every_value_survives),
        cmocka_unit_test(what_is_not_a_number_stays_so),
        cmocka_unit_test(large_floats_become_infinite),
        cmocka_unit_test(any_number_of_values_works),
        cmocka_unit_test(sums_are_not_rounded_on_the_way),
    };
    if (!dnn_has_bf16()) return 77; /* the kernels would not run here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
