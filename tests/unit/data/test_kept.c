/* SPDX-License-Identifier: Apache-2.0 */
/* Images kept in memory, by many threads at once. */
#include "afn_test.h"

#include "data/kept.h"

enum { N = 200, BYTES = 300 };

static void fill(uint8_t *pixels, int64_t i)
{
    for (int k = 0; k < BYTES; k++) pixels[k] = (uint8_t)(i * 7 + k);
}

/* Every sample comes five times. */
static void put_and_get(void *user, int64_t call)
{
    afn_kept *k = user;
    uint8_t mine[BYTES], got[BYTES];
    const int64_t i = call % N;
    fill(mine, i);
    if (afn_kept_get(k, i, got)) assert_memory_equal(mine, got, BYTES);
    afn_kept_put(k, i, mine);
}

static void what_is_put_is_found_again(void **state)
{
    (void)state;
    afn_kept k;
    afn_kept_open(&k, N, BYTES, 150 * BYTES + 1);
    assert_int_equal(150, k.count);
    assert_false(afn_kept_has(&k, 0));
    afn_parallel_each(5 * N, 7, put_and_get, &k);
    for (int64_t i = 0; i < N; i++) {
        uint8_t want[BYTES], got[BYTES];
        fill(want, i);
        assert_int_equal(i < 150, afn_kept_get(&k, i, got));
        if (i < 150) assert_memory_equal(want, got, BYTES);
    }
    afn_kept_close(&k);
}

static void without_memory_nothing_is_kept(void **state)
{
    (void)state;
    static const uint8_t pixels[BYTES];
    for (int64_t fail = 0; fail < 3; fail++) {
        afn_kept k;
        afn_alloc_fail_at(fail);
        afn_kept_open(&k, N, BYTES, fail ? -1 : BYTES - 1);
        afn_alloc_fail_at(0);
        assert_int_equal(0, k.count);
        afn_kept_put(&k, 0, pixels);
        assert_false(afn_kept_has(&k, 0));
        afn_kept_close(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_found_again),
        cmocka_unit_test(without_memory_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
