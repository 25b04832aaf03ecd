/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* symlink, fork */
#include <signal.h>
#include <sys/wait.h>

#include "afn_test.h"

static const char *path_of(const char *name)
{
    static char path[2][1100];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", test_dir("file"), name);
    return path[turn];
}

/* No ".NAME.PID.tmp" stays behind. */
static void assert_no_leftovers(void)
{
    afn_dir d;
    assert_ok(afn_dir_read(&d, test_dir("file")));
    for (size_t i = 0; i < d.count; i++)
        assert_false(afn_ends_with_nocase(d.entry[i].name, ".tmp"));
    afn_dir_free(&d);
}

static void a_map_shows_the_file(void **state)
{
    (void)state;
    afn_map m;
    assert_ok(afn_file_write(path_of("map"), "content", 7));
    assert_ok(afn_map_open(&m, path_of("map")));
    assert_int_equal(m.size, 7);
    assert_memory_equal(m.data, "content", 7);
    afn_map_close(&m);
    assert_ok(afn_file_write(path_of("empty"), "", 0));
    assert_ok(afn_map_open(&m, path_of("empty")));
    assert_int_equal(m.size, 0);
    assert_non_null(m.data);
    afn_map_close(&m);
    afn_map_close(&m);
}

static void what_cannot_be_opened_is_reported(void **state)
{
    (void)state;
    afn_map m;
    afn_out *o;
    uint8_t *data;
    size_t size;
    assert_fails(AFN_ENOTFOUND, "cannot open: no such file",
                 afn_map_open(&m, path_of("nothing")));
    assert_fails(AFN_EIO, "is a folder, not a file",
                 afn_map_open(&m, test_dir("file")));
    assert_fails(AFN_ENOTFOUND, "no such file",
                 afn_file_read(&data, &size, path_of("no")));
    assert_null(data);
    assert_fails(AFN_EIO, "is a folder, not a file",
                 afn_out_open(&o, test_dir("file")));
    assert_null(o);
    assert_fails(AFN_ENOTFOUND, "cannot write", afn_out_open(&o, path_of("no/x")));
    assert_null(o);
}

static void folders_list_sorted_by_bytes_with_kinds(void **state)
{
    (void)state;
    static const char *const wanted[] = { "B", "a", "dir", "link" };
    afn_dir d;
    char path[1100];
    snprintf(path, sizeof path, "%s", path_of("listing/dir"));
    assert_ok(afn_make_dirs(path));
    assert_ok(afn_make_dirs(path)); /* again is no error */
    assert_ok(afn_file_write(path_of("listing/a"), "", 0));
    assert_ok(afn_file_write(path_of("listing/B"), "", 0));
    (void)unlink(path_of("listing/link"));
    assert_int_equal(symlink("dir", path_of("listing/link")), 0);
    assert_ok(afn_dir_read(&d, path_of("listing")));
    assert_int_equal(d.count, AFN_COUNT(wanted));
    for (size_t i = 0; i < d.count; i++) {
        assert_string_equal(d.entry[i].name, wanted[i]);
        assert_int_equal(d.entry[i].is_dir, i >= 2);
        assert_int_equal(d.entry[i].is_file, i < 2);
    }
    afn_dir_free(&d);
    assert_fails(AFN_ENOTFOUND, "cannot open", afn_dir_read(&d, path_of("no")));
    assert_int_equal(d.count, 0);
}

static void sizes_and_kinds_of_paths(void **state)
{
    (void)state;
    assert_ok(afn_file_write(path_of("five"), "12345", 5));
    assert_int_equal(afn_file_size(path_of("five")), 5);
    assert_int_equal(afn_file_size(path_of("nothing")), -1);
    assert_true(afn_is_file(path_of("five")));
    assert_false(afn_is_dir(path_of("five")));
    assert_true(afn_is_dir(test_dir("file")));
    assert_fails(AFN_EIO, "cannot make folder", afn_make_dirs(path_of("five")));
    assert_ok(afn_dir_check_writable(test_dir("file")));
    assert_fails(AFN_ENOTFOUND, "cannot write", afn_dir_check_writable(path_of("no")));
    assert_no_leftovers();
}

static void advice_leaves_a_map_as_it_is(void **state)
{
    (void)state;
    enum { BYTES = 300000 };
    static uint8_t bytes[BYTES];
    char path[1200];
    afn_map m, none = { 0 };
    for (int i = 0; i < BYTES; i++) bytes[i] = (uint8_t)(i % 251);
    snprintf(path, sizeof path, "%s/map", test_dir("advice"));
    assert_ok(afn_file_write(path, bytes, BYTES));
    afn_file_read_ahead(path);
    afn_file_read_ahead("/no/such/file");
    assert_ok(afn_map_open(&m, path));
    afn_map_sparse(&m, true);
    assert_memory_equal(bytes, m.data, BYTES);
    afn_map_forget(&m);
    afn_map_sparse(&m, false);
    afn_map_read_ahead(&m, 5000, 100000);
    afn_map_read_ahead(&m, BYTES - 1, 1);
    afn_map_read_ahead(&m, BYTES, 1); /* beyond: nothing */
    afn_map_read_ahead(&m, 10, SIZE_MAX - 5);
    assert_memory_equal(bytes, m.data, BYTES);
    afn_map_close(&m);
    afn_map_sparse(&none, true);
    afn_map_forget(&none);
    afn_map_read_ahead(&none, 0, 1);
}

/* Another process holds the folder until it ends. */
static void a_locked_folder_is_kept_from_others(void **state)
{
    (void)state;
    const char *dir = test_dir("lock");
    int lock, ends[2], status;
    char byte;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (!child) {
        const bool good = afn_dir_lock(&lock, dir) == AFN_OK;
        (void)!write(ends[1], good ? "y" : "n", 1);
        for (;;) pause();
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_fails(AFN_EIO, "another process is at work", afn_dir_lock(&lock, dir));
    assert_int_equal(lock, -1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_ok(afn_dir_lock(&lock, dir));
    afn_dir_unlock(lock);
    assert_ok(afn_dir_lock(&lock, dir));
    afn_dir_unlock(lock);
    assert_ok(afn_dir_lock(&lock, "/no/such/folder"));
    afn_dir_unlock(lock);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advice_leaves_a_map_as_it_is),
        cmocka_unit_test(a_locked_folder_is_kept_from_others),
        cmocka_unit_test(a_map_shows_the_file),
        cmocka_unit_test(what_cannot_be_opened_is_reported),
        cmocka_unit_test(folders_list_sorted_by_bytes_with_kinds),
        cmocka_unit_test(sizes_and_kinds_of_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
