/* SPDX-License-Identifier: Apache-2.0 */
/* Blur against the two-dimensional sum in double; against torch in check_augment.py. */
#include <math.h>

#include "pixel_goldens.h"

static double weight(int i, int size, double sigma)
{
    double all = 0;
    for (int k = -(size / 2); k <= size / 2; k++)
        all += exp(-0.5 * k * k / (sigma * sigma));
    return exp(-0.5 * i * i / (sigma * sigma)) / all;
}

static int64_t mirror(int64_t i, int64_t side)
{
    while (side > 1 && (i < 0 || i >= side)) i = i < 0 ? -i : 2 * (side - 1) - i;
    return side == 1 ? 0 : i;
}

static double blurred(const afn_image *in, int64_t x, int64_t y, int c, int size,
                      double sigma)
{
    const int r = size / 2;
    double v = 0;
    for (int dy = -r; dy <= r; dy++)
        for (int dx = -r; dx <= r; dx++) {
            const int64_t px = mirror(x + dx, in->width);
            const int64_t py = mirror(y + dy, in->height);
            v += weight(dx, size, sigma) * weight(dy, size, sigma) *
                 in->pixels[3 * (py * in->width + px) + c];
        }
    return v;
}

static void every_value_is_the_weighted_sum_rounded(void **state)
{
    (void)state;
    static const struct {
        int width, height, size;
        double sigma;
    } row[] = { { 1, 1, 3, 1 },   { 2, 1, 7, 2 },      { 1, 5, 5, 0.5 },
                { 9, 7, 1, 1 },   { 9, 7, 3, 0.01 },   { 9, 7, 5, 2 },
                { 9, 7, 23, 30 }, { 31, 17, 9, 1.234 } };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_image in = test_picture(row[i].width, row[i].height);
        afn_image to = test_picture(row[i].width, row[i].height);
        assert_ok(afn_pixels__blur(to.pixels, &in, row[i].size, row[i].sigma));
        for (int64_t k = 0; k < 3 * in.width * in.height; k++) {
            const int64_t x = k / 3 % in.width, y = k / 3 / in.width;
            const double want =
                blurred(&in, x, y, (int)(k % 3), row[i].size, row[i].sigma);
            assert_true(fabs(to.pixels[k] - want) < 0.5001);
        }
        afn_image_free(&in);
        afn_image_free(&to);
    }
}

static void white_stays_white(void **state)
{
    (void)state;
    afn_image in = test_picture(30, 30), to = test_picture(30, 30);
    memset(in.pixels, 255, 2700);
    assert_ok(afn_pixels__blur(to.pixels, &in, 21, 5));
    assert_same_pixels(&in, &to);
    afn_image_free(&in);
    afn_image_free(&to);
}

static void failing_allocations_are_reported(void **state)
{
    (void)state;
    afn_image in = test_picture(3, 3), to = test_picture(3, 3);
    for (int k = 1; k <= 2; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_pixels__blur(to.pixels, &in, 3, 1);
        afn_alloc_fail_at(0);
        assert_int_equal(st, AFN_ENOMEM);
    }
    afn_image_free(&in);
    afn_image_free(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_the_weighted_sum_rounded),
        cmocka_unit_test(white_stays_white),
        cmocka_unit_test(failing_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
