/* SPDX-License-Identifier: Apache-2.0 */
/* Opens bytes as a weight file and reads every tensor in every way. */
#ifndef AFN_FUZZ_WEIGHTS_H
#define AFN_FUZZ_WEIGHTS_H

#include <stdlib.h>

#include "fuzz.h"
#include "weights/weights.h"

/* Tensors above this are opened but not read: time, not memory, is what they cost. */
enum { MOST_VALUES = 1 << 16 };

static inline void read_one(const afn_weights *w, const afn_weight *t)
{
    const int64_t n = afn_shape_count(&t->shape);
    if (n < 0) abort(); /* an open set never holds an impossible shape */
    if (n > MOST_VALUES) return;
    const size_t bytes = (size_t)n * afn_dtype_bytes(t->dtype);
    void *out = malloc(bytes + (size_t)n * sizeof(int64_t) + 1);
    if (!out) return;
    if (afn_weights_read_raw(w, t, out, bytes) != AFN_OK) abort();
    (void)afn_weights_read_f32(w, t, out, (size_t)n);
    (void)afn_weights_read_i64(w, t, out, (size_t)n);
    if (afn_weights_find(w, t->name) != t) abort();
    free(out);
}

static inline int open_and_read(const uint8_t *data, size_t size)
{
    afn_weights *w;
    const afn_status st = afn_weights_open_memory(&w, data, size);
    if ((st == AFN_OK) != (w != NULL)) abort();
    if (!w) return 0;
    for (size_t i = 0; i < afn_weights_count(w); i++)
        read_one(w, afn_weights_get(w, i));
    for (size_t i = 0; i < afn_weights_metadata_count(w); i++)
        if (!afn_weights_metadata(w, afn_weights_metadata_key(w, i))) abort();
    afn_weights_free(w);
    return 0;
}

#endif
