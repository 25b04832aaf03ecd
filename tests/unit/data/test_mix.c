/* SPDX-License-Identifier: Apache-2.0 */
/* Mixup and cutmix: what is drawn, and each picture from itself and the one before. */
#include "afn_test.h"

#include "data/mix.h"

enum { MANY = 4000, SIDE = 37 };

static afn_mix drawn(const afn_augment_opts *o, int64_t batch)
{
    return afn_mix_draw(o, &(afn_augment_draw){ .seed = 5, .epoch = 2 }, batch, SIDE);
}

static void nothing_is_mixed_unless_asked_for(void **state)
{
    (void)state;
    uint8_t pixels[2 * 3 * 4] = { 1, 2, 3 };
    const afn_mix_pixels p = { pixels, NULL, 2, 2, 3 };
    const afn_mix m = drawn(&(afn_augment_opts){ .spec = "hflip" }, 0);
    assert_false(m.on);
    afn_mix_run(&m, &p, 1);
    assert_int_equal(pixels[2], 3);
}

/* Mean 1/2, variance 1 / (4 (2 a + 1)) of Beta(a, a): five deviations. */
static void shares_have_the_mean_and_spread_of_beta(void **state)
{
    (void)state;
    static const double alphas[] = { 0.2, 1, 8 };
    for (size_t k = 0; k < AFN_COUNT(alphas); k++) {
        const afn_augment_opts o = { .mixup = alphas[k] };
        const double variance = 1 / (4 * (2 * alphas[k] + 1));
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < MANY; i++) {
            const afn_mix m = drawn(&o, i);
            assert_true(m.on && !m.pastes && m.share >= 0 && m.share <= 1);
            sum += m.share;
            squares += (m.share - 0.5) * (m.share - 0.5);
        }
        const double off = sum / MANY - 0.5, spread = squares / MANY;
        assert_true(off * off < 25 * variance / MANY);
        assert_true(spread > 0.9 * variance && spread < 1.1 * variance);
    }
}

static void the_share_of_cutmix_is_the_area_that_is_left(void **state)
{
    (void)state;
    const afn_augment_opts o = { .cutmix = 1 };
    int empty = 0, left[SIDE + 1] = { 0 };
    for (int64_t i = 0; i < MANY; i++) {
        const afn_mix m = drawn(&o, i);
        const int64_t w = m.right - m.left, h = m.bottom - m.top;
        assert_true(m.on && m.pastes);
        assert_true(m.left >= 0 && m.right <= SIDE && w >= 0 && w <= SIDE);
        assert_true(m.top >= 0 && m.bottom <= SIDE && h >= 0 && h <= SIDE);
        assert_float_equal(m.share, 1 - (double)(w * h) / (SIDE * SIDE), 1e-12);
        empty += w * h == 0;
        left[m.left]++;
    }
    assert_true(empty < MANY / 20);
    assert_true(left[0] > MANY / 4 && left[SIDE / 2] > 0); /* cut off at the border */
}

static void with_both_on_each_gets_half_of_the_batches(void **state)
{
    (void)state;
    const afn_augment_opts o = { .mixup = 0.2, .cutmix = 1 };
    int pastes = 0;
    for (int64_t i = 0; i < MANY; i++) pastes += drawn(&o, i).pastes;
    assert_true(pastes > MANY / 2 - 160 && pastes < MANY / 2 + 160); /* 5 deviations */
}

static void numbers_depend_on_seed_epoch_and_batch(void **state)
{
    (void)state;
    const afn_augment_opts o = { .mixup = 1 };
    const afn_augment_draw at[] = { { .seed = 1, .epoch = 1 },
                                    { .seed = 2, .epoch = 1 },
                                    { .seed = 1, .epoch = 2 } };
    const double first = afn_mix_draw(&o, &at[0], 7, SIDE).share;
    assert_true(first == afn_mix_draw(&o, &at[0], 7, SIDE).share);
    assert_true(first != afn_mix_draw(&o, &at[1], 7, SIDE).share);
    assert_true(first != afn_mix_draw(&o, &at[2], 7, SIDE).share);
    assert_true(first != afn_mix_draw(&o, &at[0], 8, SIDE).share);
}

static void fill(uint8_t *pixels, size_t n)
{
    afn_rng rng = afn_rng_new(1, afn_rng_stream(AFN_RNG_TEST, 3, 0));
    for (size_t i = 0; i < n; i++) pixels[i] = (uint8_t)afn_rng_below(&rng, 256);
}

static void check_pixels(const afn_mix *m, int64_t n, int threads)
{
    enum { IMAGE = SIDE * SIDE * 3 };
    static uint8_t was[5][IMAGE], is[5][IMAGE], saved[IMAGE];
    const afn_mix_pixels p = { is[0], saved, n, SIDE, 3 };
    fill(was[0], sizeof was);
    memcpy(is, was, sizeof is);
    afn_mix_run(m, &p, threads);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < IMAGE; k++) {
            const int64_t x = k / 3 % SIDE, y = k / 3 / SIDE;
            const uint8_t own = was[i][k], before = was[i ? i - 1 : n - 1][k];
            const bool inside =
                x >= m->left && x < m->right && y >= m->top && y < m->bottom;
            const double off = is[i][k] - (m->share * own + (1 - m->share) * before);
            if (m->pastes)
                assert_int_equal(is[i][k], inside ? before : own);
            else
                assert_true(off < 0.5001 && off > -0.5001);
        }
}

static void pictures_are_mixed_with_the_one_before(void **state)
{
    (void)state;
    static const int threads[] = { 1, 2, 7 };
    static const double shares[] = { 0, 0.3, 0.5, 1 };
    for (int64_t n = 1; n <= 5; n += 2)
        for (size_t t = 0; t < AFN_COUNT(threads); t++) {
            for (size_t i = 0; i < AFN_COUNT(shares); i++)
                check_pixels(&(afn_mix){ .on = true, .share = shares[i] }, n,
                             threads[t]);
            const afn_mix box = { .on = true,
                                  .pastes = true,
                                  .left = 3,
                                  .top = 0,
                                  .right = SIDE,
                                  .bottom = 11 };
            const afn_mix none = { .on = true, .pastes = true, .share = 1 };
            check_pixels(&box, n, threads[t]);
            check_pixels(&none, n, threads[t]);
        }
}

static void labels_roll_by_one(void **state)
{
    (void)state;
    const int labels[] = { 4, 5, 6 };
    int other[3];
    afn_mix_labels(other, labels, 3);
    assert_int_equal(other[0], 6);
    assert_int_equal(other[1], 4);
    assert_int_equal(other[2], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_mixed_unless_asked_for),
        cmocka_unit_test(shares_have_the_mean_and_spread_of_beta),
        cmocka_unit_test(the_share_of_cutmix_is_the_area_that_is_left),
        cmocka_unit_test(with_both_on_each_gets_half_of_the_batches),
        cmocka_unit_test(numbers_depend_on_seed_epoch_and_batch),
        cmocka_unit_test(pictures_are_mixed_with_the_one_before),
        cmocka_unit_test(labels_roll_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
