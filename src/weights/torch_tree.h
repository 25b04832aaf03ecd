/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/weights only: from the value tree of a PyTorch pickle to named tensors;
 * the same for all three containers. */
#ifndef AFN_WEIGHTS_TORCH_TREE_H
#define AFN_WEIGHTS_TORCH_TREE_H

#include "io/io.h"
#include "weights/set.h"

/* A run of elements that tensors point into. */
typedef struct torch_storage {
    const uint8_t *data;
    size_t bytes;
    afn_dtype dtype;
    bool untyped; /* its tensors say their own type */
} torch_storage;

/* Storages by key.  Start with { 0 }; keys must outlive it. */
typedef struct torch_storages {
    keymap keys; /* key to index in item */
    torch_storage *item;
    size_t count, cap;
} torch_storages;

/* NULL where there is none. */
torch_storage *afn_weights__storages_get(const torch_storages *t,
                                         const afn_pickle_value *key);
/* Errors: AFN_ENOMEM */
afn_status afn_weights__storages_add(torch_storages *t, const afn_pickle_value *key,
                                     const torch_storage *s);
void afn_weights__storages_free(torch_storages *t);

/* The parts of a persistent id, ('storage', class, key, location, count[, view]). */
typedef struct torch_persid {
    afn_dtype dtype;
    bool untyped;
    const afn_pickle_value *key;  /* TEXT or BYTES, at most 255 bytes */
    int64_t count;                /* elements */
    const afn_pickle_value *view; /* (key, offset, count) or NULL */
} torch_persid;

/* Errors     AFN_EFORMAT where id is not of that form */
afn_status afn_weights__torch_persid(torch_persid *out, const afn_pickle_value *id);

/* "%.*s" arguments for a key. */
#define TORCH_KEY(key) (int)(key)->u.text.size, (key)->u.text.data

/* A tensor, or the storage it needs, from a container. */
typedef struct torch_source {
    void *user;
    /* Storage that a persistent id names. */
    afn_status (*storage)(void *user, torch_storage *out, const afn_pickle_value *id);
    /* Tensor that a persistent id names; NULL: ids name storages. */
    afn_status (*tensor)(void *user, afn_view *out, const afn_pickle_value *id);
} torch_source;

/* Read a pickle with the globals that PyTorch's tensors and plain data need.
 * base is where it begins in the file, for messages. */
afn_status afn_weights__torch_pickle(afn_pickle **out, const uint8_t *bytes,
                                     size_t size, size_t base);

/* Element type of a storage class: GLOBAL `torch FloatStorage` and so on.
 * untyped is set for UntypedStorage, whose elements are bytes. */
afn_status afn_weights__torch_dtype(afn_dtype *out, bool *untyped,
                                    const afn_pickle_value *type);

/* Add every tensor below root to w: wrappers opened, names joined by dots, a common
 * `module.` dropped. */
afn_status afn_weights__torch_flatten(afn_weights *w, const afn_pickle_value *root,
                                      const torch_source *source);

/* A view of count elements of a storage, with every bound checked.
 * v comes with shape and strides; offset is in elements. */
afn_status afn_weights__torch_view(afn_view *v, const torch_storage *s, int64_t offset);

#endif
