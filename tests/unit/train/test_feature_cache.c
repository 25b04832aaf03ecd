/* SPDX-License-Identifier: Apache-2.0 */
/* The feature cache: memory, file, and giving up without a fuss. */
#include "afn_test.h"
#include "train/feature_cache.h"

enum { COUNT = 10, FLOATS = 1000, BYTES = FLOATS * 4, PART = 4 };
static const double macs = 1e9; /* worth a file */

static afn_cache_size size_of(int64_t samples, int views)
{
    return (afn_cache_size){ samples, views, BYTES, macs };
}

static void make(float *features, int view, const int64_t *index, int64_t n)
{
    for (int64_t i = 0; i < n * FLOATS; i++)
        features[i] = (float)(view * 20000 + index[i / FLOATS] * FLOATS + i % FLOATS);
}

static const int64_t shuffled[COUNT] = { 3, 9, 0, 7, 1, 8, 2, 6, 5, 4 };

/* Fill a view batch by batch. */
static void fill(afn_feature_cache *c, int view)
{
    static float in[COUNT * FLOATS];
    for (int64_t i = 0; i < COUNT; i += PART) {
        const int64_t n = COUNT - i < PART ? COUNT - i : PART;
        assert_false(afn_feature_cache_is_full(c, view, 0));
        assert_false(afn_feature_cache_has(c, view, shuffled + i, n));
        make(in, view, shuffled + i, n);
        afn_feature_cache_put(c, view, shuffled + i, n, in);
        assert_true(afn_feature_cache_has(c, view, shuffled + i, n));
    }
    assert_true(afn_feature_cache_is_full(c, view, 0));
}

/* Read it in another order. */
static void read_back(const afn_feature_cache *c, int view)
{
    static float in[COUNT * FLOATS], out[COUNT * FLOATS];
    static const int64_t order[COUNT] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    make(in, view, order, COUNT);
    afn_feature_cache_get(c, view, order, COUNT, out);
    assert_memory_equal(in, out, sizeof in);
}

static void features_come_back_from_memory_and_from_the_file(void **state)
{
    (void)state;
    for (int k = 0; k <= COUNT; k += COUNT / 2) { /* samples that memory has room for */
        afn_feature_cache c;
        const afn_cache_room room = { k * BYTES + BYTES / 2, test_dir("cache") };
        const afn_cache_size size = size_of(COUNT, 1);
        afn_feature_cache_open(&c, &size, &room);
        assert_string_equal(c.why, "");
        assert_int_equal(afn_feature_cache_memory(&c), k * BYTES);
        assert_int_equal(afn_feature_cache_file(&c), (COUNT - k) * BYTES);
        fill(&c, 0);
        read_back(&c, 0);
        afn_feature_cache_close(&c);
    }
}

/* Filled in any order, each by itself, over the border of memory and file. */
static void views_are_kept_side_by_side(void **state)
{
    (void)state;
    enum { VIEWS = 3 };
    static const int order[VIEWS] = { 1, 0, 2 };
    const afn_cache_room room = { 13 * BYTES, test_dir("cache") };
    const afn_cache_size size = size_of(COUNT, VIEWS);
    afn_feature_cache c;
    afn_feature_cache_open(&c, &size, &room);
    assert_int_equal(c.samples, COUNT);
    assert_int_equal(c.count, VIEWS * COUNT);
    assert_int_equal(afn_feature_cache_memory(&c), 13 * BYTES);
    assert_int_equal(afn_feature_cache_file(&c), 17 * BYTES);
    for (int i = 0; i < VIEWS; i++) {
        fill(&c, order[i]);
        for (int k = i + 1; k < VIEWS; k++) {
            assert_false(afn_feature_cache_is_full(&c, order[k], 0));
            assert_false(afn_feature_cache_has(&c, order[k], shuffled, 1));
        }
        for (int k = 0; k <= i; k++) read_back(&c, order[k]);
    }
    afn_feature_cache_close(&c);
}

static void it_can_be_refused_with_a_reason(void **state)
{
    (void)state;
    afn_feature_cache c;
    afn_feature_cache_refuse(&c, "for this reason");
    assert_int_equal(c.count, 0);
    assert_string_equal(c.why, "for this reason");
    assert_false(afn_feature_cache_is_full(&c, 0, 0));
    assert_false(afn_feature_cache_has(&c, 0, shuffled, COUNT));
    afn_feature_cache_close(&c);
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
        const afn_cache_size size = { cases[i].count, 1, BYTES, cases[i].macs };
        afn_feature_cache_open(&c, &size, &cases[i].room);
        if (!strstr(c.why, cases[i].why)) fail_msg("%s", c.why);
        assert_int_equal(c.count, 0);
        assert_false(afn_feature_cache_is_full(&c, 0, 0));
        assert_false(afn_feature_cache_has(&c, 0, &first, 1));
        afn_feature_cache_put(&c, 0, &first, 1, features); /* does nothing */
        assert_false(afn_feature_cache_has(&c, 0, &first, 1));
        afn_feature_cache_close(&c);
    }
}

static void failing_allocations_turn_it_off(void **state)
{
    (void)state;
    const afn_cache_room room = { 5 * BYTES, test_dir("cache") };
    const afn_cache_size size = size_of(COUNT, 2);
    const int64_t before = afn_alloc_count();
    afn_feature_cache c;
    afn_feature_cache_open(&c, &size, &room);
    afn_feature_cache_close(&c);
    const int64_t n = afn_alloc_count() - before;
    for (int64_t k = 1; k <= n; k++) {
        afn_alloc_fail_at(k);
        afn_feature_cache_open(&c, &size, &room);
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
    const afn_cache_size size = size_of(COUNT, 1);
    afn_feature_cache c;
    afn_feature_cache_open(&c, &size, &room);
    assert_int_equal(c.count, COUNT);
    const int fd = c.file.fd;
    c.file.fd = -1; /* the disk is gone */
    afn_feature_cache_put(&c, 0, shuffled, COUNT, features);
    close(fd);
    assert_int_equal(c.count, 0);
    assert_non_null(strstr(c.why, "cannot write a scratch file"));
    afn_feature_cache_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_come_back_from_memory_and_from_the_file),
        cmocka_unit_test(views_are_kept_side_by_side),
        cmocka_unit_test(it_can_be_refused_with_a_reason),
        cmocka_unit_test(it_is_off_where_there_is_no_room),
        cmocka_unit_test(failing_allocations_turn_it_off),
        cmocka_unit_test(a_file_that_fails_later_turns_it_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
