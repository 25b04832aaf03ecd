/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at every picture: the same for any number of threads, bad ones named. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "data/scan.h"
#include "make_scene.h"

enum { N = 150 };

static afn_dataset *make_set(const char *name)
{
    char file[32];
    afn_dataset *d;
    const char *root = new_tree(name);
    for (int i = 0; i < N; i++) {
        snprintf(file, sizeof file, "a/%03d.png", i);
        if (i == 40 || i == 41 || i == 149)
            put_text(root, file);
        else
            put_scene(root, file, (uint64_t)i / 2, 20 + i % 2 * 10, i % 2 * 20);
    }
    assert_ok(afn_dataset_open(&d, root));
    return d;
}

static void all_is_seen_alike_by_one_thread_and_many(void **state)
{
    (void)state;
    static const int threads[] = { 1, 2, 7 };
    afn_dataset *d = make_set("scan");
    afn_seen *first = NULL;
    for (size_t t = 0; t < AFN_COUNT(threads); t++) {
        int64_t group[N];
        afn_seen *s = afn_alloc_array(N, sizeof *s);
        const afn_scan_opts o = { .threads = threads[t] };
        assert_ok(afn_data__scan(s, d, &o));
        assert_ok(afn_data__seen_alike(group, s, N));
        for (int i = 0; i < N; i++) {
            const bool bad = i == 40 || i == 41 || i == 149;
            assert_int_equal(bad, s[i].bad != NULL);
            assert_int_equal(bad ? 0 : 20 + i % 2 * 10, s[i].width);
            if (bad) assert_non_null(strstr(s[i].bad, "not a picture"));
            if (!bad) assert_true(s[i].info.gray);
            assert_int_equal(bad || i == 148 ? i : i / 2 * 2, group[i]);
            if (first) assert_true(first[i].content == s[i].content);
            if (first) assert_true(first[i].look.hash == s[i].look.hash);
        }
        if (first)
            afn_data__seen_free(s, N);
        else
            first = s;
    }
    afn_data__seen_free(first, N);
    afn_dataset_free(d);
}

static void strictly_the_first_bad_one_in_order_is_an_error(void **state)
{
    (void)state;
    afn_dataset *d = make_set("scan-strict");
    for (int threads = 1; threads < 5; threads++) {
        afn_seen *s = afn_alloc_array(N, sizeof *s);
        const afn_scan_opts o = { .threads = threads, .strict = true };
        assert_fails(AFN_EFORMAT, "/a/040.png: not a picture",
                     afn_data__scan(s, d, &o));
        afn_data__seen_free(s, N);
    }
    afn_dataset_free(d);
}

typedef struct told {
    int64_t calls, last, of, stop_at;
} told;

static int on_look(int64_t done, int64_t of, void *user)
{
    told *t = user;
    assert_true(done > t->last);
    t->calls++;
    t->last = done;
    t->of = of;
    return done >= t->stop_at;
}

static void progress_is_told_and_may_stop_it(void **state)
{
    (void)state;
    afn_dataset *d = make_set("scan-progress");
    for (int stop = 0; stop < 2; stop++) {
        told t = { .stop_at = stop ? 60 : 1000, .last = 5 };
        afn_seen *s = afn_alloc_array(N, sizeof *s);
        const afn_scan_opts o = {
            .threads = 1, .on_look = on_look, .user = &t, .done = 5, .of = 999
        };
        const afn_status st = afn_data__scan(s, d, &o);
        assert_int_equal(stop ? AFN_ECANCELLED : AFN_OK, st);
        assert_int_equal(stop ? 69 : N + 5, t.last);
        assert_int_equal(999, t.of);
        afn_data__seen_free(s, N);
    }
    afn_dataset_free(d);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    afn_dataset *d;
    const char *root = new_tree("scan-alloc");
    put_scene(root, "a/1.png", 1, 20, 0);
    put_text(root, "a/2.png");
    assert_ok(afn_dataset_open(&d, root));
    for (int64_t k = 1;; k++) {
        afn_seen *s = afn_alloc_array(2, sizeof *s);
        const afn_scan_opts o = { .threads = 1 };
        afn_alloc_fail_at(k);
        const afn_status st = afn_data__scan(s, d, &o);
        afn_alloc_fail_at(0);
        afn_data__seen_free(s, 2);
        if (st == AFN_OK) {
            assert_true(k > 4);
            break;
        }
        assert_int_equal(AFN_ENOMEM, st);
    }
    afn_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_seen_alike_by_one_thread_and_many),
        cmocka_unit_test(strictly_the_first_bad_one_in_order_is_an_error),
        cmocka_unit_test(progress_is_told_and_may_stop_it),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
