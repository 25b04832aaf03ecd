/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/weights only: what a set of tensors is made of, and what a format is. */
#ifndef AFN_WEIGHTS_SET_H
#define AFN_WEIGHTS_SET_H

#include "io/io.h"
#include "tensor/tensor.h"
#include "weights/keymap.h"
#include "weights/weights.h"

typedef struct weights_entry {
    afn_weight pub; /* first: the public pointer is a pointer to this */
    afn_view view;  /* values: in the file, or in a block of the set */
} weights_entry;

typedef struct weights_pair {
    char *key, *value;
} weights_pair;

typedef struct weights_block weights_block;

struct afn_weights {
    const char *format;
    afn_map map;          /* zeroed where the bytes are the caller's */
    const uint8_t *bytes; /* the file */
    size_t size;
    weights_entry **entry; /* [count], each its own allocation: pointers stay valid */
    size_t count, cap;
    keymap names;          /* name to index in entry */
    weights_block *blocks; /* memory that entries point into */
    weights_pair *pair;    /* metadata */
    size_t n_pairs, pairs_cap;
};

/* One file format.  A new one is its file and a word in weights.c. */
typedef struct weights_format {
    const char *name;
    /* Do these bytes begin like this format? */
    bool (*probe)(const uint8_t *bytes, size_t size);
    /* Fill w from w->bytes. */
    afn_status (*read)(afn_weights *w);
    const char *const *extensions; /* it is written under, NULL-terminated; or NULL */
    afn_status (*write)(const afn_weights *w, afn_out *out); /* NULL: never written */
} weights_format;

extern const weights_format afn_weights__torch_zip;
extern const weights_format afn_weights__torch_legacy;
extern const weights_format afn_weights__torch_tar;
extern const weights_format afn_weights__safetensors;

/* Zeroed memory owned by the set; NULL where memory ran out. */
void *afn_weights__take(afn_weights *w, size_t bytes);

/* Hand over memory from afn_alloc(): freed with the set, or at once on failure. */
afn_status afn_weights__adopt(afn_weights *w, void *memory);

/* Add a tensor whose values stay where they are; the name is copied.
 * Errors     AFN_EINVAL where the name is taken */
afn_status afn_weights__add_view(afn_weights *w, const char *name, const afn_view *v);

/* Give tensors of older files the names that they have now.
 * Errors     AFN_EFORMAT where a tensor is there under both */
afn_status afn_weights__renew_names(afn_weights *w);

/* Values of entry i as contiguous bytes: in place, or gathered into *owned. */
afn_status afn_weights__contiguous(const afn_weights *w, size_t i, const void **values,
                                   size_t *bytes, void **owned);

/* The metadata as a JSON object of strings, appended to b. */
void afn_weights__add_metadata_json(afn_buf *b, const afn_weights *w);

/* Take metadata from a JSON object of strings. */
afn_status afn_weights__take_metadata(afn_weights *w, json_t *object);

#endif
