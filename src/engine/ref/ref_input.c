/* SPDX-License-Identifier: Apache-2.0 */
/* Input: pixels (n,h,w,3) of 8 bits become normalised values (n,3,h,w),
 *     y[n,c,h,w] = table[c][pixel[n,h,w,c]];
 * values given as floats are taken as they are. */
#include "engine/ref/ref.h"

static void from_pixels(const uint8_t *pixels, const float *table, const afn_args *a,
                        afn_ref_dims d)
{
    float *y = a->out;
#pragma omp parallel for collapse(2)
    for (int64_t n = 0; n < a->n; n++)
        for (int64_t c = 0; c < d.c; c++)
            for (int64_t i = 0; i < d.plane; i++)
                y[(n * d.c + c) * d.plane + i] =
                    table[c * 256 + pixels[(n * d.plane + i) * d.c + c]];
}

static afn_status forward(void *state, const afn_args *a)
{
    const afn_step *s = state;
    const afn_ref_dims d = afn_ref__dims(&s->out_shape);
    if (a->pixels)
        from_pixels(a->pixels, a->pixel_table, a, d);
    else
        memcpy(a->out, a->values, (size_t)(a->n * d.count) * sizeof(float));
    return AFN_OK;
}

const afn_kernel_ops afn_ref__input = {
    .prepare = afn_ref__prepare,
    .forward = forward,
    .free = afn_free,
};
