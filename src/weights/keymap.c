/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing over FNV-1a. */
#include "weights/keymap.h"

#include <string.h>

#include "base/base.h"

static uint64_t hash(const char *key, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u; /* offset and prime of 64-bit FNV-1a */
    for (size_t i = 0; i < size; i++) h = (h ^ (uint8_t)key[i]) * 0x100000001b3u;
    return h ^ h >> 32;
}

/* The key's slot, or the free one where it belongs. */
static keymap_slot *find(const keymap *m, const char *key, size_t size)
{
    size_t i = (size_t)hash(key, size) & (m->cap - 1);
    for (;; i = (i + 1) & (m->cap - 1)) {
        keymap_slot *s = &m->slot[i];
        if (!s->key || (s->size == size && memcmp(s->key, key, size) == 0)) return s;
    }
}

static afn_status grow(keymap *m)
{
    keymap bigger = { .cap = m->cap ? m->cap * 2 : 64, .count = m->count };
    bigger.slot = afn_alloc_array(bigger.cap, sizeof *bigger.slot);
    if (!bigger.slot) return afn_fail(AFN_ENOMEM, "out of memory");
    for (size_t i = 0; i < m->cap; i++)
        if (m->slot[i].key)
            *find(&bigger, m->slot[i].key, m->slot[i].size) = m->slot[i];
    afn_free(m->slot);
    *m = bigger;
    return AFN_OK;
}

size_t afn_weights__keymap_get(const keymap *m, const char *key, size_t size)
{
    if (!m->cap) return SIZE_MAX;
    const keymap_slot *s = find(m, key, size);
    return s->key ? s->value : SIZE_MAX;
}

afn_status afn_weights__keymap_set(keymap *m, const char *key, size_t size,
                                   size_t value)
{
    if (2 * (m->count + 1) > m->cap) {
        const afn_status st = grow(m);
        if (st != AFN_OK) return st;
    }
    keymap_slot *s = find(m, key, size);
    if (!s->key) m->count++;
    *s = (keymap_slot){ .key = key, .size = size, .value = value };
    return AFN_OK;
}

void afn_weights__keymap_free(keymap *m)
{
    afn_free(m->slot);
    *m = (keymap){ 0 };
}
