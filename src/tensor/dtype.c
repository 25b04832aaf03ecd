/* SPDX-License-Identifier: Apache-2.0 */
/* The table of element types, and half precision by bit arithmetic (IEEE 754 binary16
 * and bfloat16), so that no compiler or processor feature is needed. */
#include <string.h>

#include "tensor/tensor.h"

static const struct {
    const char *name; /* PyTorch's */
    size_t bytes;
} dtype[] = {
    [AFN_F32] = { "float32", 4 },   [AFN_F16] = { "float16", 2 },
    [AFN_BF16] = { "bfloat16", 2 }, [AFN_F64] = { "float64", 8 },
    [AFN_I64] = { "int64", 8 },     [AFN_I32] = { "int32", 4 },
    [AFN_I16] = { "int16", 2 },     [AFN_I8] = { "int8", 1 },
    [AFN_U8] = { "uint8", 1 },      [AFN_BOOL] = { "bool", 1 },
    [AFN_C64] = { "complex64", 8 }, [AFN_C128] = { "complex128", 16 },
};
static_assert(AFN_COUNT(dtype) == AFN_N_DTYPES, "one row per type");

const char *afn_dtype_name(afn_dtype t)
{
    return t >= 0 && t < AFN_N_DTYPES ? dtype[t].name : "unknown";
}

size_t afn_dtype_bytes(afn_dtype t)
{
    return t >= 0 && t < AFN_N_DTYPES ? dtype[t].bytes : 0;
}

static float bits_to_float(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t float_to_bits(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

float afn_f16_to_f32(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    const uint32_t exponent = h >> 10 & 0x1Fu, mantissa = h & 0x3FFu;
    if (exponent == 31) return bits_to_float(sign | 0x7F800000u | mantissa << 13);
    if (exponent) return bits_to_float(sign | (exponent + 112) << 23 | mantissa << 13);
    const float magnitude = (float)mantissa * 0x1p-24f; /* subnormal or zero */
    return sign ? -magnitude : magnitude;
}

uint16_t afn_f32_to_f16(float f)
{
    const uint32_t bits = float_to_bits(f);
    const uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) return (uint16_t)(sign | 0x7E00u); /* NaN */
    if (magnitude >= 0x477FF000u)
        return (uint16_t)(sign | 0x7C00u); /* rounds past 65504 */
    if (magnitude < 0x38800000u) {         /* subnormal: let the FPU round at 2^-24 */
        const float scaled = bits_to_float(magnitude) + 0.5f; /* ulp of 0.5 is 2^-24 */
        return (uint16_t)(sign | (float_to_bits(scaled) - 0x3F000000u));
    }
    const uint32_t rounded = magnitude + 0xFFFu + (magnitude >> 13 & 1u);
    return (uint16_t)(sign | (rounded - 0x38000000u) >> 13);
}

float afn_bf16_to_f32(uint16_t h)
{
    return bits_to_float((uint32_t)h << 16);
}

uint16_t afn_f32_to_bf16(float f)
{
    const uint32_t bits = float_to_bits(f);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}
