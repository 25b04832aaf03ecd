/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/weights only: text to index, by hashing. */
#ifndef AFN_WEIGHTS_KEYMAP_H
#define AFN_WEIGHTS_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

typedef struct keymap_slot {
    const char *key; /* borrowed, NULL = free */
    size_t size;
    size_t value;
} keymap_slot;

/* Start with { 0 }; keys must outlive it. */
typedef struct keymap {
    keymap_slot *slot; /* [cap], cap a power of two, at most half full */
    size_t count, cap;
} keymap;

/* Value of a key, SIZE_MAX where it is not there. */
size_t afn_weights__keymap_get(const keymap *m, const char *key, size_t size);

/* Set or replace.  Errors: AFN_ENOMEM */
afn_status afn_weights__keymap_set(keymap *m, const char *key, size_t size,
                                   size_t value);
void afn_weights__keymap_free(keymap *m);

#endif
