/* SPDX-License-Identifier: Apache-2.0 */
/* Half precision against arithmetic in double: every half value, and for rounding every
 * value between two neighbours that matters. */
#include <math.h>

#include "afn_test.h"
#include "tensor/tensor.h"

/* The value that sign, exponent and mantissa spell, by the definition. */
static double spelled(unsigned bits, int exponent_bits, int mantissa_bits)
{
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const unsigned m = bits & ((1u << mantissa_bits) - 1);
    const int e = (int)(bits >> mantissa_bits & ((1u << exponent_bits) - 1));
    const double sign = bits >> (mantissa_bits + exponent_bits) & 1 ? -1 : 1;
    if (e == (1 << exponent_bits) - 1) return m ? (double)NAN : sign * (double)INFINITY;
    if (e == 0) return sign * ldexp((double)m, 1 - bias - mantissa_bits);
    return sign * ldexp((double)m + (1 << mantissa_bits), e - bias - mantissa_bits);
}

static bool same_value(float a, double b)
{
    if (isnan(b)) return isnan(a);
    return (double)a == b && !signbit(a) == !signbit(b);
}

static void every_half_widens_to_the_value_it_spells(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 65536; i++) {
        assert_true(same_value(afn_f16_to_f32((uint16_t)i), spelled(i, 5, 10)));
        assert_true(same_value(afn_bf16_to_f32((uint16_t)i), spelled(i, 8, 7)));
    }
}

static void every_half_survives_the_round_trip(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 65536; i++) {
        const uint16_t h = (uint16_t)i;
        if (isnan(afn_f16_to_f32(h)))
            assert_true(isnan(afn_f16_to_f32(afn_f32_to_f16(afn_f16_to_f32(h)))));
        else
            assert_int_equal(afn_f32_to_f16(afn_f16_to_f32(h)), h);
        if (isnan(afn_bf16_to_f32(h)))
            assert_true(isnan(afn_bf16_to_f32(afn_f32_to_bf16(afn_bf16_to_f32(h)))));
        else
            assert_int_equal(afn_f32_to_bf16(afn_bf16_to_f32(h)), h);
    }
}

/* Between neighbours low and low+1 (bit patterns of positive values): a hair below the
 * middle goes down, above it up, the middle itself to the even one. */
static void check_rounding(uint16_t low, float (*widen)(uint16_t),
                           uint16_t (*narrow)(float))
{
    const uint16_t high = (uint16_t)(low + 1);
    if (!isfinite(widen(high))) return;
    const float middle = (float)(((double)widen(low) + (double)widen(high)) / 2);
    const uint16_t even = low % 2 ? high : low;
    assert_int_equal(narrow(nextafterf(middle, 0)), low);
    assert_int_equal(narrow(nextafterf(middle, INFINITY)), high);
    assert_int_equal(narrow(middle), even);
    assert_int_equal(narrow(-middle), even | 0x8000);
}

static void narrowing_rounds_to_nearest_even(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 0x7C00; i++)
        check_rounding((uint16_t)i, afn_f16_to_f32, afn_f32_to_f16);
    for (unsigned i = 1; i < 0x7F80; i++)
        check_rounding((uint16_t)i, afn_bf16_to_f32, afn_f32_to_bf16);
}

static void large_values_become_infinite_where_rounding_says_so(void **state)
{
    (void)state;
    assert_int_equal(afn_f32_to_f16(65504.0f), 0x7BFF);
    assert_int_equal(afn_f32_to_f16(nextafterf(65520.0f, 0)), 0x7BFF);
    assert_int_equal(afn_f32_to_f16(65520.0f), 0x7C00);
    assert_int_equal(afn_f32_to_f16(-1e30f), 0xFC00);
    assert_int_equal(afn_f32_to_bf16(3.4e38f), 0x7F80);
    assert_int_equal(afn_f32_to_bf16(-INFINITY), 0xFF80);
    assert_true(isnan(afn_f16_to_f32(afn_f32_to_f16(NAN))));
    assert_true(isnan(afn_bf16_to_f32(afn_f32_to_bf16(NAN))));
}

static void types_have_pytorchs_names_and_sizes(void **state)
{
    (void)state;
    assert_string_equal(afn_dtype_name(AFN_BF16), "bfloat16");
    assert_string_equal(afn_dtype_name(AFN_C128), "complex128");
    assert_string_equal(afn_dtype_name((afn_dtype)99), "unknown");
    assert_int_equal(afn_dtype_bytes(AFN_F32), 4);
    assert_int_equal(afn_dtype_bytes(AFN_BOOL), 1);
    assert_int_equal(afn_dtype_bytes((afn_dtype)-1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_widens_to_the_value_it_spells),
        cmocka_unit_test(every_half_survives_the_round_trip),
        cmocka_unit_test(narrowing_rounds_to_nearest_even),
        cmocka_unit_test(large_values_become_infinite_where_rounding_says_so),
        cmocka_unit_test(types_have_pytorchs_names_and_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
