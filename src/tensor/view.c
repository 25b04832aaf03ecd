/* SPDX-License-Identifier: Apache-2.0 */
/* Strided views: bounds, and reading them out contiguously. */
#include <string.h>

#include "tensor/tensor.h"

void afn_view_contiguous(afn_view *v)
{
    int64_t step = 1;
    for (int i = v->shape.rank - 1; i >= 0; i--) {
        v->stride[i] = step;
        step *= v->shape.dim[i] > 0 ? v->shape.dim[i] : 1;
    }
}

bool afn_view_is_contiguous(const afn_view *v)
{
    int64_t step = 1;
    for (int i = v->shape.rank - 1; i >= 0; i--) {
        if (v->shape.dim[i] != 1 && v->stride[i] != step) return false;
        step *= v->shape.dim[i];
    }
    return true;
}

bool afn_view_fits(const afn_view *v, int64_t offset, int64_t count)
{
    const int64_t n = afn_shape_count(&v->shape);
    if (n < 0 || offset < 0 || offset > count) return false;
    if (n == 0) return true;
    int64_t last = offset; /* the farthest element, as strides are not negative */
    for (int i = 0; i < v->shape.rank; i++) {
        const int64_t steps = v->shape.dim[i] - 1, stride = v->stride[i];
        if (stride < 0) return false;
        if (steps && stride > (INT64_MAX - last) / steps) return false;
        last += steps * stride;
    }
    return last < count;
}

/* Calls put(user, i, element) in row-major order. */
typedef void (*put_fn)(void *out, int64_t i, const uint8_t *element);

static void for_each(const afn_view *v, void *out, put_fn put)
{
    const int64_t n = afn_shape_count(&v->shape);
    const int64_t bytes = (int64_t)afn_dtype_bytes(v->dtype);
    const uint8_t *p = v->data;
    int64_t at[AFN_MAX_RANK] = { 0 };
    for (int64_t i = 0; i < n; i++) {
        put(out, i, p);
        for (int d = v->shape.rank - 1; d >= 0; d--) {
            p += v->stride[d] * bytes;
            if (++at[d] < v->shape.dim[d]) break;
            p -= v->stride[d] * v->shape.dim[d] * bytes;
            at[d] = 0;
        }
    }
}

#define DEFINE_LOAD(type)                                                              \
    static type load_##type(const uint8_t *p)                                          \
    {                                                                                  \
        type x;                                                                        \
        memcpy(&x, p, sizeof x);                                                       \
        return x;                                                                      \
    }
DEFINE_LOAD(float)
DEFINE_LOAD(double)
DEFINE_LOAD(int64_t)
DEFINE_LOAD(int32_t)
DEFINE_LOAD(int16_t)
DEFINE_LOAD(int8_t)
DEFINE_LOAD(uint16_t)

#define DEFINE_PUT(name, out_type, expression)                                         \
    static void name(void *out, int64_t i, const uint8_t *p)                           \
    {                                                                                  \
        ((out_type *)out)[i] = (out_type)(expression);                                 \
    }
DEFINE_PUT(f32_of_f32, float, load_float(p))
DEFINE_PUT(f32_of_f16, float, afn_f16_to_f32(load_uint16_t(p)))
DEFINE_PUT(f32_of_bf16, float, afn_bf16_to_f32(load_uint16_t(p)))
DEFINE_PUT(f32_of_f64, float, load_double(p))
DEFINE_PUT(f32_of_i64, float, load_int64_t(p))
DEFINE_PUT(f32_of_i32, float, load_int32_t(p))
DEFINE_PUT(f32_of_i16, float, load_int16_t(p))
DEFINE_PUT(f32_of_i8, float, load_int8_t(p))
DEFINE_PUT(f32_of_u8, float, *p)
DEFINE_PUT(i64_of_i64, int64_t, load_int64_t(p))
DEFINE_PUT(i64_of_i32, int64_t, load_int32_t(p))
DEFINE_PUT(i64_of_i16, int64_t, load_int16_t(p))
DEFINE_PUT(i64_of_i8, int64_t, load_int8_t(p))
DEFINE_PUT(i64_of_u8, int64_t, *p)

static const struct {
    put_fn to_f32, to_i64; /* NULL: not converted */
} convert[] = {
    [AFN_F32] = { f32_of_f32, NULL },
    [AFN_F16] = { f32_of_f16, NULL },
    [AFN_BF16] = { f32_of_bf16, NULL },
    [AFN_F64] = { f32_of_f64, NULL },
    [AFN_I64] = { f32_of_i64, i64_of_i64 },
    [AFN_I32] = { f32_of_i32, i64_of_i32 },
    [AFN_I16] = { f32_of_i16, i64_of_i16 },
    [AFN_I8] = { f32_of_i8, i64_of_i8 },
    [AFN_U8] = { f32_of_u8, i64_of_u8 },
    [AFN_BOOL] = { f32_of_u8, i64_of_u8 },
    [AFN_C64] = { NULL, NULL },
    [AFN_C128] = { NULL, NULL },
};
static_assert(AFN_COUNT(convert) == AFN_N_DTYPES, "one row per type");

afn_status afn_view_read_f32(const afn_view *v, float *out)
{
    const put_fn put = convert[v->dtype].to_f32;
    if (!put)
        return afn_fail(AFN_EUNSUPPORTED, "%s values cannot become float32",
                        afn_dtype_name(v->dtype));
    const int64_t n = afn_shape_count(&v->shape);
    if (n == 0) return AFN_OK; /* there may be no memory to speak of */
    if (v->dtype == AFN_F32 && afn_view_is_contiguous(v))
        memcpy(out, v->data, (size_t)n * sizeof(float));
    else
        for_each(v, out, put);
    return AFN_OK;
}

afn_status afn_view_read_i64(const afn_view *v, int64_t *out)
{
    const put_fn put = convert[v->dtype].to_i64;
    if (!put)
        return afn_fail(AFN_EUNSUPPORTED, "%s values cannot become int64",
                        afn_dtype_name(v->dtype));
    for_each(v, out, put);
    return AFN_OK;
}

static void raw_1(void *out, int64_t i, const uint8_t *p)
{
    ((uint8_t *)out)[i] = *p;
}
static void raw_2(void *out, int64_t i, const uint8_t *p)
{
    memcpy((uint8_t *)out + 2 * i, p, 2);
}
static void raw_4(void *out, int64_t i, const uint8_t *p)
{
    memcpy((uint8_t *)out + 4 * i, p, 4);
}
static void raw_8(void *out, int64_t i, const uint8_t *p)
{
    memcpy((uint8_t *)out + 8 * i, p, 8);
}
static void raw_16(void *out, int64_t i, const uint8_t *p)
{
    memcpy((uint8_t *)out + 16 * i, p, 16);
}

void afn_view_read_raw(const afn_view *v, void *out)
{
    const size_t bytes = afn_dtype_bytes(v->dtype);
    const int64_t n = afn_shape_count(&v->shape);
    if (n == 0) return;
    if (afn_view_is_contiguous(v)) {
        memcpy(out, v->data, (size_t)n * bytes);
        return;
    }
    const put_fn put = bytes == 1   ? raw_1
                       : bytes == 2 ? raw_2
                       : bytes == 4 ? raw_4
                       : bytes == 8 ? raw_8
                                    : raw_16;
    for_each(v, out, put);
}
