/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* RLIMIT_FSIZE, fork */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "afn_test.h"

static const char *path_of(const char *name)
{
    static char path[2][1100];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", test_dir("out"), name);
    return path[turn];
}

static void assert_content(const char *path, const char *text)
{
    uint8_t *data;
    size_t size;
    assert_ok(afn_file_read(&data, &size, path));
    assert_int_equal(size, strlen(text));
    assert_memory_equal(data, text, size);
    afn_free(data);
}

/* No ".NAME.PID.tmp" stays behind. */
static void assert_no_leftovers(void)
{
    afn_dir d;
    assert_ok(afn_dir_read(&d, test_dir("out")));
    for (size_t i = 0; i < d.count; i++)
        assert_false(afn_ends_with_nocase(d.entry[i].name, ".tmp"));
    afn_dir_free(&d);
}

static void a_committed_file_replaces_the_old_one(void **state)
{
    (void)state;
    const char *path = path_of("replaced");
    afn_out *o;
    assert_ok(afn_file_write(path, "old", 3));
    assert_ok(afn_out_open(&o, path));
    assert_ok(afn_out_write(o, "new ", 4));
    assert_content(path, "old");
    assert_ok(afn_out_write(o, "text", 4));
    assert_int_equal(afn_out_tell(o), 8);
    assert_ok(afn_out_commit(o));
    assert_content(path, "new text");
    assert_no_leftovers();
}

static void a_discarded_file_leaves_the_old_one(void **state)
{
    (void)state;
    const char *path = path_of("discarded");
    afn_out *o;
    assert_ok(afn_file_write(path, "old", 3));
    assert_ok(afn_out_open(&o, path));
    assert_ok(afn_out_write(o, "new", 3));
    afn_out_discard(o);
    afn_out_discard(NULL);
    assert_content(path, "old");
    assert_no_leftovers();
}

/* A limit on the size of files stands in for a full disk. */
static void a_failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    const char *path = path_of("full");
    static char block[1 << 18];
    struct rlimit old, tight;
    afn_status st = AFN_OK;
    afn_out *o;
    assert_ok(afn_file_write(path, "old", 3));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = old;
    tight.rlim_cur = 1 << 16;
    assert_ok(afn_out_open(&o, path));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    for (int i = 0; i < 4 && st == AFN_OK; i++)
        st = afn_out_write(o, block, sizeof block);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_fails(AFN_EIO, "full: cannot write", st);
    afn_out_discard(o);
    assert_content(path, "old");
    assert_no_leftovers();
}

static void large_and_small_writes_come_out_in_order(void **state)
{
    (void)state;
    enum { N = 200000 };
    const char *path = path_of("large");
    uint8_t *expected = malloc(2 * N), *data;
    size_t size = 0, n = 0;
    afn_out *o;
    assert_non_null(expected);
    for (int i = 0; i < 2 * N; i++) expected[i] = (uint8_t)(i * 31 >> 3);
    assert_ok(afn_out_open(&o, path));
    while (n < N) {
        const size_t part = n % 977 + 1 > N - n ? N - n : n % 977 + 1;
        assert_ok(afn_out_write(o, expected + n, part));
        n += part;
    }
    assert_ok(afn_out_write(o, expected + N, N)); /* larger than the buffer */
    assert_ok(afn_out_commit(o));
    assert_ok(afn_file_read(&data, &size, path));
    assert_int_equal(size, 2 * N);
    assert_memory_equal(data, expected, size);
    afn_free(data);
    free(expected);
}

static void failing_allocations_leave_the_old_file(void **state)
{
    (void)state;
    const char *path = path_of("allocation");
    afn_status st;
    assert_ok(afn_file_write(path, "old", 3));
    for (int64_t k = 1;; k++) {
        afn_alloc_fail_at(k);
        st = afn_file_write(path, "new", 3);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) break; /* only the folder's sync gave up, which is harmless */
        assert_int_equal(st, AFN_ENOMEM);
        assert_content(path, "old");
        assert_no_leftovers();
    }
    assert_content(path, "new");
}

/* Every call that changes a file fails in turn, and all after it, as on a full disk. */
static void a_fault_at_any_call_leaves_the_old_file(void **state)
{
    (void)state;
    static char block[1 << 17];
    const char *path = path_of("fault");
    assert_ok(afn_file_write(path, "old", 3));
    const int64_t before = afn_out_calls();
    assert_ok(afn_file_write(path_of("other"), block, sizeof block));
    const int64_t calls = afn_out_calls() - before;
    assert_true(calls >= 4); /* open, write, make durable, rename */
    for (int64_t k = 1; k <= calls; k++) {
        afn_out_fail_at(k, ENOSPC);
        const afn_status st = afn_file_write(path, block, sizeof block);
        afn_out_fail_at(0, 0);
        assert_fails(AFN_EIO, "fault: cannot write: no space left on device", st);
        assert_content(path, "old");
        assert_no_leftovers();
    }
}

/* Killed in every call: the old file is whole, and what lies about is removed. */
static void a_kill_at_any_call_leaves_the_old_file(void **state)
{
    (void)state;
    static char block[1 << 17];
    const char *path = path_of("killed");
    int status;
    assert_ok(afn_file_write(path, "old", 3));
    for (int64_t k = 1; k <= 4; k++) {
        const pid_t child = fork();
        if (!child) {
            afn_out_fail_at(k, -1);
            (void)afn_file_write(path, block, sizeof block);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_content(path, "old");
    }
    afn_out *mine;
    assert_ok(afn_out_open(&mine, path_of("mine")));
    afn_out_clean(test_dir("out"));
    assert_ok(afn_out_commit(mine)); /* of a process that is there: left alone */
    assert_no_leftovers();
}

static void only_leftovers_are_removed(void **state)
{
    (void)state;
    static const char *const name[] = { "x.99999999.tmp", ".x.tmp", ".99999999.tmp",
                                        ".x.99999999.tm", ".x99999999.tmp" };
    char path[1200];
    const char *dir = test_dir("clean");
    for (size_t i = 0; i < AFN_COUNT(name); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, name[i]);
        assert_ok(afn_file_write(path, "x", 1));
    }
    snprintf(path, sizeof path, "%s/.last.ckpt.99999999.tmp", dir);
    assert_ok(afn_file_write(path, "x", 1));
    afn_out_clean(dir);
    assert_false(afn_is_file(path));
    for (size_t i = 0; i < AFN_COUNT(name); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, name[i]);
        assert_true(afn_is_file(path));
    }
    afn_out_clean("/no/such/folder");
}

/* ---- files that grow ---- */

static void pieces_are_added_behind_what_is_kept(void **state)
{
    (void)state;
    const char *path = path_of("grown");
    afn_append a;
    assert_ok(afn_file_write(path, "of before", 9));
    assert_ok(afn_append_open(&a, path, 0));
    assert_ok(afn_append_write(&a, "one\ntwo\n", 8));
    assert_content(path, "one\ntwo\n"); /* at once */
    afn_append_close(&a);
    assert_ok(afn_append_open(&a, path, 4));
    assert_ok(afn_append_write(&a, "2\n", 2));
    assert_int_equal(a.size, 6);
    afn_append_close(&a);
    assert_content(path, "one\n2\n");
    assert_ok(afn_append_open(&a, path, 1000)); /* more than there is: all of it */
    assert_int_equal(a.size, 6);
    afn_append_close(&a);
    afn_append_close(&a);
    assert_fails(AFN_ENOTFOUND, "/no/such/folder/x: cannot write",
                 afn_append_open(&a, "/no/such/folder/x", 0));
}

static void what_a_failed_piece_left_is_cut_off(void **state)
{
    (void)state;
    const char *path = path_of("cut");
    afn_append a;
    assert_ok(afn_append_open(&a, path, 0));
    assert_ok(afn_append_write(&a, "one\n", 4));
    afn_out_fail_at(1, ENOSPC);
    assert_fails(AFN_EIO, "no space left", afn_append_write(&a, "two\n", 4));
    afn_out_fail_at(0, 0);
    assert_content(path, "one\n");
    assert_ok(afn_append_write(&a, "three\n", 6));
    assert_content(path, "one\nthree\n");
    afn_append_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_committed_file_replaces_the_old_one),
        cmocka_unit_test(a_discarded_file_leaves_the_old_one),
        cmocka_unit_test(a_failed_write_leaves_the_old_file),
        cmocka_unit_test(large_and_small_writes_come_out_in_order),
        cmocka_unit_test(failing_allocations_leave_the_old_file),
        cmocka_unit_test(a_fault_at_any_call_leaves_the_old_file),
        cmocka_unit_test(a_kill_at_any_call_leaves_the_old_file),
        cmocka_unit_test(only_leftovers_are_removed),
        cmocka_unit_test(pieces_are_added_behind_what_is_kept),
        cmocka_unit_test(what_a_failed_piece_left_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
