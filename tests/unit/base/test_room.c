/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* RLIMIT_FSIZE */
#include <sys/resource.h>

#include "afn_test.h"

static void there_is_some_room(void **state)
{
    (void)state;
    assert_true(afn_memory_available() > 0);
    assert_true(afn_disk_available(test_dir("room")) > 0);
    assert_int_equal(afn_disk_available("/nowhere/at/all"), 0);
}

static void the_limit_of_a_process_is_seen(void **state)
{
    (void)state;
    struct rlimit before;
    const rlim_t tera = (rlim_t)1 << 40;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    const struct rlimit some = { 200 * tera, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_AS, &some), 0);
    const int64_t left = afn_address_space_left();
    const struct rlimit more = { 201 * tera, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_AS, &more), 0);
    const int64_t now = afn_address_space_left();
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_true(left > 0 && left < (int64_t)(200 * tera));
    assert_true(now > left);
    if (before.rlim_cur == RLIM_INFINITY)
        assert_true(afn_address_space_left() == INT64_MAX);
}

static void assert_empty(const char *dir)
{
    afn_dir d;
    assert_ok(afn_dir_read(&d, dir));
    assert_int_equal(d.count, 0);
    afn_dir_free(&d);
}

static void a_scratch_file_shows_what_was_written_and_has_no_name(void **state)
{
    (void)state;
    afn_scratch s;
    assert_ok(afn_scratch_open(&s, test_dir("room"), 100000));
    assert_empty(test_dir("room"));
    assert_int_equal(s.size, 100000);
    assert_int_equal(s.data[99999], 0);
    assert_ok(afn_scratch_write(&s, 70000, "petal", 5));
    assert_ok(afn_scratch_write(&s, 99999, "x", 1));
    assert_memory_equal(s.data + 70000, "petal", 5);
    assert_int_equal(s.data[99999], 'x');
    afn_scratch_close(&s);
    afn_scratch_close(&s); /* again does nothing */
    assert_null(s.data);
}

static void no_room_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    afn_scratch s;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = { 1 << 20, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const afn_status st = afn_scratch_open(&s, test_dir("room"), (1 << 20) + 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(st, AFN_EIO);
    assert_non_null(
        strstr(afn_error_message(), "cannot make a file of 1 MB: file too large"));
    assert_null(s.data);
    assert_empty(test_dir("room"));
    assert_fails(AFN_EIO, "cannot make a file",
                 afn_scratch_open(&s, test_dir("room"), (size_t)1 << 60));
    assert_fails(AFN_ENOTFOUND, "/nowhere", afn_scratch_open(&s, "/nowhere", 10));
    assert_fails(AFN_EINVAL, "0 bytes", afn_scratch_open(&s, test_dir("room"), 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_some_room),
        cmocka_unit_test(the_limit_of_a_process_is_seen),
        cmocka_unit_test(a_scratch_file_shows_what_was_written_and_has_no_name),
        cmocka_unit_test(no_room_is_an_error_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
