/* SPDX-License-Identifier: Apache-2.0 */
#include "data/scan.h"

#include <string.h>

#include <zlib.h>

#include "data/data.h"

enum { ROUND = 32 }; /* samples for each thread between two reports */

typedef struct scan {
    const afn_dataset *data;
    afn_seen *seen;
    int64_t from; /* first sample of the round */

    afn_mutex lock; /* guards what follows */
    int64_t failed; /* first bad sample of the round, -1 = none */
    afn_status code;
    bool no_memory;
} scan;

static uint64_t content_of(const afn_stored *s)
{
    const uint32_t sum = (uint32_t)crc32_z(0, s->data, s->size);
    return (uint64_t)s->size << 32 | sum;
}

static afn_status look_at(afn_seen *seen, const afn_dataset *d, int64_t i)
{
    afn_status st = AFN_OK;
    afn_stored stored = { 0 };
    afn_image image = { 0 };
    AFN_TRY(d->ops->load(d, i, &stored));
    seen->content = content_of(&stored);
    if (!stored.width) afn_image_describe(&seen->info, stored.data, stored.size);
    AFN_TRY(afn_data__decode(&image, &stored, NULL));
    seen->width = image.width;
    seen->height = image.height;
    AFN_TRY(afn_data__look(&seen->look, &image));
done:
    afn_image_free(&image);
    afn_data__unload(&stored);
    return st;
}

static void note_failure(scan *s, int64_t i, afn_status st)
{
    afn_mutex_lock(&s->lock);
    if (st == AFN_ENOMEM) s->no_memory = true;
    if (s->failed < 0 || i < s->failed) {
        s->failed = i;
        s->code = st;
    }
    afn_mutex_unlock(&s->lock);
}

static void scan_one(void *user, int64_t k)
{
    scan *s = user;
    afn_seen *seen = &s->seen[s->from + k];
    const afn_status st = look_at(seen, s->data, s->from + k);
    if (st == AFN_OK) return;
    if (st != AFN_ENOMEM) seen->bad = afn_strdup(afn_error_message());
    seen->look.usable = false;
    note_failure(s, s->from + k, seen->bad ? st : AFN_ENOMEM);
}

/* What is to be said of a round: nothing, of bad pictures that are only to be noted. */
static afn_status judge(const scan *s, bool strict)
{
    char name[1024];
    if (s->no_memory) return afn_fail(AFN_ENOMEM, "out of memory");
    if (s->failed < 0 || !strict) return AFN_OK;
    return afn_fail(s->code, "%s: %s",
                    afn_dataset_sample_name(s->data, s->failed, name, sizeof name),
                    s->seen[s->failed].bad);
}

afn_status afn_data__scan(afn_seen *seen, const afn_dataset *d, const afn_scan_opts *o)
{
    afn_status st = AFN_OK;
    const int threads = o->threads ? o->threads : afn_cpu_count();
    const int64_t most = (int64_t)ROUND * threads;
    scan s = { .data = d, .seen = seen, .failed = -1 };
    afn_mutex_init(&s.lock);
    while (s.from < d->count) {
        const int64_t left = d->count - s.from, n = left < most ? left : most;
        s.failed = -1;
        afn_parallel_each(n, threads, scan_one, &s);
        AFN_TRY(judge(&s, o->strict));
        s.from += n;
        AFN_REQUIRE(!o->on_look || !o->on_look(o->done + s.from, o->of, o->user),
                    AFN_ECANCELLED, "stopped");
    }
done:
    afn_mutex_free(&s.lock);
    return st;
}

void afn_data__seen_free(afn_seen *seen, int64_t n)
{
    for (int64_t i = 0; seen && i < n; i++) afn_free(seen[i].bad);
    afn_free(seen);
}

afn_status afn_data__seen_alike(int64_t *group, const afn_seen *seen, int64_t n)
{
    afn_look *look = afn_alloc_array((size_t)n, sizeof *look);
    if (!look) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < n; i++) look[i] = seen[i].look;
    const afn_status st = afn_data__group_alike(group, look, n);
    afn_free(look);
    return st;
}
