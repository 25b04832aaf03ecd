/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/io only: the memory of one pickle, shared by pickle.c and its machine. */
#ifndef AFN_IO_PICKLE_DOC_H
#define AFN_IO_PICKLE_DOC_H

#include "io/pickle.h"

typedef struct pickle_chunk pickle_chunk;

struct afn_pickle {
    pickle_chunk *chunks; /* newest first; values and their arrays live here */
    size_t used, limit;   /* bytes handed out, and the most there may be */
    const afn_pickle_value *root;
    const afn_pickle_value *last_persid;
    size_t size;
};

/* Zeroed memory that lives as long as p.
 * Errors     AFN_ENOMEM, AFN_EFORMAT where the pickle's size does not justify it */
afn_status afn_io__pickle_take(void **out, afn_pickle *p, size_t bytes);

/* Run the pickle in bytes, filling p->root and p->size. */
afn_status afn_io__pickle_run(afn_pickle *p, const uint8_t *bytes, size_t size,
                              const afn_pickle_rules *rules);

#endif
