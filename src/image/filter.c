/* SPDX-License-Identifier: Apache-2.0 */
/* The resize filters: their names and weight functions.  The order of operations and
 * the two single-precision constants of Hamming are part of the contract: coefficients
 * are rounded to fixed point from these doubles, and must be Pillow's to the last bit.
 * Source: Pillow, src/libImaging/Resample.c; Keys 1981 for the cubic (a = -1/2). */
#include "image/filter.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static double box(double x)
{
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

static double bilinear(double x)
{
    const double d = fabs(x);
    return d < 1.0 ? 1.0 - d : 0.0;
}

static double sinc(double x)
{
    if (x == 0.0) return 1.0;
    const double t = x * pi;
    return sin(t) / t;
}

static double hamming(double x)
{
    const double d = fabs(x);
    if (d == 0.0) return 1.0;
    if (d >= 1.0) return 0.0;
    const double t = d * pi;
    return sin(t) / t * (0.54f + 0.46f * cos(t));
}

static double bicubic(double x)
{
    const double a = -0.5;
    const double d = fabs(x);
    if (d < 1.0) return ((a + 2.0) * d - (a + 3.0)) * d * d + 1;
    if (d < 2.0) return (((d - 5) * d + 8) * d - 4) * a;
    return 0.0;
}

static double lanczos(double x)
{
    return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

static const afn_filter_kernel kernels[] = {
    [AFN_FILTER_BILINEAR] = { "bilinear", bilinear, 1.0 },
    [AFN_FILTER_BICUBIC] = { "bicubic", bicubic, 2.0 },
    [AFN_FILTER_NEAREST] = { "nearest", NULL, 0.0 },
    [AFN_FILTER_BOX] = { "box", box, 0.5 },
    [AFN_FILTER_HAMMING] = { "hamming", hamming, 1.0 },
    [AFN_FILTER_LANCZOS] = { "lanczos", lanczos, 3.0 },
};
static_assert(AFN_COUNT(kernels) == AFN_N_FILTERS, "a row for every filter");

const afn_filter_kernel *afn_image__filter(afn_filter f)
{
    return &kernels[f];
}

const char *afn_filter_name(afn_filter f)
{
    return (unsigned)f < AFN_N_FILTERS ? kernels[f].name : "unknown";
}

afn_status afn_filter_parse(afn_filter *out, const char *name)
{
    for (int i = 0; i < AFN_N_FILTERS; i++) {
        if (strcmp(kernels[i].name, name) != 0) continue;
        *out = (afn_filter)i;
        return AFN_OK;
    }
    return afn_fail(AFN_EINVAL,
                    "filter \"%s\", need bilinear, bicubic, nearest, box, hamming or "
                    "lanczos",
                    name);
}
