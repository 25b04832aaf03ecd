/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: features of a data set's samples, kept from the epoch that made
 * them.  Hides where they lie. */
#ifndef AFN_TRAIN_FEATURE_CACHE_H
#define AFN_TRAIN_FEATURE_CACHE_H

#include "train/train.h"

enum { AFN_CACHE_WHY_BYTES = 160 };

/* What a cache may take. */
typedef struct afn_cache_room {
    int64_t memory;     /* bytes */
    const char *folder; /* for a file with the rest, NULL = none */
} afn_cache_room;

typedef struct afn_feature_cache {
    int64_t samples;   /* of the data set */
    int64_t count;     /* samples times views; 0 = off */
    size_t bytes;      /* of one view of a sample */
    int64_t in_memory; /* those below this lie in memory, the others in the file */
    char *memory;
    afn_scratch file;
    bool *kept;                    /* [views][samples] */
    int64_t *n_kept;               /* [views] */
    char why[AFN_CACHE_WHY_BYTES]; /* it is off; empty where nobody wanted it */
} afn_feature_cache;

/* What is to be kept. */
typedef struct afn_cache_size {
    int64_t samples;
    int views;    /* of each sample, at least 1; the calls below count them from 0 */
    size_t bytes; /* features of one view */
    double macs;  /* multiply-accumulates that make them */
} afn_cache_size;

/* Make room for features of every view of every sample, or for none: of a shuffled
 * epoch's batches hardly any would be whole otherwise.  Off where there is too little
 * room, or where reading a file would be no faster than making them anew. */
void afn_feature_cache_open(afn_feature_cache *c, const afn_cache_size *size,
                            const afn_cache_room *room);

/* Is reading a sample's features from a file faster than making them? */
bool afn_feature_cache_is_worth_a_file(const afn_cache_size *size);

/* An empty cache that is off for this reason. */
void afn_feature_cache_refuse(afn_feature_cache *c, const char *why);
void afn_feature_cache_close(afn_feature_cache *c); /* a zeroed one is a no-op */

int64_t afn_feature_cache_memory(const afn_feature_cache *c); /* bytes */
int64_t afn_feature_cache_file(const afn_feature_cache *c);   /* bytes */

/* Are all samples there but `bad` ones, which never will be? */
bool afn_feature_cache_is_full(const afn_feature_cache *c, int view, int64_t bad);

/* Are these n samples? */
bool afn_feature_cache_has(const afn_feature_cache *c, int view, const int64_t *index,
                           int64_t n);

/*   features (n, bytes), written */
void afn_feature_cache_get(const afn_feature_cache *c, int view, const int64_t *index,
                           int64_t n, void *features);

/* Keep features; a disk that fails turns the cache off. */
void afn_feature_cache_put(afn_feature_cache *c, int view, const int64_t *index,
                           int64_t n, const void *features);

#endif
