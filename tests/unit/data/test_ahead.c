/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that reads ahead: in order, forgetful where there is no room, and gone
 * when it is told to. */
#define _GNU_SOURCE /* usleep */
#include "afn_test.h"

#include "data/ahead.h"

/* A set that notes what is asked for, once it may go on. */
typedef struct noted {
    afn_dataset base;
    afn_mutex gate;
    atomic_int n;
    int64_t asked[100];
} noted;

static void note(const afn_dataset *d, int64_t i)
{
    noted *s = (noted *)(uintptr_t)d;
    afn_mutex_lock(&s->gate);
    s->asked[s->n] = i;
    atomic_fetch_add(&s->n, 1);
    afn_mutex_unlock(&s->gate);
}

static const afn_dataset_ops noted_ops = { .kind = "noted", .read_ahead = note };
static const afn_dataset_ops silent_ops = { .kind = "silent" };

static noted *new_noted(void)
{
    noted *s = (noted *)afn_data__new(&noted_ops, sizeof *s);
    assert_non_null(s);
    afn_mutex_init(&s->gate);
    return s;
}

static void free_noted(noted *s)
{
    afn_mutex_free(&s->gate);
    afn_dataset_free(&s->base);
}

static void wait_for(noted *s, int n)
{
    for (int ms = 0; ms < 5000 && atomic_load(&s->n) < n; ms++) usleep(1000);
    assert_int_equal(n, atomic_load(&s->n));
}

static void samples_are_read_in_the_order_given(void **state)
{
    (void)state;
    noted *s = new_noted();
    afn_ahead *a;
    assert_ok(afn_ahead_new(&a, &s->base, 50));
    for (int i = 0; i < 40; i++) afn_ahead_add(a, 40 - i);
    wait_for(s, 40);
    for (int i = 0; i < 40; i++) assert_int_equal(40 - i, s->asked[i]);
    afn_ahead_free(a);
    free_noted(s);
}

static void what_has_no_room_or_is_cleared_is_forgotten(void **state)
{
    (void)state;
    noted *s = new_noted();
    afn_ahead *a;
    assert_ok(afn_ahead_new(&a, &s->base, 3));
    afn_mutex_lock(&s->gate); /* the thread gets no further than one */
    for (int i = 0; i < 20; i++) afn_ahead_add(a, i);
    afn_ahead_clear(a);
    afn_ahead_add(a, 77);
    afn_mutex_unlock(&s->gate);
    for (int ms = 0; ms < 5000; ms++, usleep(1000))
        if (atomic_load(&s->n) && s->asked[atomic_load(&s->n) - 1] == 77) break;
    assert_in_range(atomic_load(&s->n), 1, 2);
    assert_int_equal(77, s->asked[atomic_load(&s->n) - 1]);
    afn_ahead_free(a);
    free_noted(s);
}

static void it_may_be_freed_while_samples_wait(void **state)
{
    (void)state;
    noted *s = new_noted();
    for (int round = 0; round < 20; round++) {
        afn_ahead *a;
        assert_ok(afn_ahead_new(&a, &s->base, 4));
        for (int i = 0; i < round % 5; i++) afn_ahead_add(a, i);
        afn_ahead_free(a);
    }
    free_noted(s);
}

static void a_set_that_reads_nothing_ahead_needs_none(void **state)
{
    (void)state;
    afn_dataset *d = afn_data__new(&silent_ops, sizeof *d);
    afn_ahead *a = (afn_ahead *)&a;
    assert_ok(afn_ahead_new(&a, d, 4));
    assert_null(a);
    afn_ahead_add(a, 1);
    afn_ahead_clear(a);
    afn_ahead_free(a);
    afn_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_read_in_the_order_given),
        cmocka_unit_test(what_has_no_room_or_is_cleared_is_forgotten),
        cmocka_unit_test(it_may_be_freed_while_samples_wait),
        cmocka_unit_test(a_set_that_reads_nothing_ahead_needs_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
