/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/thread.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

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
void afn_cond_signal(afn_cond *c)
{
    pthread_cond_signal(c);
}
void afn_cond_wait(afn_cond *c, afn_mutex *m)
{
    pthread_cond_wait(c, m);
}

afn_status afn_thread_start(afn_thread *t, void *(*fn)(void *user), void *user)
{
    return pthread_create(t, NULL, fn, user) == 0
               ? AFN_OK
               : afn_fail(AFN_ENOMEM, "no thread to be had");
}

void afn_thread_join(afn_thread *t)
{
    pthread_join(*t, NULL);
}

#ifndef __SANITIZE_THREAD__
void afn_parallel_each(int64_t n, int threads, void (*fn)(void *user, int64_t i),
                       void *user)
{
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t i = 0; i < n; i++) fn(user, i);
}
#else
/* The thread sanitizer does not see how OpenMP's threads wait for each other and would
 * report what they share; so its builds divide the same work among plain threads. */
enum { MAX_TEAM = 64 };

typedef struct team {
    int64_t n;
    _Atomic int64_t next;
    void (*fn)(void *user, int64_t i);
    void *user;
} team;

static void *work(void *arg)
{
    team *t = arg;
    for (int64_t i = t->next++; i < t->n; i = t->next++) t->fn(t->user, i);
    return NULL;
}

void afn_parallel_each(int64_t n, int threads, void (*fn)(void *user, int64_t i),
                       void *user)
{
    team t = { .n = n, .fn = fn, .user = user };
    pthread_t id[MAX_TEAM];
    int started = 0;
    while (started < threads - 1 && started < MAX_TEAM &&
           pthread_create(&id[started], NULL, work, &t) == 0)
        started++;
    work(&t);
    while (started > 0) pthread_join(id[--started], NULL);
}
#endif

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

double afn_clock_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}
