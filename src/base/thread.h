/* SPDX-License-Identifier: Apache-2.0 */
/* Locks and the clock; and the pool of threads that kernels and the loader share, which
 * is OpenMP's. */
#ifndef AFN_BASE_THREAD_H
#define AFN_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"

typedef pthread_mutex_t afn_mutex;

void afn_mutex_init(afn_mutex *m);
void afn_mutex_free(afn_mutex *m);
void afn_mutex_lock(afn_mutex *m);
void afn_mutex_unlock(afn_mutex *m);

typedef pthread_cond_t afn_cond;

void afn_cond_init(afn_cond *c);
void afn_cond_free(afn_cond *c);
void afn_cond_signal(afn_cond *c);             /* wakes one that waits */
void afn_cond_wait(afn_cond *c, afn_mutex *m); /* m is locked, before and after */

/* A thread of its own, for what sleeps most of the time: what computes belongs into the
 * pool.
 * Errors     AFN_ENOMEM */
typedef pthread_t afn_thread;
afn_status afn_thread_start(afn_thread *t, void *(*fn)(void *user), void *user);
void afn_thread_join(afn_thread *t);

/* Call fn(user, i) once for every 0 <= i < n, on up to `threads` threads of the pool,
 * and return when all have; whichever thread is free takes the next i.  Of use where
 * calls last long and differently: kernels divide their work themselves. */
void afn_parallel_each(int64_t n, int threads, void (*fn)(void *user, int64_t i),
                       void *user);

/* Processors this process may run on, at least 1. */
int afn_cpu_count(void);

/* Seconds of a clock that never jumps; only differences mean anything. */
double afn_now_s(void);

/* Seconds since 1970 in UTC, as people's clocks have it. */
double afn_clock_s(void);

#endif
