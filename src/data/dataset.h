/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of data set has to provide.  One kind per file, ds_<kind>.c, and one word
 * in dataset.c; the loader, the splitter and the command know a kind by this table
 * alone.  Index and labels are in memory, pictures are read when asked for. */
#ifndef AFN_DATA_DATASET_H
#define AFN_DATA_DATASET_H

#include <stdatomic.h>

#include "afina/data.h"
#include "base/base.h"

typedef struct afn_dataset_ops {
    const char *kind; /* "folder" in "folder:DIR" */

    /* Read the index, not the pictures.  rest is the text after "kind:". */
    afn_status (*open)(afn_dataset **out, const char *rest);

    /* Optional: the training and validation part that this set comes with; both NULL
     * with AFN_OK where it has none.  Labels may differ, split.c maps them by name. */
    afn_status (*open_parts)(afn_dataset **train, afn_dataset **val, const char *rest);

    /* Decode sample i, 0 <= i < count; opts is never NULL.  Many threads call it at
     * once, so nothing in d may change.  The caller puts the sample's name in front of
     * the message. */
    afn_status (*read)(const afn_dataset *d, int64_t i, const afn_decode_opts *opts,
                       afn_image *out);

    /* Name of sample i for messages, cut to fit `bytes`, which is at least 1. */
    void (*sample_name)(const afn_dataset *d, int64_t i, char *buf, size_t bytes);

    /* Optional: free what the kind added to struct afn_dataset. */
    void (*close)(afn_dataset *d);
} afn_dataset_ops;

/* First member of every kind's own struct.  Filled by open(), constant after it, and
 * freed by afn_dataset_free() with the kind's struct itself. */
struct afn_dataset {
    const afn_dataset_ops *ops;
    int64_t count;     /* samples */
    int n_classes;     /* labels are 0 .. n_classes-1 */
    char **class_name; /* [n_classes], one block with its texts */
    int *label;        /* [count] */
    atomic_int refs;   /* owners; the last afn_dataset_free() frees */
};

/* New zeroed struct of a kind, with one owner; bytes is the size of the whole.  NULL
 * where memory ran out.  Free with afn_dataset_free() from any state. */
afn_dataset *afn_data__new(const afn_dataset_ops *ops, size_t bytes);

/* One more owner. */
afn_dataset *afn_data__share(afn_dataset *d);

/* Copy the names of classes into d, in place of those it had.
 * Errors     AFN_ENOMEM, d unchanged */
afn_status afn_data__set_classes(afn_dataset *d, const char *const *name, int n);

#endif
