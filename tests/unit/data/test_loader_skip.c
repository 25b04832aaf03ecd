/* SPDX-License-Identifier: Apache-2.0 */
/* A loader that goes on where another one was. */
#include "afn_test.h"

#include "data/data.h"

enum { SIDE = 6, IMAGE_BYTES = SIDE * SIDE * 3, SAMPLES = 50, BATCH = 8, BATCHES = 7 };

static const afn_preprocess small = { .crop = SIDE,
                                      .filter = AFN_FILTER_BILINEAR,
                                      .std = { 1, 1, 1 } };

static afn_loader *new_loader(const afn_dataset *d)
{
    afn_loader *l;
    const afn_loader_opts o = { .batch = BATCH, .shuffle = true, .threads = 2 };
    assert_ok(afn_loader_new(&l, d, &small, &o));
    return l;
}

/* What an epoch gives from the batch that is next on; returns the samples. */
static int64_t read_on(afn_loader *l, int64_t *index, uint8_t (*pixels)[IMAGE_BYTES])
{
    afn_batch b;
    int64_t n = 0;
    for (;; n += b.n) {
        assert_ok(afn_loader_next(l, &b));
        if (!b.n) return n;
        memcpy(index + n, b.index, (size_t)b.n * sizeof *index);
        memcpy(pixels[n], b.pixels, (size_t)b.n * IMAGE_BYTES);
    }
}

static void an_epoch_goes_on_in_another_loader(void **state)
{
    (void)state;
    static uint8_t pixels[SAMPLES][IMAGE_BYTES], rest[SAMPLES][IMAGE_BYTES];
    int64_t index[SAMPLES], left[SAMPLES];
    afn_dataset *d;
    assert_ok(afn_dataset_open(&d, "fake:size=50,height=8,width=7"));
    afn_loader *l = new_loader(d);
    assert_ok(afn_loader_start(l, 3));
    assert_int_equal(SAMPLES, read_on(l, index, pixels));
    assert_int_equal(BATCHES, afn_loader__given(l));
    afn_loader_free(l);
    for (int64_t done = 0; done <= BATCHES + 1; done++) {
        const int64_t at = done * BATCH < SAMPLES ? done * BATCH : SAMPLES;
        l = new_loader(d);
        assert_ok(afn_loader_start(l, 3));
        afn_loader__skip(l, done);
        assert_int_equal(done < BATCHES ? done : BATCHES, afn_loader__given(l));
        const int64_t n = read_on(l, left, rest);
        assert_int_equal(SAMPLES - at, n);
        assert_memory_equal(index + at, left, (size_t)n * sizeof *left);
        if (n) assert_memory_equal(pixels[at], rest, (size_t)n * IMAGE_BYTES);
        afn_loader_free(l);
    }
    afn_dataset_free(d);
}

static void bad_samples_of_a_run_before_are_left_out(void **state)
{
    (void)state;
    afn_batch b;
    afn_dataset *d;
    assert_ok(afn_dataset_open(&d, "fake:size=8,height=8,width=7"));
    afn_loader *l = new_loader(d);
    afn_loader__set_bad(l, 1);
    afn_loader__set_bad(l, 1);
    assert_int_equal(1, afn_loader_bad(l));
    assert_true(afn_loader__is_bad(l, 1));
    assert_ok(afn_loader_start(l, 0));
    assert_ok(afn_loader_next(l, &b));
    assert_int_equal(7, b.n);
    for (int64_t i = 0; i < b.n; i++) assert_int_not_equal(1, b.index[i]);
    for (int64_t i = 0; i < 8; i++) afn_loader__set_bad(l, i);
    assert_ok(afn_loader_start(l, 0));
    assert_fails(AFN_EFORMAT, "no image can be read: fake sample 1",
                 afn_loader_next(l, &b));
    afn_loader_free(l);
    afn_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_goes_on_in_another_loader),
        cmocka_unit_test(bad_samples_of_a_run_before_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
