/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, locks and the clock, over pthreads.  Kernels do not use these: they run on
 * OpenMP, inside src/engine only. */
#ifndef AFN_BASE_THREAD_H
#define AFN_BASE_THREAD_H

#include <pthread.h>

#include "base/error.h"

typedef struct afn_thread {
    pthread_t id;
} afn_thread;

/* Run fn(user) on a new thread.
 * Errors     AFN_EIO where the system has no thread to give */
afn_status afn_thread_start(afn_thread *t, void (*fn)(void *user), void *user);
void afn_thread_join(afn_thread *t);

typedef pthread_mutex_t afn_mutex;
typedef pthread_cond_t afn_cond;

void afn_mutex_init(afn_mutex *m);
void afn_mutex_free(afn_mutex *m);
void afn_mutex_lock(afn_mutex *m);
void afn_mutex_unlock(afn_mutex *m);
void afn_cond_init(afn_cond *c);
void afn_cond_free(afn_cond *c);
void afn_cond_wait(afn_cond *c, afn_mutex *m);
void afn_cond_broadcast(afn_cond *c);

/* Processors this process may run on, at least 1. */
int afn_cpu_count(void);

/* Seconds of a clock that never jumps; only differences mean anything. */
double afn_now_s(void);

#endif
