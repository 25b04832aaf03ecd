/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>

#include "afn_test.h"

enum { MANY = 1000 };

typedef struct calls {
    atomic_int of[MANY];
    atomic_int all;
} calls;

static void count(void *user, int64_t i)
{
    calls *c = user;
    atomic_fetch_add(&c->of[i], 1);
    atomic_fetch_add(&c->all, 1);
}

static void every_number_is_called_once_on_any_number_of_threads(void **state)
{
    (void)state;
    static const int threads[] = { 1, 2, 7, 64 };
    static const int64_t numbers[] = { 0, 1, 2, 63, MANY };
    for (size_t t = 0; t < AFN_COUNT(threads); t++)
        for (size_t k = 0; k < AFN_COUNT(numbers); k++) {
            calls c = { .all = 0 };
            afn_parallel_each(numbers[k], threads[t], count, &c);
            assert_int_equal(numbers[k], c.all);
            for (int64_t i = 0; i < numbers[k]; i++) assert_int_equal(1, c.of[i]);
        }
}

/* Two threads that take turns. */
typedef struct turns {
    afn_mutex lock;
    afn_cond changed;
    int at;
} turns;

static void take_turns(turns *t, int mine)
{
    for (int k = 0; k < 100; k++) {
        afn_mutex_lock(&t->lock);
        while (t->at % 2 != mine) afn_cond_wait(&t->changed, &t->lock);
        t->at++;
        afn_cond_signal(&t->changed);
        afn_mutex_unlock(&t->lock);
    }
}

static void *second(void *user)
{
    take_turns(user, 1);
    return NULL;
}

static void threads_wait_for_each_other(void **state)
{
    (void)state;
    turns t = { .at = 0 };
    afn_thread id;
    afn_mutex_init(&t.lock);
    afn_cond_init(&t.changed);
    assert_ok(afn_thread_start(&id, second, &t));
    take_turns(&t, 0);
    afn_thread_join(&id);
    assert_int_equal(200, t.at);
    afn_cond_free(&t.changed);
    afn_mutex_free(&t.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_called_once_on_any_number_of_threads),
        cmocka_unit_test(threads_wait_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
