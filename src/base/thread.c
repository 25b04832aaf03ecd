/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/thread.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

typedef struct start_args {
    void (*fn)(void *user);
    void *user;
} start_args;

static void *run(void *p)
{
    const start_args args = *(start_args *)p;
    afn_free(p);
    args.fn(args.user);
    return NULL;
}

afn_status afn_thread_start(afn_thread *t, void (*fn)(void *user), void *user)
{
    start_args *args = afn_alloc(sizeof *args);
    if (!args) return afn_fail(AFN_ENOMEM, "out of memory");
    *args = (start_args){ fn, user };
    const int err = pthread_create(&t->id, NULL, run, args);
    if (err) {
        afn_free(args);
        return afn_fail_errno(err, "thread");
    }
    return AFN_OK;
}

void afn_thread_join(afn_thread *t)
{
    pthread_join(t->id, NULL);
}

void afn_mutex_init(afn_mutex *m)
{
    pthread_mutex_init(m, NULL);
}
void afn_mutex_free(afn_mutex *m)
{
    pthread_mutex_destroy(m);
}
void afn_mutex_lock(afn_mutex *m)
{
    pthread_mutex_lock(m);
}
void afn_mutex_unlock(afn_mutex *m)
{
    pthread_mutex_unlock(m);
}
void afn_cond_init(afn_cond *c)
{
    pthread_cond_init(c, NULL);
}
void afn_cond_free(afn_cond *c)
{
    pthread_cond_destroy(c);
}
void afn_cond_wait(afn_cond *c, afn_mutex *m)
{
    pthread_cond_wait(c, m);
}
void afn_cond_broadcast(afn_cond *c)
{
    pthread_cond_broadcast(c);
}

int afn_cpu_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        const int n = CPU_COUNT(&set);
        if (n > 0) return n;
    }
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

double afn_now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}
