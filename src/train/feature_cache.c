/* SPDX-License-Identifier: Apache-2.0 */
/* Features lie view after view, and in a view sample after sample in the order of the
 * data set: the first ones in memory, those beyond its limit in a scratch file of the
 * run folder, read through a map.  A cache is only ever a help: whatever goes wrong
 * here turns it off. */
#include "train/feature_cache.h"

#include <stdio.h>
#include <string.h>

/* A file is worth reading where making the same bytes takes longer.  A disk gives some
 * 1 GB/s, two cores some 1e11 multiply-accumulates/s. */
static const double worth_macs_per_byte = 100;

static double mb(int64_t bytes)
{
    return (double)bytes / 1e6;
}

void afn_feature_cache_refuse(afn_feature_cache *c, const char *why)
{
    *c = (afn_feature_cache){ 0 };
    snprintf(c->why, sizeof c->why, "%s", why);
}

static void turn_off(afn_feature_cache *c, const char *why)
{
    char text[AFN_CACHE_WHY_BYTES];
    snprintf(text, sizeof text, "%s", why); /* why may be c's own */
    afn_feature_cache_close(c);
    memcpy(c->why, text, sizeof text);
}

bool afn_feature_cache_is_worth_a_file(const afn_cache_size *size)
{
    return size->macs >= worth_macs_per_byte * (double)size->bytes;
}

/* A file for what memory has no room for.  It takes half of what the disk
 * has left at most: the run's results need room as well. */
static bool open_file(afn_feature_cache *c, const afn_cache_size *size,
                      const afn_cache_room *room)
{
    const int64_t bytes = (c->count - c->in_memory) * (int64_t)c->bytes;
    if (!afn_feature_cache_is_worth_a_file(size)) {
        snprintf(c->why, sizeof c->why,
                 "%.1f MB are more than the limit, and a file would be no faster",
                 mb(c->count * (int64_t)c->bytes));
        return false;
    }
    if (!room->folder || bytes > afn_disk_available(room->folder) / 2) {
        snprintf(c->why, sizeof c->why, "%.1f MB are more than %s",
                 mb(c->count * (int64_t)c->bytes),
                 room->folder ? "memory's limit and half of the free disk"
                              : "the limit, and there is no run folder");
        return false;
    }
    if (afn_scratch_open(&c->file, room->folder, (size_t)bytes) == AFN_OK) return true;
    snprintf(c->why, sizeof c->why, "%s", afn_error_message());
    return false;
}

void afn_feature_cache_open(afn_feature_cache *c, const afn_cache_size *size,
                            const afn_cache_room *room)
{
    size_t count, all;
    *c = (afn_feature_cache){ .samples = size->samples, .bytes = size->bytes };
    if (!afn_mul_size(&count, (size_t)size->samples, (size_t)size->views) ||
        !afn_mul_size(&all, count, size->bytes) || all > INT64_MAX) {
        turn_off(c, "out of memory");
        return;
    }
    c->count = (int64_t)count;
    const int64_t fit = room->memory / (int64_t)size->bytes;
    c->in_memory = fit < c->count ? fit : c->count;
    if (c->in_memory < c->count && !open_file(c, size, room)) {
        turn_off(c, c->why);
        return;
    }
    c->kept = afn_alloc_array(count, sizeof *c->kept);
    c->n_kept = afn_alloc_array((size_t)size->views, sizeof *c->n_kept);
    c->memory = afn_alloc_aligned((size_t)c->in_memory * size->bytes);
    if (!c->kept || !c->n_kept || !c->memory) turn_off(c, "out of memory");
}

void afn_feature_cache_close(afn_feature_cache *c)
{
    afn_free(c->memory);
    afn_free(c->kept);
    afn_free(c->n_kept);
    afn_scratch_close(&c->file);
    *c = (afn_feature_cache){ 0 };
}

int64_t afn_feature_cache_memory(const afn_feature_cache *c)
{
    return c->in_memory * (int64_t)c->bytes;
}

int64_t afn_feature_cache_file(const afn_feature_cache *c)
{
    return (int64_t)c->file.size;
}

bool afn_feature_cache_is_full(const afn_feature_cache *c, int view, int64_t bad)
{
    return c->count > 0 && c->n_kept[view] + bad == c->samples;
}

/* Place of a sample's view among all. */
static int64_t place(const afn_feature_cache *c, int view, int64_t sample)
{
    return view * c->samples + sample;
}

bool afn_feature_cache_has(const afn_feature_cache *c, int view, const int64_t *index,
                           int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!c->count || !c->kept[place(c, view, index[i])]) return false;
    return true;
}

void afn_feature_cache_get(const afn_feature_cache *c, int view, const int64_t *index,
                           int64_t n, void *features)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t k = place(c, view, index[i]);
        const void *from =
            k < c->in_memory
                ? (const void *)(c->memory + (size_t)k * c->bytes)
                : (const void *)(c->file.data + (size_t)(k - c->in_memory) * c->bytes);
        memcpy((char *)features + (size_t)i * c->bytes, from, c->bytes);
    }
}

static afn_status put_one(afn_feature_cache *c, int64_t k, const void *features)
{
    const size_t bytes = c->bytes;
    if (k >= c->in_memory)
        return afn_scratch_write(&c->file, (size_t)(k - c->in_memory) * bytes, features,
                                 bytes);
    memcpy(c->memory + (size_t)k * bytes, features, bytes);
    return AFN_OK;
}

void afn_feature_cache_put(afn_feature_cache *c, int view, const int64_t *index,
                           int64_t n, const void *features)
{
    for (int64_t i = 0; c->count && i < n; i++) {
        const int64_t k = place(c, view, index[i]);
        if (c->kept[k]) continue;
        if (put_one(c, k, (const char *)features + (size_t)i * c->bytes)) {
            turn_off(c, afn_error_message());
            return;
        }
        c->kept[k] = true;
        c->n_kept[view]++;
    }
}
