/* SPDX-License-Identifier: Apache-2.0 */
/* Features lie sample after sample in the order of the data set: the first ones in
 * memory, those beyond its limit in a scratch file of the run folder, read through a
 * map.  A cache is only ever a help: whatever goes wrong here turns it off. */
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

static void turn_off(afn_feature_cache *c, const char *why)
{
    char text[AFN_CACHE_WHY_BYTES];
    snprintf(text, sizeof text, "%s", why); /* why may be c's own */
    afn_feature_cache_close(c);
    memcpy(c->why, text, sizeof text);
}

/* A file for the samples that memory has no room for.  It takes half of what the disk
 * has left at most: the run's results need room as well. */
static bool open_file(afn_feature_cache *c, double macs, const afn_cache_room *room)
{
    const int64_t bytes = (c->count - c->in_memory) * (int64_t)c->bytes;
    if (macs < worth_macs_per_byte * (double)c->bytes) {
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

void afn_feature_cache_open(afn_feature_cache *c, int64_t count, size_t bytes,
                            double macs, const afn_cache_room *room)
{
    size_t all;
    *c = (afn_feature_cache){ .count = count, .bytes = bytes };
    if (!afn_mul_size(&all, (size_t)count, bytes) || all > INT64_MAX) {
        turn_off(c, "out of memory");
        return;
    }
    const int64_t fit = room->memory / (int64_t)bytes;
    c->in_memory = fit < count ? fit : count;
    if (c->in_memory < count && !open_file(c, macs, room)) {
        turn_off(c, c->why);
        return;
    }
    c->kept = afn_alloc_array((size_t)count, sizeof *c->kept);
    c->memory = afn_alloc_aligned((size_t)c->in_memory * bytes);
    if (!c->kept || !c->memory) turn_off(c, "out of memory");
}

void afn_feature_cache_close(afn_feature_cache *c)
{
    afn_free(c->memory);
    afn_free(c->kept);
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

bool afn_feature_cache_is_full(const afn_feature_cache *c)
{
    return c->count > 0 && c->n_kept == c->count;
}

bool afn_feature_cache_has(const afn_feature_cache *c, const int64_t *index, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!c->count || !c->kept[index[i]]) return false;
    return true;
}

void afn_feature_cache_get(const afn_feature_cache *c, const int64_t *index, int64_t n,
                           void *features)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t k = index[i];
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

void afn_feature_cache_put(afn_feature_cache *c, const int64_t *index, int64_t n,
                           const void *features)
{
    for (int64_t i = 0; c->count && i < n; i++) {
        if (c->kept[index[i]]) continue;
        if (put_one(c, index[i], (const char *)features + (size_t)i * c->bytes)) {
            turn_off(c, afn_error_message());
            return;
        }
        c->kept[index[i]] = true;
        c->n_kept++;
    }
}
