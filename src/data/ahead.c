/* SPDX-License-Identifier: Apache-2.0 */
/* The thread opens files and tells the system to read them; it does not wait for their
 * bytes, and never decodes.  On a disk it sleeps in the system nearly all the time, so
 * that it takes nothing from the kernels; where a file is in the system's memory
 * already, an open and a close are all that it costs.  The bytes go into the system's
 * cache, which the loader's own reading then finds.
 *
 * It starts with the first sample that it is given. */
#include "data/ahead.h"

struct afn_ahead {
    const afn_dataset *data;
    afn_thread thread;
    bool running; /* only the owner looks at it */

    afn_mutex lock; /* guards what follows */
    afn_cond changed;
    bool stop;
    int64_t *ring; /* [room] samples that wait */
    int64_t room, first, n;
};

afn_status afn_ahead_new(afn_ahead **out, const afn_dataset *d, int64_t room)
{
    *out = NULL;
    if (!d->ops->read_ahead || room < 1) return AFN_OK;
    afn_ahead *a = afn_alloc(sizeof *a);
    if (!a) return afn_fail(AFN_ENOMEM, "out of memory");
    a->data = d;
    a->room = room;
    afn_mutex_init(&a->lock);
    afn_cond_init(&a->changed);
    a->ring = afn_alloc_array((size_t)room, sizeof *a->ring);
    if (!a->ring) {
        afn_ahead_free(a);
        return afn_fail(AFN_ENOMEM, "out of memory");
    }
    *out = a;
    return AFN_OK;
}

void afn_ahead_free(afn_ahead *a)
{
    if (!a) return;
    if (a->running) {
        afn_mutex_lock(&a->lock);
        a->stop = true;
        afn_cond_signal(&a->changed);
        afn_mutex_unlock(&a->lock);
        afn_thread_join(&a->thread);
    }
    afn_cond_free(&a->changed);
    afn_mutex_free(&a->lock);
    afn_free(a->ring);
    afn_free(a);
}

/* Wait for a sample; false when it is time to stop. */
static bool take(afn_ahead *a, int64_t *i)
{
    afn_mutex_lock(&a->lock);
    while (!a->stop && !a->n) afn_cond_wait(&a->changed, &a->lock);
    const bool go_on = !a->stop;
    if (go_on) {
        *i = a->ring[a->first];
        a->first = (a->first + 1) % a->room;
        a->n--;
    }
    afn_mutex_unlock(&a->lock);
    return go_on;
}

static void *work(void *user)
{
    afn_ahead *a = user;
    int64_t i;
    while (take(a, &i)) a->data->ops->read_ahead(a->data, i);
    return NULL;
}

void afn_ahead_add(afn_ahead *a, int64_t i)
{
    if (!a) return;
    if (!a->running) a->running = afn_thread_start(&a->thread, work, a) == AFN_OK;
    if (!a->running) return; /* no thread to be had: it is only a help */
    afn_mutex_lock(&a->lock);
    if (a->n < a->room) a->ring[(a->first + a->n++) % a->room] = i;
    afn_cond_signal(&a->changed);
    afn_mutex_unlock(&a->lock);
}

void afn_ahead_clear(afn_ahead *a)
{
    if (!a) return;
    afn_mutex_lock(&a->lock);
    a->n = 0;
    afn_mutex_unlock(&a->lock);
}
