/* SPDX-License-Identifier: Apache-2.0 */
/* The feature cache: memory, file, and giving up without a fuss. */
#include "afn_test.h"
#include "train/feature_cache.h"

enum { COUNT = 10, FLOATS = 1000, BYTES = FLOATS * 4, PART = 4 };
static const double macs = 1e9; /* worth a file */

static void make(float *features, const int64_t *index, int64_t n)
{
    for (int64_t i = 0; i < n * FLOATS; i++)
        features[i] = (float)(index[i / FLOATS] * FLOATS + i % FLOATS);
}

static const int64_t shuffled[COUNT] = { 3, 9, 0, 7, 1, 8, 2, 6, 5, 4 };

/* Fill batch by batch, then read in another order. */
static void fill_and_read(afn_feature_cache *c)
{
    static float in[COUNT * FLOATS], out[COUNT * FLOATS];
    static const int64_t order[COUNT] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    for (int64_t i = 0; i < COUNT; i += PART) {
        const int64_t n = COUNT - i < PART ? COUNT - i : PART;
        assert_false(afn_feature_cache_is_full(c));
        assert_false(afn_feature_cache_has(c, shuffled + i, n));
        make(in, shuffled + i, n);
        afn_feature_cache_put(c, shuffled + i, n, in);
        assert_true(afn_feature_cache_has(c, shuffled + i, n));
    }
    assert_true(afn_feature_cache_is_full(c));
    make(in, order, COUNT);
    afn_feature_cache_get(c, order, COUNT, out);
    assert_memory_equal(in, out, sizeof in);
}

static void features_come_back_from_memory_and_from_the_file(void **state)
{
    (void)state;
    for (int k = 0; k <= COUNT; k += COUNT / 2) { /* samples that memory has room for */
        afn_feature_cache c;
        const afn_cache_room room = { k * BYTES + BYTES / 2, test_dir("cache") };
        afn_feature_cache_open(&c, COUNT, BYTES, macs, &room);
        assert_string_equal(c.why, "");
        assert_int_equal(afn_feature_cache_memory(&c), k * BYTES);
        assert_int_equal(afn_feature_cache_file(&c), (COUNT - k) * BYTES);
        fill_and_read(&c);
        afn_feature_cache_close(&c);
    }
}

static void it_is_off_where_there_is_no_room(void **state)
{
    (void)state;
    static float features[FLOATS];
    afn_feature_cache c;
    const int64_t first = 0;
    const struct {
        afn_cache_room room;
        int64_t count;
        double macs;
        const char *why;
    } cases[] = {
        { { 9 * BYTES, NULL }, COUNT, macs, "there is no run folder" },
        { { 9 * BYTES, test_dir("cache") }, COUNT, 1000, "no faster" },
        { { 0, "/proc/self" }, COUNT, macs, "half of the free disk" },
        { { 0, test_dir("cache") }, (int64_t)1 << 45, macs, "half of the free disk" },
        { { 0, test_dir("cache") }, (int64_t)1 << 60, macs, "out of memory" },
    };
    for (size_t i = 0; i < AFN_COUNT(cases); i++) {
        afn_feature_cache_open(&c, cases[i].count, BYTES, cases[i].macs,
                               &cases[i].room);
        if (!strstr(c.why, cases[i].why)) fail_msg("%s", c.why);
        assert_int_equal(c.count, 0);
        assert_false(afn_feature_cache_is_full(&c));
        assert_false(afn_feature_cache_has(&c, &first, 1));
        afn_feature_cache_put(&c, &first, 1, features); /* does nothing */
        assert_false(afn_feature_cache_has(&c, &first, 1));
        afn_feature_cache_close(&c);
    }
}

static void failing_allocations_turn_it_off(void **state)
{
    (void)state;
    const afn_cache_room room = { 5 * BYTES, test_dir("cache") };
    const int64_t before = afn_alloc_count();
    afn_feature_cache c;
    afn_feature_cache_open(&c, COUNT, BYTES, macs, &room);
    afn_feature_cache_close(&c);
    const int64_t n = afn_alloc_count() - before;
    for (int64_t k = 1; k <= n; k++) {
        afn_alloc_fail_at(k);
        afn_feature_cache_open(&c, COUNT, BYTES, macs, &room);
        afn_alloc_fail_at(0);
        assert_int_equal(c.count, 0);
        assert_string_equal(c.why, "out of memory");
        afn_feature_cache_close(&c);
    }
}

static void a_file_that_fails_later_turns_it_off(void **state)
{
    (void)state;
    static float features[COUNT * FLOATS];
    const afn_cache_room room = { 2 * BYTES, test_dir("cache") };
    afn_feature_cache c;
    afn_feature_cache_open(&c, COUNT, BYTES, macs, &room);
    assert_int_equal(c.count, COUNT);
    const int fd = c.file.fd;
    c.file.fd = -1; /* the disk is gone */
    afn_feature_cache_put(&c, shuffled, COUNT, features);
    close(fd);
    assert_int_equal(c.count, 0);
    assert_non_null(strstr(c.why, "cannot write a scratch file"));
    afn_feature_cache_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_come_back_from_memory_and_from_the_file),
        cmocka_unit_test(it_is_off_where_there_is_no_room),
        cmocka_unit_test(failing_allocations_turn_it_off),
        cmocka_unit_test(a_file_that_fails_later_turns_it_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
